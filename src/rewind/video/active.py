"""The active picture: what is left of a frame without the black bars above, below and beside it.

A portrait clip in a wide film, or a wide film in a narrow one, fills a third of the frame, and a picture scaled down to
224 × 224 with its bars leaves the classifier a third of its detail. Each frame is looked at alone, so that a film may
be joined of clips of all shapes; dark scenes lose nothing but black.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

DARK = 24
"""The brightest a bar's pixel is, of 255: black, as codecs leave it."""
SPECKS = 0.01
"""The share of brighter pixels that a bar's row or column may have."""
LEAST = 0.25
"""Of either side: what is left is no smaller, so that a light in the dark is not blown up to a picture."""
WORTH = 0.2
"""Of the frame: bars that take less are left where they are."""


class Area(NamedTuple):
    """Rows [top, bottom) and columns [left, right)."""

    top: int
    bottom: int
    left: int
    right: int


def active_area(pixels: npt.NDArray[np.uint8]) -> Area | None:
    """Where the active picture of a frame (H, W, 3) lies; None where it has no bars to speak of, or is all dark."""
    # Channel by channel: over an axis of three, max takes forty times as long, for every frame that is read.
    bright = np.maximum(np.maximum(pixels[..., 0], pixels[..., 1]), pixels[..., 2]) > DARK
    rows, columns = (np.flatnonzero(bright.mean(axis) > SPECKS) for axis in (1, 0))
    if not len(rows) or not len(columns):
        return None
    area = Area(int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1)
    height, width = area.bottom - area.top, area.right - area.left
    small = height < LEAST * bright.shape[0] or width < LEAST * bright.shape[1]
    return None if small or height * width > (1 - WORTH) * bright.size else area
