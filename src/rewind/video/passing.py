"""Pictures one after the other from one decoder, with the times that `open_frames` gives them: for grab and cut."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import chain, islice
from pathlib import Path

import av

from rewind.values import VideoInfo
from rewind.video.decode import Decoded, Decoder, Pixels
from rewind.video.probe import HEAD, demux, stamped, step_of, timing_of
from rewind.video.source import INDEXED, Source, is_url
from rewind.video.stream import open_frames
from rewind.video.timing import Rise, Run

_BACK_S = (0, 3, 20, 120)
"""How far before a time to seek for it, in seconds."""


def may_seek(opened: Source) -> bool:
    """Whether times stand in the file, so that a seek finds the same ones as reading from the beginning."""
    return opened.seekable and timing_of(opened, list(islice(demux(opened), HEAD))) == "pts"


def moves_of(source: str | Path) -> Iterator[Fraction]:
    """How far `open_frames` moves the times of each part but the first, in seconds, where times go back with a key
    frame, as in files joined end to end: there a seek by time may find the wrong place. None for any other file.

    Reads a file through without decoding, unless it has an index; nothing is fetched for it."""
    if is_url(source):
        return
    with Source(source) as opened:
        packets = demux(opened)
        head = list(islice(packets, HEAD))
        if any(k in opened.container.format.name for k in INDEXED) or timing_of(opened, head) != "pts":
            return
        base, step = opened.stream.time_base or Fraction(1), step_of(opened)
        rise, moved, end = Rise(base), 0, 0
        for packet in chain(head, packets):
            if packet.pts is None:
                continue
            at = rise.place(packet.pts, start=packet.is_keyframe, end=end)
            if rise.moved != moved:
                moved = rise.moved
                yield moved * base
            end = max(end, at + int(packet.duration or step))


def runs_by_tick(source: str | Path, first: int, *, size: tuple[int, int], info: VideoInfo) -> Iterator[Run[Pixels]]:
    """All pictures from tick `first` after the start on, with the ticks that show them, counted on as `open_frames`
    does where times go back on the way."""
    with open_frames(source, fps=1 / info.time_base, size=size, start_index=first, info=info) as stream:
        yield from stream.runs()


def landings(opened: Source, pts: int, info: VideoInfo) -> Iterator[Iterator[Decoded]]:
    """Pictures from one on that is not after `pts`, found by seeking: the nearest place first, then earlier ones.

    A seek ends anywhere in MPEG-TS and -PS, and elsewhere at a key frame that pictures shown before it may follow:
    what the first good picture's time says is all that can be trusted."""
    for back in _BACK_S:
        if not _seek(opened, pts - int(back / info.time_base)):
            return
        pictures = _from_here(opened)
        first = next((p for p in pictures if p.frame is not None), None)
        if first is not None and first.pts <= pts:
            yield chain([first], pictures)


def _seek(opened: Source, pts: int) -> bool:
    """Goes to a key frame at or before `pts`, as far as the container knows; False where it cannot."""
    opened.stream.codec_context.flush_buffers()
    try:
        opened.container.seek(pts, stream=opened.stream, backward=True)
    except (av.FFmpegError, OverflowError):
        return False
    return True


def _from_here(opened: Source) -> Iterator[Decoded]:
    """Pictures from where `_seek` went, with the file's own times."""
    decoder = Decoder(opened.stream.codec_context)
    for packet in demux(opened):
        yield from decoder.feed(stamped(packet, "pts"))
    yield from decoder.drain()


def from_start(opened: Source, info: VideoInfo) -> Iterator[Decoded]:
    """All pictures of a source just opened; times as `open_frames` makes them where the file stores none."""
    packets = demux(opened)
    head = list(islice(packets, HEAD))
    timing = timing_of(opened, head)
    ctx = opened.stream.codec_context
    ctx.thread_type = "AUTO" if timing == "pts" else "SLICE"
    start = info.start_pts if timing == "counted" else 0
    decoder = Decoder(ctx, timing=timing, start=start, step=step_of(opened))
    for packet in chain(head, packets):
        yield from decoder.feed(stamped(packet, timing))
    yield from decoder.drain()
