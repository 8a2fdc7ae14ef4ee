"""Which picture is on screen at sample k: exact integer arithmetic from presentation times (PTS) to sample numbers.

Sample k is the instant start + k / fps, and its picture is the one with the greatest PTS that is not after it. A
picture stays on screen until the next one begins; the last one until its PTS plus its duration. A picture whose next
one begins more than `HOLD_S` later is taken off after `HOLD_S`: such a gap is a jump of the clock, not a still.
"""

from __future__ import annotations

from bisect import insort
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Generic, NamedTuple, TypeVar

from rewind.timeline import Clock

Picture = TypeVar("Picture")

HOLD_S = 3600
_DISORDER_DEPTH = 6
_BACK_S, _BEFORE = 1, 3


@dataclass(frozen=True)
class Grid:
    """A clock in whole numbers: PTS ticks to sample numbers and back, without rounding."""

    start: int
    num: int
    den: int
    hold: int

    @staticmethod
    def of(clock: Clock) -> Grid:
        """The grid of `clock`; `num` / `den` is samples a tick, `hold` is `HOLD_S` in ticks."""
        ratio = clock.time_base * clock.fps
        return Grid(clock.start_pts, ratio.numerator, ratio.denominator, int(HOLD_S / clock.time_base))

    def first_at(self, pts: int) -> int:
        """The least sample number whose instant is not before `pts`; never below 0."""
        return max(0, -(-(pts - self.start) * self.num // self.den))

    def pts_limit(self, k: int) -> int:
        """The greatest PTS that is not after sample `k`'s instant."""
        return self.start + k * self.den // self.num


class Reach:
    """Where the pictures met so far end (`end`, PTS): the greatest time and its duration, or the step before it where
    it has none."""

    def __init__(self, grid: Grid, step: Fraction) -> None:
        self.end = grid.start
        self._grid, self._step = grid, step
        self._top: int | None = None
        self._second: int | None = None
        self._lasts = 0

    def extend(self, pts: int, duration: int) -> None:
        """Takes in a picture that is shown; `duration` 0 where it has none."""
        if self._top is None or pts > self._top:
            self._second, self._top, self._lasts = self._top, pts, duration
        elif pts < self._top and (self._second is None or pts > self._second):
            self._second = pts
        step = self._lasts or (self._top - self._second if self._second is not None else int(self._step))
        self.end = self._top + min(max(1, step), self._grid.hold)


class Rise:
    """Packets' times in coding order, counted on where they go back, as at a joint of files.

    They go back with a packet that a group of pictures can begin at, if its time is not after the last group's, or if
    the packets just before it all lie over a second later: one alone may have a broken time. `moved`: ticks by which
    times are moved so far.
    """

    def __init__(self, time_base: Fraction) -> None:
        self.moved = 0
        self._slack = int(_BACK_S / time_base)
        self._began: int | None = None
        self._last: deque[int] = deque(maxlen=_BEFORE)

    def place(self, pts: int, *, start: bool, end: int) -> int:
        """Where the next packet goes: `start` where a group can begin at it, `end` where the pictures so far do."""
        at = pts + self.moved
        if start:
            if self._back(at):
                self.moved += end - at
                at = end
            self._began = at
        self._last.append(at)
        return at

    def _back(self, at: int) -> bool:
        if self._began is None:
            return False
        return at <= self._began or (len(self._last) == _BEFORE and min(self._last) > at + self._slack)


class Run(NamedTuple, Generic[Picture]):
    """Samples `first` ≤ k < `stop` all show `picture`, whose time is `pts`. Those from `early_from` on should show a
    later one, by up to `early_by` ticks. `active`: the picture without its black bars, where it has some."""

    first: int
    stop: int
    pts: int
    picture: Picture
    early_from: int | None = None
    early_by: int = 0
    active: Picture | None = None


@dataclass
class Sampler(Generic[Picture]):
    """Turns pictures, in order of presentation, into runs of samples. One pass, bounded memory.

    Pictures that come slightly out of order are put in order; one that comes too late (its time has passed) is left
    out and counted in `late`. A hole is the time of a picture that could not be decoded: the samples that would show
    it are left out, not filled with a neighbour.

    Args:
        floor: the first sample that is asked for.
        low: where the stretch that the pictures are of begins (PTS); the grid's start where not given.

    `gaps` are stretches without a new picture that are longer than `HOLD_S`: only the first of them is sampled.
    """

    grid: Grid
    floor: int = 0
    low: int | None = None
    late: int = 0
    gaps: list[tuple[int, int]] = field(default_factory=list)
    _pending: list[tuple[int, Picture]] = field(default_factory=list)
    _holes: list[int] = field(default_factory=list)
    _done: int | None = None
    _next: int = 0
    _depth: int = 2

    def push(self, pts: int, picture: Picture) -> list[Run[Picture]]:
        """Adds a picture; gives the runs that this decides."""
        if (self._done is not None and pts <= self._done) or any(p == pts for p, _ in self._pending):
            self.late += 1
            return []
        if self._pending and pts < self._pending[-1][0]:
            self._depth = _DISORDER_DEPTH
        insort(self._pending, (pts, picture), key=_first)
        runs: list[Run[Picture]] = []
        while len(self._pending) > self._depth:
            head_pts, head = self._pending.pop(0)
            runs += self._show(head_pts, head, self._pending[0][0])
        return runs

    def hole(self, pts: int) -> None:
        """Notes that the picture of time `pts` is broken."""
        insort(self._holes, pts)

    @property
    def at(self) -> int:
        """The first sample that is not decided yet."""
        return max(self.grid.first_at(self._low), self._next)

    @property
    def _low(self) -> int:
        return self.grid.start if self.low is None else self.low

    @property
    def latest(self) -> int:
        """The greatest time so far, of good and broken pictures."""
        times = [p for p, _ in self._pending] + self._holes
        return max(times, default=self.grid.start if self._done is None else self._done)

    def finish(self, end: int) -> list[Run[Picture]]:
        """The last picture stays until `end` (exclusive); gives what is left."""
        runs: list[Run[Picture]] = []
        while self._pending:
            pts, picture = self._pending.pop(0)
            runs += self._show(pts, picture, self._pending[0][0] if self._pending else max(end, pts))
        if self._done is None:
            self._leave(self._low, end)
        self._holes.clear()
        return runs

    def _show(self, pts: int, picture: Picture, until: int) -> list[Run[Picture]]:
        inside = [h for h in self._holes if pts < h < until]
        self._holes = [h for h in self._holes if h >= until]
        end = inside[0] if inside else until
        if self._done is None:
            self._leave(self._low, pts)
        self._leave(pts, end)
        if inside:
            self._leave(inside[0], until)
        end = min(end, pts + self.grid.hold)
        self._done = pts
        first, stop = max(self.grid.first_at(pts), self.floor, self._next), self.grid.first_at(end)
        self._next = max(self._next, stop)
        return [Run(first, stop, pts, picture)] if stop > first else []

    def _leave(self, begin: int, end: int) -> None:
        if end - begin > self.grid.hold:
            self.gaps.append((begin, end))


def shown(times: Iterable[int], grid: Grid, end: int | None) -> set[int]:
    """Those of `times` (PTS) that some sample shows, when `end` is the PTS that follows them (None: not yet known)."""
    ordered: Sequence[int] = sorted(times)
    wanted: set[int] = set()
    for i, pts in enumerate(ordered):
        after = ordered[i + 1] if i + 1 < len(ordered) else end
        if after is None or grid.first_at(after) > grid.first_at(pts):
            wanted.add(pts)
    return wanted


def _first(item: tuple[int, Picture]) -> int:
    return item[0]
