"""Muted procedural textures that a scene's window drifts over, so that objects stand out from them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

BACKGROUNDS = ("gradient", "noise", "stripes", "checks", "blobs")
FRAME_PX = 224
MARGIN_PX = 48
_SIDE = FRAME_PX + MARGIN_PX

Field = npt.NDArray[np.float64]


def _smooth(rng: np.random.Generator, cells: int) -> Field:
    """Bilinear noise in 0–1 with `cells` cells a side."""
    grid = rng.random((cells + 1, cells + 1))
    place = np.arange(_SIDE) * (cells / _SIDE)
    low = place.astype(int)
    part = place - low
    rows = grid[low] * (1 - part[:, None]) + grid[low + 1] * part[:, None]
    mixed: Field = rows[:, low] * (1 - part) + rows[:, low + 1] * part
    return mixed


def _field(kind: str, rng: np.random.Generator) -> Field:
    y, x = np.mgrid[0:_SIDE, 0:_SIDE].astype(float)
    a, b = rng.uniform(-1, 1, 2)
    if kind == "gradient":
        ramp = a * x + b * y
        field: Field = (ramp - ramp.min()) / max(float(np.ptp(ramp)), 1e-9)
    elif kind == "noise":
        field = (_smooth(rng, 6) + 0.5 * _smooth(rng, 17) + 0.25 * _smooth(rng, 45)) / 1.75
    elif kind == "stripes":
        period = rng.uniform(14, 44)
        wave = (x * a + y * b) / period
        field = np.abs(2 * (wave - np.floor(wave)) - 1)
    elif kind == "checks":
        side = int(rng.integers(12, 40))
        field = ((x // side + y // side) % 2).astype(float) * 0.7 + 0.3 * _smooth(rng, 5)
    else:
        field = np.zeros((_SIDE, _SIDE))
        for _ in range(int(rng.integers(6, 14))):
            cx, cy = rng.uniform(0, _SIDE, 2)
            reach = rng.uniform(18, 60)
            field += np.clip(1 - ((x - cx) ** 2 + (y - cy) ** 2) / reach**2, 0, 1) * rng.uniform(0.3, 1)
        field = np.clip(field, 0, 1)
    return field


def texture(kind: str, rng: np.random.Generator) -> npt.NDArray[np.uint8]:
    """A (272, 272, 3) picture of one of `BACKGROUNDS`: two muted tones mixed by a field, with a little grain."""
    base = rng.uniform(70, 150)
    tones = base + rng.uniform(-22, 22, (2, 3))
    tones[1] += rng.choice([-1.0, 1.0]) * rng.uniform(18, 40)
    field = _field(kind, rng)[..., None]
    picture = tones[0] * (1 - field) + tones[1] * field + rng.uniform(-5, 5, (_SIDE, _SIDE, 1))
    rounded: npt.NDArray[np.uint8] = np.clip(np.floor(picture + 0.5), 0, 255).astype(np.uint8)
    return rounded
