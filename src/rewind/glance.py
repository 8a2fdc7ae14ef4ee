"""A part of a video that was not watched, read and encoded alone: for ten seconds of three hours, three hours of
decoding are not worth while."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rewind.errors import RewindError
from rewind.sampling import Reading
from rewind.scope import Scope
from rewind.store import Manifest, Recipe, StoredFeatures
from rewind.timeline import Clock, Timeline
from rewind.values import Seconds, VideoInfo
from rewind.vision import VisionEncoder
from rewind.watch import Progress, watch_into

MOST = 1800
"""Samples up to which a part is read alone: what is not kept on disk lies in memory, some 270 MB of it."""
SHARE = 4
"""And at most one part in so many of the video: else all of it is watched, and kept for later questions."""
NOT_KEPT = "only this part of the video was read, and nothing of it is kept; rewind watch reads all of it for later"


@dataclass(frozen=True)
class Glance:
    """Features of the `samples` that lie in a part of a video, in memory alone."""

    samples: range
    stored: StoredFeatures
    timeline: Timeline

    def holds(self, times_s: Sequence[float]) -> bool:
        """Whether it has the pictures on screen at these seconds."""
        begin, end = (float(self.timeline.clock.instant(k)) for k in (int(self.timeline.index[0]), self.samples.stop))
        return all(begin <= t < end for t in times_s)


class Glances:
    """What of one video may be read alone; the part that was asked of last is held."""

    def __init__(
        self, source: str | Path, *, encoder: VisionEncoder, recipe: Recipe, reading: Reading, threads: int | None
    ) -> None:  # fmt: skip
        self._source, self._encoder, self._recipe = source, encoder, recipe
        self._reading, self._threads = reading, threads
        self.last: Glance | None = None

    def look(
        self, samples: range, *, clock: Clock, info: VideoInfo, progress: Progress | None
    ) -> tuple[Glance | None, Seconds]:  # fmt: skip
        """Some samples, and what reading them took now; None where they cannot be had by themselves (all of the video
        may be)."""
        if self.last is not None and self.last.samples == samples:
            return self.last, Seconds()
        stored = StoredFeatures(Path(), Manifest({}, self._recipe, clock), checked=True, trouble=NOT_KEPT)
        try:
            watch_into(
                stored, self._source, info=info, encoder=self._encoder, reading=self._reading, threads=self._threads,
                part=samples, progress=progress,
            )  # fmt: skip
        except RewindError:
            return None, Seconds()
        timeline, manifest = stored.timeline(), stored.manifest
        self.last = Glance(samples, stored, timeline) if len(timeline) else None
        return self.last, Seconds(read=manifest.read_s, encode=manifest.encode_s)


def samples_worth_a_glance(scope: Scope, clock: Clock, info: VideoInfo) -> range | None:
    """The samples that a question needs where they are few of the video's; None where all of it should be watched."""
    if scope.within is None or info.duration_s is None or info.live:
        return None
    whole = math.ceil(info.duration_s * clock.fps)
    low, high = scope.looked_at
    first = 0 if low is None else max(0, clock.first_at(low))
    stop = whole if high is None else min(whole, clock.first_at(high))
    few = min(MOST, whole // SHARE)
    return range(first, stop) if 0 < stop - first <= few else None
