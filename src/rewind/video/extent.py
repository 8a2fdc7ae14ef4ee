"""How far a stream has been read: packets' times that only rise, and where the pictures read so far end."""

from __future__ import annotations

from fractions import Fraction

from rewind.video.decode import Coded
from rewind.video.shared import Shared
from rewind.video.timing import Grid, Reach, Rise


class Extent:
    """Of one reading; says once where times go back."""

    def __init__(self, grid: Grid, *, step: Fraction, time_base: Fraction, shared: Shared) -> None:
        self._reach, self._rise, self._shared = Reach(grid, step), Rise(time_base), shared

    @property
    def end(self) -> int:
        """Where the pictures read so far end, in ticks."""
        return self._reach.end

    @property
    def moved(self) -> int:
        """Ticks by which times are moved so far; 0 where they have never gone back."""
        return self._rise.moved

    def place(self, coded: Coded, *, start: bool) -> Coded:
        """A packet with its time counted on, where times have gone back; `start` where a group can begin at it."""
        if coded.pts is None:
            return coded
        moved = self.moved
        coded.packet.pts = self._rise.place(coded.pts, start=start, end=self.end)
        if self.moved != moved:
            self._shared.note("times go back on the way: counted on from where they did")
        return coded._replace(pts=coded.packet.pts)

    def extend(self, coded: Coded) -> None:
        """Moves the end of the video to behind what is shown."""
        if coded.pts is not None and coded.displayed:
            self._reach.extend(coded.pts, coded.packet.duration or 0)
