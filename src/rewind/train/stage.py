"""A stage of training: how many steps of what, at which rates."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Stage:
    """`steps` steps of `batch` videos of `frames` frames; the rate rises over `warm_up` steps, then falls as a cosine.

    `teacher`: share of samples whose key frames are drawn by the truth, from the first step's to the last step's.
    `slow`: the share of the rate that the run's slow modules, which earlier stages have taught, are moved at.
    `perceive`: False for a stage on what the instruction's aim tells alone; `shown`: frames whose memory the decoder
    sees, 0 for all.
    """

    name: str
    steps: int
    batch: int
    frames: int
    rate: float
    key_frames: int = 8
    warm_up: int = 50
    teacher: tuple[float, float] = (0.5, 0.5)
    slow: float = 1.0
    perceive: bool = True
    shown: int = 0

    def rate_at(self, step: int) -> float:
        if step < self.warm_up:
            return self.rate * (step + 1) / self.warm_up
        share = (step - self.warm_up) / max(1, self.steps - self.warm_up)
        return self.rate * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * min(1.0, share))))

    def teacher_at(self, step: int) -> float:
        first, last = self.teacher
        return first + (last - first) * step / max(1, self.steps - 1)


def describe(stages: Iterable[Stage]) -> list[dict[str, object]]:
    """The stages as plain data, for a run's record."""
    return [asdict(stage) for stage in stages]
