"""Objects and signs as small RGBA pictures, drawn once and pasted many times."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from rewind.worlds import glyphs
from rewind.worlds.looks import GLYPH_RGB, RADIUS_PX, RGB, SIGN_RGB

_SUPER = 4
_OUTLINE_PX = 2
_OUTLINE_RGB = (18, 18, 22)
Points = list[tuple[float, float]]


@dataclass(frozen=True)
class Sprite:
    """`paint` (h, w, 3) uint16 is colour × alpha, `keep` (h, w, 1) uint16 is 255 − alpha: background to keep."""

    paint: npt.NDArray[np.uint16]
    keep: npt.NDArray[np.uint16]

    @property
    def size(self) -> tuple[int, int]:
        """Height and width in px."""
        return self.paint.shape[0], self.paint.shape[1]

    def paste(self, frame: npt.NDArray[np.uint8], x: int, y: int) -> None:
        """Draw onto `frame` (H, W, 3) in place, the top left corner at (x, y); what lies outside is clipped."""
        h, w = self.size
        top, left = max(0, -y), max(0, -x)
        bottom, right = min(h, frame.shape[0] - y), min(w, frame.shape[1] - x)
        if top >= bottom or left >= right:
            return
        part = frame[y + top : y + bottom, x + left : x + right]
        mixed = part * self.keep[top:bottom, left:right]
        mixed += self.paint[top:bottom, left:right]
        mixed += 127
        mixed //= 255
        part[...] = mixed


def _sprite(rgb: npt.NDArray[np.float64], alpha: npt.NDArray[np.float64]) -> Sprite:
    a = np.floor(alpha * 255 + 0.5).astype(np.uint16)[..., None]
    return Sprite(np.floor(rgb + 0.5).astype(np.uint16) * a, (255 - a).astype(np.uint16))


def _regular(corners: int, *, start: float = -0.25, radii: tuple[float, ...] = (1.0,)) -> Points:
    turn = [2 * math.pi * (k / corners + start) for k in range(corners)]
    return [(radii[k % len(radii)] * math.cos(a), radii[k % len(radii)] * math.sin(a)) for k, a in enumerate(turn)]


def _heart() -> Points:
    turn = [2 * math.pi * k / 48 for k in range(48)]
    return [
        (
            math.sin(a) ** 3,
            -(13 * math.cos(a) - 5 * math.cos(2 * a) - 2 * math.cos(3 * a) - math.cos(4 * a)) / 16 - 0.1,
        )
        for a in turn
    ]


def _moon() -> Points:
    outer = [(math.cos(a), math.sin(a)) for a in (math.pi * (0.22 + 1.56 * k / 40) for k in range(41))]
    inner = [
        (0.42 + 0.74 * math.cos(a), 0.74 * math.sin(a)) for a in (math.pi * (1.66 - 1.32 * k / 40) for k in range(41))
    ]
    return outer + inner


_OUTLINES: dict[str, Points] = {
    "circle": _regular(48),
    "square": [(-0.85, -0.85), (0.85, -0.85), (0.85, 0.85), (-0.85, 0.85)],
    "triangle": [(0.0, -0.95), (0.98, 0.8), (-0.98, 0.8)],
    "cross": [
        *((-0.33, -1.0), (0.33, -1.0), (0.33, -0.33), (1.0, -0.33), (1.0, 0.33), (0.33, 0.33)),
        *((0.33, 1.0), (-0.33, 1.0), (-0.33, 0.33), (-1.0, 0.33), (-1.0, -0.33), (-0.33, -0.33)),
    ],
    "star": _regular(10, radii=(1.05, 0.44)),
    "heart": _heart(),
    "moon": _moon(),
    "diamond": [(0.0, -1.05), (0.62, 0.0), (0.0, 1.05), (-0.62, 0.0)],
    "arrow": [(-1.0, -0.32), (0.1, -0.32), (0.1, -0.9), (1.05, 0.0), (0.1, 0.9), (0.1, 0.32), (-1.0, 0.32)],
    "bolt": [(0.15, -1.05), (-0.7, 0.2), (-0.1, 0.2), (-0.3, 1.05), (0.7, -0.3), (0.08, -0.3), (0.5, -1.05)],
}


def _fill(points: Points, height: int, width: int) -> npt.NDArray[np.bool_]:
    """Even-odd fill of a polygon, tested at the centres of a (height, width) grid."""
    y = (np.arange(height) + 0.5)[:, None]
    x = (np.arange(width) + 0.5)[None, :]
    inside = np.zeros((height, width), bool)
    for (x0, y0), (x1, y1) in zip(points, points[1:] + points[:1], strict=True):
        if y0 == y1:
            continue
        crosses = (y0 > y) != (y1 > y)
        inside ^= crosses & (x < (x1 - x0) * (y - y0) / (y1 - y0) + x0)
    return inside


def _grow(mask: npt.NDArray[np.bool_], reach: int) -> npt.NDArray[np.bool_]:
    grown = mask.copy()
    for dy in range(-reach, reach + 1):
        half = math.isqrt(reach * reach - dy * dy)
        rows = np.roll(mask, dy, axis=0)
        for dx in (-half, -half // 2, half // 2, half):
            grown |= np.roll(rows, dx, axis=1)
    return grown


def _reduce(mask: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
    h, w = mask.shape
    mean: npt.NDArray[np.float64] = mask.reshape(h // _SUPER, _SUPER, w // _SUPER, _SUPER).mean(axis=(1, 3))
    return mean


@lru_cache(maxsize=64)
def _masks(shape: str, radius: int) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    half = radius + _OUTLINE_PX + 2
    side = 2 * half * _SUPER
    points = [((px * radius + half) * _SUPER, (py * radius + half) * _SUPER) for px, py in _OUTLINES[shape]]
    inner = _fill(points, side, side)
    return _reduce(inner), _reduce(_grow(inner, _OUTLINE_PX * _SUPER))


@lru_cache(maxsize=1024)
def object_sprite(shape: str, colour: str, size: str, texture: str) -> Sprite:
    """An object with a dark outline, centred; stripes and dots are a darker tone of its colour."""
    radius = RADIUS_PX[size]
    inner, outer = _masks(shape, radius)
    side = inner.shape[0]
    y, x = np.mgrid[0:side, 0:side]
    if texture == "striped":
        dark = (x + y) % 8 < 3
    elif texture == "dotted":
        dark = ((x - side // 2 + 3) % 7 < 3) & ((y - side // 2 + 3) % 7 < 3)
    else:
        dark = np.zeros((side, side), bool)
    tone = np.where(dark, 0.4, 1.0)[..., None] * np.array(RGB[colour], float)
    rgb = inner[..., None] * tone + (1 - inner[..., None]) * np.array(_OUTLINE_RGB, float)
    return _sprite(rgb, outer)


def _board(shape: str, height: int, width: int) -> Points:
    if shape == "oval":
        return [(width / 2 * (1 + px), height / 2 * (1 + py)) for px, py in _regular(64)]
    side = height * 0.28
    if shape == "hexagonal":
        return [
            (side, 0),
            (width - side, 0),
            (width, height / 2),
            (width - side, height),
            (side, height),
            (0, height / 2),
        ]
    if shape == "pointed":
        return [(0, 0), (width - 1.4 * side, 0), (width, height / 2), (width - 1.4 * side, height), (0, height)]
    return [(0, 0), (width, 0), (width, height), (0, height)]


def sign_size(shape: str, code_length: int, scale: int) -> tuple[int, int]:
    """Height and width in px of the sign that carries a code of that length."""
    width, height = (6 * code_length - 1) * scale + 14, 7 * scale + 7 * max(2, scale - 1) + 16
    if shape == "oval":
        return int(height * 1.25), int(width * 1.3) + 4
    if shape in ("hexagonal", "pointed"):
        return height, width + int(0.28 * height) * (2 if shape == "hexagonal" else 1)
    return height, width


@lru_cache(maxsize=64)
def _board_masks(shape: str, height: int, width: int) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Of a sign's board: its face, within the border, and all of it. Worlds have some thirty boards."""
    board = _fill(
        [(px * _SUPER, py * _SUPER) for px, py in _board(shape, height, width)], height * _SUPER, width * _SUPER
    )
    padded = np.pad(board, _SUPER)
    core = ~_grow(~padded, 2 * _SUPER)[_SUPER:-_SUPER, _SUPER:-_SUPER]
    return _reduce(core), _reduce(board)


@lru_cache(maxsize=256)
def sign_sprite(shape: str, colour: str, *, glyph_colour: str, mark: str, code: str, scale: int) -> Sprite:
    """A board with a border in the colour of its glyphs, a symbol above and the code below it."""
    height, width = sign_size(shape, len(code), scale)
    inside, board = _board_masks(shape, height, width)
    ink = np.array(GLYPH_RGB[glyph_colour], float)
    face = inside[..., None]
    rgb = face * np.array(SIGN_RGB[colour], float) + (1 - face) * ink
    icon, letters = glyphs.symbol(mark, max(2, scale - 1)), glyphs.text(code, scale)
    top = (height - icon.shape[0] - letters.shape[0] - scale - 1) // 2
    shift = -int(0.1 * height) if shape == "pointed" else 0
    for mask, y in ((icon, top), (letters, top + icon.shape[0] + scale + 1)):
        x = (width - mask.shape[1]) // 2 + shift
        rgb[y : y + mask.shape[0], x : x + mask.shape[1]][mask] = ink
    return _sprite(rgb, board)
