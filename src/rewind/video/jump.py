"""Goes ahead to a key frame where no sample falls between: when samples are far apart, or reading resumes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import av
from av.packet import Packet
from av.video.stream import VideoStream

from rewind.errors import VideoError
from rewind.video.decode import Coded
from rewind.video.probe import demux
from rewind.video.shared import Shared
from rewind.video.source import INDEXED, Source
from rewind.video.units import Marker

_LEAST_S = 4
_BACK_S = (0, 3, 20)


class Jumper:
    """Looks for the place to go on at in a second container, so that the first stays where it is if there is none."""

    def __init__(self, source: str | Path, shared: Shared, opened: Source) -> None:
        self._source, self._shared = source, shared
        kind = opened.container.format.name
        base = opened.stream.time_base
        self._ticks = int(1 / base) if base else 0
        self._able = opened.seekable and base is not None and any(k in kind for k in INDEXED)
        # Matroska's index (the cues) is only read at the first seek; MP4's is complete when the file is open.
        self._able = self._able and ("matroska" in kind or len(opened.stream.index_entries) > 1)
        self._reading: Source | None = None
        self._spare: Source | None = None

    def jump(
        self, marker: Marker, here: int, wanted: int, *, least: int
    ) -> tuple[Iterator[Packet[VideoStream]], Coded] | None:
        """Packets from after a clean start at or before PTS `wanted`, and that start; None where going on from
        `here` is as good (less than `least` ticks or some seconds away) or nothing better is found."""
        if not self._able or wanted - here < max(least, _LEAST_S * self._ticks):
            return None
        try:
            spare = self._spare or Source(self._source)
        except VideoError:
            self._able = False
            return None
        self._spare = spare
        for back in _BACK_S:
            target = wanted - back * self._ticks
            if target <= here:
                break
            with suppress(av.FFmpegError, OverflowError):
                spare.container.seek(target, stream=spare.stream, backward=True)
                packets = demux(spare)
                first = next(packets, None)
                if first is None:
                    continue
                coded = marker.mark(first)
                if coded.start and coded.pts is not None and here < coded.pts <= wanted:
                    self._reading, self._spare = spare, self._reading
                    return self._shared.guarded(packets), coded
        return None

    def close(self) -> None:
        """Closes both containers."""
        for source in (self._reading, self._spare):
            if source is not None:
                source.close()
        self._reading = self._spare = None
