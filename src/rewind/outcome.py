"""What is known of a video once it was watched, and of a question once memory was written under it."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING

from rewind.store import StoredFeatures, Stretch
from rewind.timeline import Clock, Timeline
from rewind.values import FrameCount, Seconds, VideoInfo
from rewind.video.timing import Grid
from rewind.video.whole import CUT_OFF

if TYPE_CHECKING:
    from rewind.answering import Around, Recollection
    from rewind.scope import Scope


@dataclass(frozen=True)
class WatchReport:
    """What watching gave: `resumed_frames` of them were stored before; `stored_bytes` lie on disk for later."""

    frames: FrameCount
    degradations: tuple[str, ...]
    seconds: Seconds
    stored_bytes: int
    resumed_frames: int


@dataclass(frozen=True)
class Recalled:
    """What a question found: the frames that it asks of, with their times and what lies around them, and memory under
    it. `first_row` of them in the video, `lost` on the way to them."""

    scope: Scope
    stretch: Stretch
    timeline: Timeline
    around: Around
    seen: Recollection
    first_row: int
    lost: tuple[str, ...]

    @property
    def lacks(self) -> tuple[str, ...]:
        """Why nothing can be known of what was asked for; empty where something can."""
        return self.seen.relevance.degradations


def info_after(stored: StoredFeatures, info: VideoInfo) -> VideoInfo:
    """The length of a pipe, and of files joined end to end, is known once they have been read: to where the last
    picture ends, also before the length that the header tells, unless the file was found cut off. Where no one knows
    that, it is taken to stay for one sample; after the length that the header tells, for one picture."""
    timeline = stored.timeline()
    told, clock, end = info.duration_s, timeline.clock, stored.manifest.end
    if not len(timeline):
        return info
    last = timeline.instant(-1) - clock.instant(0)
    length = Fraction(0) if end is None else (end - clock.start_pts) * clock.time_base
    if told is not None and last < told:
        if not last < length < told or any(CUT_OFF in lost for lost in stored.manifest.degradations):
            return info
    elif length <= last:
        stays = 1 / clock.fps
        if told is not None and info.average_rate and last - told < stays:
            stays = min(stays, 1 / Fraction(info.average_rate))
        length = last + stays
    # Rounded up: no sample lies past the end.
    return replace(info, duration_s=math.ceil(length * 1000) / 1000)


def frames_of(stretch: Stretch, timeline: Timeline) -> FrameCount:
    """Of a stretch's frames; of the whole as it was counted while it was read."""
    whole, gaps = stretch.stored.manifest.frames, stretch.stored.manifest.lost.gaps
    if len(timeline) == whole.read:
        return whole
    skipped, before = (
        count_frames(timeline.clock, gaps, stop=stop, rows=rows).skipped if rows else 0
        for stop, rows in ((int(timeline.index[-1]) + 1, stretch.stop), (int(timeline.index[0]), stretch.first))
    )
    skipped = min(max(0, skipped - before), whole.skipped)  # stores of earlier versions do not tell their gaps
    return FrameCount(len(timeline) + skipped, len(timeline), skipped)


def count_frames(clock: Clock, gaps: Iterable[tuple[int, int]], *, stop: int, rows: int) -> FrameCount:
    """Of the samples before `stop`, `rows` have a picture. The others were skipped, but for those that nobody asked
    for: of a gap (`Losses.gaps`) the reader samples the first hour alone."""
    grid = Grid.of(clock)
    stretches = ((grid.first_at(begin + grid.hold), grid.first_at(end)) for begin, end in gaps)
    left_out = sum(max(0, min(stop, end) - begin) for begin, end in stretches)
    skipped = max(0, stop - rows - left_out)
    return FrameCount(rows + skipped, rows, skipped)
