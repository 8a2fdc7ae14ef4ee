"""Where shots begin: at frames whose patches have next to nothing in common with those of the frame before.

What is smoothed over time, and what one moment is, ends there. Only hard cuts count: the rule finds four of five joints
of the tuning film of `benchmarks.haystack`, and takes one in 250 of its other pairs of frames for one.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor
from torch.nn import functional

CUT = 0.3
"""Cosine of two frames' looks under which a shot begins: at a frame a second it is .14 (median) at joints of clips, and
.84 or more for nine of ten pairs within them."""


def looks(deep: Tensor, fine: Tensor | None = None) -> Tensor:
    """What frames look like as a whole: the unit mean (T, D) of their deep patches (T, P, D)."""
    del fine
    return functional.normalize(deep.float().mean(1), dim=-1)


def shot_starts(parts: Iterable[Tensor]) -> tuple[int, ...]:
    """The rows, rising and without the first, at which a shot begins, of looks (t, D) that come part by part."""
    starts: list[int] = []
    last: Tensor | None = None
    done = 0
    for part in parts:
        here = part.float() if last is None else torch.cat([last, part.float()])
        alike = (here[1:] * here[:-1]).sum(-1)
        first = done + (1 if last is None else 0)
        starts += (torch.nonzero(alike < CUT).flatten() + first).tolist()
        last, done = here[-1:], done + len(part)
    return tuple(starts)
