"""Basic colours: what share of a view's pixels a person would call red, brown, grey …

The classifier does not tell colours apart, and people ask by them. The 11 names are the basic colour terms of English
(Berlin and Kay 1969); the borders in hue, saturation and value are ours.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

COLOURS = ("red", "orange", "yellow", "green", "blue", "purple", "pink", "brown", "black", "grey", "white")
STEP = 4  # every 4th pixel of every 4th row: 3,136 of a 224 × 224 frame, the shares move by less than .01
# Upper hue limit in degrees of red, orange, yellow, green, blue, purple, pink; what is left is red again.
HUES = (15.0, 42.0, 68.0, 165.0, 260.0, 300.0, 345.0)


def colour_index(pixels: Tensor) -> Tensor:
    """The number in `COLOURS` of each pixel: (..., 3) uint8 RGB → (...) int64."""
    rgb = pixels.float() / 255
    value, low = rgb.amax(-1), rgb.amin(-1)
    chroma = value - low
    saturation = chroma / value.clamp_min(1e-6)
    r, g, b = rgb.unbind(-1)
    c = chroma.clamp_min(1e-6)
    sixth = torch.where(value == r, ((g - b) / c) % 6, torch.where(value == g, (b - r) / c + 2, (r - g) / c + 4))
    hue = torch.bucketize(sixth * 60, torch.tensor(HUES), right=True) % 7
    name = hue.clone()
    red, orange = hue == 0, hue == 1
    name[(orange & (value < 0.6)) | (orange & (saturation < 0.45)) | (red & (value < 0.35))] = COLOURS.index("brown")
    name[red & (saturation < 0.55) & (value > 0.7)] = COLOURS.index("pink")
    dull = (saturation < 0.2) | ((saturation < 0.3) & (value < 0.3))
    name[dull] = COLOURS.index("grey")
    name[dull & (value > 0.8)] = COLOURS.index("white")
    name[value < 0.2] = COLOURS.index("black")
    return name


def colour_shares(pixels: Tensor, *, windows: Sequence[tuple[int, int, int, int]], grid: int) -> Tensor:
    """Shares of the colours in parts of a frame.

    Args:
        pixels: (n, H, W, 3) uint8 RGB.
        windows: (top, bottom, left, right) of each of V parts, in cells of a `grid` × `grid` net over the frame.

    Returns:
        (n, V, 11) float32 in 0–1; each row sums to 1.
    """
    index = colour_index(pixels[:, ::STEP, ::STEP])
    counts = torch.nn.functional.one_hot(index, len(COLOURS)).float()
    height, width = index.shape[1:]
    shares = []
    for top, bottom, left, right in windows:
        rows = slice(top * height // grid, max(bottom * height // grid, top * height // grid + 1))
        columns = slice(left * width // grid, max(right * width // grid, left * width // grid + 1))
        shares.append(counts[:, rows, columns].mean((1, 2)))
    return torch.stack(shares, 1)
