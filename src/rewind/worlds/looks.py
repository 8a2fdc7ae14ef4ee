"""The vocabulary of looks: what objects and signs can be, in words and in RGB."""

from __future__ import annotations

COMMON_SHAPES = ("circle", "square", "triangle", "cross")
"""Shapes of the crowd: on screen for a whole scene."""
RARE_SHAPES = ("star", "heart", "moon", "diamond", "arrow", "bolt")
"""Shapes of visitors: they enter and leave, once or twice a scene."""
SHAPES = COMMON_SHAPES + RARE_SHAPES

RGB = {
    "red": (220, 40, 40),
    "orange": (250, 140, 30),
    "yellow": (250, 225, 60),
    "green": (45, 165, 70),
    "blue": (50, 90, 225),
    "purple": (145, 60, 185),
    "pink": (250, 150, 205),
    "white": (245, 245, 245),
    "black": (15, 15, 20),
}
COLOURS = ("red", "orange", "yellow", "green", "blue", "purple", "pink", "white")
SIZES = ("small", "large")
RADIUS_PX = {"small": 12, "large": 20}
TEXTURES = ("plain", "striped", "dotted")
MOTIONS = ("still", "left", "right", "up", "down", "circling")

SIGN_SHAPES = ("rectangular", "oval", "hexagonal", "pointed")
SYMBOLS = ("dot", "ring", "bar", "tick", "wave")
GLYPH_COLOURS = {
    # Pairs far apart in luma, so that 4:2:0 chroma subsampling leaves the code readable.
    "red": ("white", "yellow"),
    "green": ("white", "yellow"),
    "blue": ("white", "yellow"),
    "purple": ("white", "yellow"),
    "orange": ("black", "blue"),
    "yellow": ("black", "blue"),
    "pink": ("black", "blue"),
    "white": ("black", "blue"),
}
SIGN_RGB = {**RGB, "blue": (35, 60, 190), "green": (25, 120, 50), "red": (190, 25, 30), "purple": (115, 40, 155)}
"""Signs are a little darker than objects of the same name where light glyphs stand on them."""
GLYPH_RGB = {"white": (255, 255, 255), "yellow": (255, 235, 70), "black": (10, 10, 10), "blue": (20, 40, 170)}
GLYPH_COLOUR_NAMES = ("white", "yellow", "black", "blue")

MOTION_WORDS = {
    "still": "standing still",
    "left": "moving left",
    "right": "moving right",
    "up": "moving up",
    "down": "moving down",
    "circling": "circling",
}
