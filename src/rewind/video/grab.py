"""The very pictures at given times, at a size for people to look at: the evidence of an answer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from av.video.frame import VideoFrame
from PIL import Image

from rewind.errors import ConfigError, VideoError
from rewind.values import VideoInfo
from rewind.video.decode import Painter, Pixels
from rewind.video.passing import from_start, landings, may_seek, moves_of, runs_by_tick
from rewind.video.source import Source, explain, is_pipe, label

_ON_S = 4.0


def grab(source: str | Path, pts: Sequence[int], *, info: VideoInfo, max_side: int = 720) -> list[Image.Image]:
    """The upright pictures whose times are `pts`, in the order given, as wide for their height as they are shown, the
    longer side at most `max_side` pixels.

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
    width, height = info.shown
    scale = min(1.0, max_side / max(width, height, 1))
    size = (max(1, round(height * scale)), max(1, round(width * scale)))
    painter = Painter(size, info)
    found: dict[int, Image.Image] = {}
    times = sorted(set(pts))
    try:
        if any(moves_of(source)):
            for wanted, pixels in _as_sampled(source, times, size, info):
                found[wanted] = Image.fromarray(pixels)
        else:
            for wanted, frame in _from_file(source, times, info):
                found[wanted] = Image.fromarray(painter.paint(frame))
    except Exception as error:
        raise explain(error, label(source)) from None
    for wanted in times:
        if wanted not in found:
            raise VideoError(
                f"{label(source)} has no picture at {float(wanted * info.time_base):.3f} s",
                allowed="times at which a picture was read",
                do="watch the video again: the file may have changed",
            )
    return [found[p] for p in pts]


def _from_file(source: str | Path, times: list[int], info: VideoInfo) -> Iterator[tuple[int, VideoFrame]]:
    """Each time's picture: by seeking where that finds it, the others in one pass from the beginning."""
    missing = times
    with Source(source) as opened:
        if may_seek(opened):
            missing = []
            for wanted in times:
                frame = _by_seeking(opened, wanted, info)
                if frame is None:
                    missing.append(wanted)
                else:
                    yield wanted, frame
    if missing:
        with Source(source) as opened:
            yield from _in_passing(opened, missing, info)


def _as_sampled(
    source: str | Path, wanted: list[int], size: tuple[int, int], info: VideoInfo
) -> Iterator[tuple[int, Pixels]]:
    """Reads from the beginning as `open_frames` does, a sample a tick, for the times that it made."""
    waiting = [pts - info.start_pts for pts in wanted]
    begin = max(0, waiting[0])
    for run in runs_by_tick(source, begin, size=size, info=info):
        while waiting and waiting[0] < run.stop:
            tick = waiting.pop(0)
            if tick >= run.first:
                yield info.start_pts + tick, run.picture
        if not waiting:
            return


def _by_seeking(opened: Source, wanted: int, info: VideoInfo) -> VideoFrame | None:
    """The picture of exactly this time, decoded from a key frame before it; None where that does not find it."""
    on = wanted + int(_ON_S / info.time_base)
    for pictures in landings(opened, wanted, info):
        for at, frame in pictures:
            if at == wanted and frame is not None:
                return frame
            if at > on:
                break
    return None


def _in_passing(opened: Source, wanted: list[int], info: VideoInfo) -> Iterator[tuple[int, VideoFrame]]:
    """Reads from the beginning; for each time the picture that is on screen then."""
    waiting = list(wanted)
    on_screen: VideoFrame | None = None
    for at, frame in from_start(opened, info):
        if frame is None:
            continue
        while waiting and waiting[0] < at and on_screen is not None:
            yield waiting.pop(0), on_screen
        if not waiting:
            return
        on_screen = frame
    if on_screen is not None:
        for late in waiting:
            yield late, on_screen
