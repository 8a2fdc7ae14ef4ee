"""Exact time: a clock that maps sample numbers to instants, and the timeline of the frames that were read on it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from rewind.errors import ConfigError


@dataclass(frozen=True)
class Clock:
    """Maps sample numbers to exact instants: sample k is the frame on screen at start + k / fps."""

    start_pts: int
    time_base: Fraction
    fps: Fraction

    def __post_init__(self) -> None:
        if self.fps <= 0:
            raise ConfigError(f"fps {self.fps}", allowed="a rate above 0", do="give --fps 1")
        if self.time_base <= 0:
            raise ConfigError(f"time base {self.time_base}", allowed="a positive number of seconds a tick")

    def instant(self, k: int) -> Fraction:
        """Exact presentation time of sample `k`, in seconds."""
        return self.start_pts * self.time_base + Fraction(k) / self.fps

    def pts_limit(self, k: int) -> int:
        """The greatest PTS (ticks) that is not after sample `k`'s instant."""
        return int(self.instant(k) / self.time_base // 1)

    def first_at(self, t_s: float) -> int:
        """The first sample whose instant is not before second `t_s` (finite) of the file's own time; may be below 0."""
        # Exactly, of the number as it was written: in floating point the sample at t may lie before or after t.
        return math.ceil((Fraction(str(t_s)) - self.instant(0)) * self.fps)


@dataclass(frozen=True)
class Timeline:
    """Sample numbers and PTS of T frames on one clock; `index` rises strictly, `pts` never falls."""

    clock: Clock
    index: npt.NDArray[np.int64]
    pts: npt.NDArray[np.int64]

    def __post_init__(self) -> None:
        if self.index.shape != self.pts.shape or self.index.ndim != 1:
            raise ConfigError(f"index {self.index.shape} and pts {self.pts.shape}", allowed="two arrays of one length")
        if (np.diff(self.index) <= 0).any():
            raise ConfigError("sample numbers that do not rise", allowed="strictly rising sample numbers")
        if (np.diff(self.pts) < 0).any():
            raise ConfigError("presentation times that fall", allowed="presentation times that never fall")

    def __len__(self) -> int:
        return len(self.index)

    def __getitem__(self, rows: slice) -> Timeline:
        return Timeline(self.clock, self.index[rows], self.pts[rows])

    def instant(self, row: int) -> Fraction:
        """Exact time in seconds of the sample in `row`."""
        return self.clock.instant(int(self.index[row]))

    @property
    def seconds(self) -> npt.NDArray[np.float64]:
        """Instants (T,) as float seconds: a view of exact time, for arithmetic that needs no exactness."""
        start = float(self.clock.start_pts * self.clock.time_base)
        return start + self.index.astype(np.float64) / float(self.clock.fps)

    def rows_until(self, t_s: float) -> int:
        """How many leading rows lie before second `t_s` of the file's own time (half-open: an instant at t is out)."""
        if math.isinf(t_s):
            return len(self) if t_s > 0 else 0
        return int(np.searchsorted(self.index, self.clock.first_at(t_s), side="left"))

    @staticmethod
    def regular(frames: int, *, fps: Fraction = Fraction(1)) -> Timeline:
        """A timeline that starts at 0 and misses no sample."""
        index = np.arange(frames, dtype=np.int64)
        return Timeline(Clock(0, 1 / fps, fps), index, index.copy())
