"""Moments of a video as files of their own, cut at exact times (re-encoded), with their sound where there is some."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import av
from av.codec.context import Flags
from av.video.frame import VideoFrame

from rewind.clock import time_stamp
from rewind.errors import VideoError
from rewind.values import Moment, VideoInfo
from rewind.video.decode import Decoded, Painter
from rewind.video.passing import from_here, from_start, may_seek, runs_by_tick, seek, times_go_back
from rewind.video.probe import rate_of
from rewind.video.sound import EARLY_S, add_sound, moves_of, sound_of
from rewind.video.source import Source, explain, is_pipe, label
from rewind.video.units import Pixels

Shown = tuple[Fraction, Fraction, Pixels]
"""From, until (seconds), and the upright picture (H, W, 3) that is on screen then."""

_FINEST = Fraction(1, 90_000)
_QUALITY = {"crf": "20", "preset": "veryfast"}


def cut(source: str | Path, moments: Sequence[Moment], folder: Path, *, info: VideoInfo) -> list[Path]:
    """Writes each moment as `NN_START-END.mp4` (H.264, AAC) into `folder`; gives the paths, in the order given.

    A file holds the pictures whose times lie in [start_s, end_s), at their own distances, and the one on screen when
    the moment starts. Seconds are the file's own.

    Raises:
        VideoError: the source cannot be read again, or the folder cannot be written to.
    """
    if is_pipe(source):
        raise VideoError(
            f"{label(source)} can be read only once", allowed="a file, to cut clips from", do="save it to a file first"
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise VideoError(
            f"{folder} cannot be written to ({error.strerror})", allowed="a folder that you may write to", do="name one"
        ) from None
    paths: list[Path] = []
    moves = moves_of(source) if moments and times_go_back(source) else []
    for number, moment in enumerate(moments, 1):
        path = folder / f"{number:02d}_{time_stamp(moment.start_s)}-{time_stamp(moment.end_s)}.mp4"
        partial = path.with_suffix(".part")
        try:
            _write(source, moment, partial, info, moves)
            partial.replace(path)
        except Exception as error:
            raise explain(error, f"a clip of {label(source)}") from None
        finally:
            partial.unlink(missing_ok=True)
        paths.append(path)
    return paths


def _write(source: str | Path, moment: Moment, path: Path, info: VideoInfo, moves: Sequence[Fraction]) -> None:
    """One clip: video first, then, from a second pass, its sound."""
    begin, end = Fraction(moment.start_s), Fraction(moment.end_s)
    size = info.height // 2 * 2 or 2, info.width // 2 * 2 or 2
    with av.open(str(path), "w", format="mp4") as out:
        with Source(source) as opened:
            rate = rate_of(opened.stream) or Fraction(25)
        video = out.add_stream("libx264", rate=rate, options=_QUALITY)
        (video.height, video.width), video.pix_fmt = size, "yuv420p"
        ticks = min(info.time_base, _FINEST)  # coarser ones would round two pictures onto one time
        video.codec_context.time_base = ticks
        video.codec_context.flags |= Flags.frame_duration
        sound = sound_of(source, out)
        written = 0
        shown = _counted_on if moves else _by_time
        for at, until, pixels in shown(source, begin, end, size, info):
            first, last = round((at - begin) / ticks), round((until - begin) / ticks)
            if first == last and (written or until < end):
                continue  # a picture of no length, at either edge: two would share one time
            picture = VideoFrame.from_ndarray(pixels, format="rgb24").reformat(format="yuv420p")
            picture.pts, picture.duration, picture.time_base = first, max(1, last - first), ticks
            out.mux(video.encode(picture))
            written += 1
        if not written:
            raise VideoError(
                f"no picture from {moment.start_s:.3f} s to {moment.end_s:.3f} s",
                allowed="moments inside the video",
                do="check the times",
            )
        out.mux(video.encode(None))
        if sound is not None:
            add_sound(source, out, sound, begin, end, moves=moves)


def _counted_on(
    source: str | Path, begin: Fraction, end: Fraction, size: tuple[int, int], info: VideoInfo
) -> Iterator[Shown]:
    """Of a file whose times go back on the way: as `open_frames` counts them on, with a sample a tick."""
    base = info.time_base
    first = max(0, int(begin / base) - info.start_pts)
    for run in runs_by_tick(source, first, size=size, info=info):
        at, until = (info.start_pts + run.first) * base, (info.start_pts + run.stop) * base
        if at >= end:
            return
        if until > begin:
            yield max(at, begin), min(until, end), run.picture


def _by_time(
    source: str | Path, begin: Fraction, end: Fraction, size: tuple[int, int], info: VideoInfo
) -> Iterator[Shown]:
    painter = Painter(size, info.rotation)
    with Source(source) as opened:
        for at, until, frame in _between(_pictures(opened, begin, info), info.time_base, begin, end):
            yield at, until, painter.paint(frame)


def _pictures(opened: Source, begin: Fraction, info: VideoInfo) -> Iterator[Decoded]:
    if may_seek(opened) and seek(opened, int((begin - EARLY_S) / info.time_base)):
        return from_here(opened)
    return _afresh(opened.name, info)


def _afresh(name: str, info: VideoInfo) -> Iterator[Decoded]:
    with Source(name) as again:
        yield from from_start(again, info)


def _between(
    pictures: Iterator[Decoded], base: Fraction, begin: Fraction, end: Fraction
) -> Iterator[tuple[Fraction, Fraction, VideoFrame]]:
    """(from, until, picture) of all that is on screen in [begin, end), cut to it; seconds."""
    held: tuple[Fraction, VideoFrame] | None = None
    for pts, frame in pictures:
        at = pts * base
        if frame is None or (held is not None and at <= held[0]):
            continue
        if held is not None and at > begin:
            yield max(held[0], begin), min(at, end), held[1]
        held = (at, frame)
        if at >= end:
            return
    if held is not None:
        last = held[0] + max(base, (held[1].duration or 0) * base)
        if last > begin:
            yield max(held[0], begin), min(last, end), held[1]
