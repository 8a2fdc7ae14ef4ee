"""The very pictures at given times, at a size for people to look at: the evidence of an answer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import av
from av.video.frame import VideoFrame
from PIL import Image

from rewind.errors import ConfigError, VideoError
from rewind.values import VideoInfo
from rewind.video.decode import Decoded, Decoder, Painter
from rewind.video.probe import demux, stamped, step_of, timing_of
from rewind.video.source import Source, explain, is_pipe, label

_BACK_S = (0.0, 3.0, 20.0)
_ON_S = 4.0


def grab(source: str | Path, pts: Sequence[int], *, info: VideoInfo, max_side: int = 720) -> list[Image.Image]:
    """The upright pictures whose times are `pts`, in the order given, the longer side at most `max_side` pixels.

    Args:
        pts: presentation times in ticks of `info.time_base`, as `Frame.pts` gives them; for a time at which no
            picture begins, the one on screen then is given.

    Raises:
        VideoError: the source cannot be read again (a pipe), or a picture is no longer there.
    """
    if max_side < 1:
        raise ConfigError(f"a longest side of {max_side} pixels", allowed="1 or more")
    if not pts:
        return []
    if is_pipe(source):
        raise VideoError(
            f"{label(source)} can be read only once", allowed="a file, for pictures of it", do="save it to a file first"
        )
    scale = min(1.0, max_side / max(info.width, info.height, 1))
    size = (max(1, round(info.height * scale)), max(1, round(info.width * scale)))
    painter = Painter(size, info.rotation)
    found: dict[int, Image.Image] = {}
    try:
        with Source(source) as opened:
            rest = sorted(set(pts))
            if opened.seekable and not stores_no_times(opened):
                for wanted in rest:
                    frame = _by_seeking(opened, wanted, info)
                    if frame is not None:
                        found[wanted] = Image.fromarray(painter.paint(frame))
        rest = [p for p in rest if p not in found]
        if rest:
            with Source(source) as opened:
                for wanted, frame in _in_passing(opened, rest, info):
                    found[wanted] = Image.fromarray(painter.paint(frame))
    except Exception as error:
        raise explain(error, label(source)) from None
    missing = [p for p in rest if p not in found]
    if missing:
        raise VideoError(
            f"{label(source)} has no picture at {float(missing[0] * info.time_base):.3f} s",
            allowed="times at which a picture was read",
            do="watch the video again: the file may have changed",
        )
    return [found[p] for p in pts]


def stores_no_times(opened: Source) -> bool:
    """Whether times are made up while reading from the beginning, so that a seek would give others."""
    head = []
    for packet in demux(opened):
        head.append(packet)
        if len(head) >= 48:
            break
    return timing_of(opened, head) != "pts"


def _by_seeking(opened: Source, wanted: int, info: VideoInfo) -> VideoFrame | None:
    """The picture of exactly this time, decoded from the key frame before it; None where that does not find it."""
    ctx = opened.stream.codec_context
    on = wanted + int(_ON_S / info.time_base)
    for back in _BACK_S:
        ctx.flush_buffers()
        try:
            opened.container.seek(wanted - int(back / info.time_base), stream=opened.stream, backward=True)
        except av.FFmpegError:
            return None
        decoder = Decoder(ctx, step=step_of(opened))
        for at, frame in _decoded(opened, decoder, info):
            if at == wanted and frame is not None:
                return frame
            if at > on:
                break
    return None


def _decoded(opened: Source, decoder: Decoder, info: VideoInfo) -> Iterator[Decoded]:
    for packet in demux(opened):
        yield from decoder.feed(stamped(packet, decoder.timing))
    yield from decoder.drain()


def _in_passing(opened: Source, wanted: list[int], info: VideoInfo) -> Iterator[tuple[int, VideoFrame]]:
    """Reads from the beginning; for each time the picture that is on screen then."""
    head = []
    packets = demux(opened)
    for packet in packets:
        head.append(packet)
        if len(head) >= 48:
            break
    timing = timing_of(opened, head)
    ctx = opened.stream.codec_context
    ctx.thread_type = "AUTO" if timing == "pts" else "SLICE"
    start = info.start_pts if timing == "counted" else 0
    decoder = Decoder(ctx, timing=timing, start=start, step=step_of(opened))
    on_screen: VideoFrame | None = None
    queue = list(wanted)

    def pictures() -> Iterator[Decoded]:
        for packet in head:
            yield from decoder.feed(stamped(packet, timing))
        for packet in packets:
            yield from decoder.feed(stamped(packet, timing))
        yield from decoder.drain()

    for at, frame in pictures():
        if frame is None:
            continue
        while queue and queue[0] < at and on_screen is not None:
            yield queue.pop(0), on_screen
        if not queue:
            return
        on_screen = frame
    if on_screen is not None:
        for at in queue:
            yield at, on_screen
