"""Moments of a video as files of their own, cut at exact times (re-encoded), with their sound where there is some."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from av.codec.context import Flags
from av.container import OutputContainer
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Colorspace

from rewind.clock import time_stamp
from rewind.errors import VideoError
from rewind.folders import from_home
from rewind.values import Moment, VideoInfo
from rewind.video.decode import Decoded, Painter, Pixels
from rewind.video.passing import from_start, landings, may_seek, moves_of, runs_by_tick
from rewind.video.probe import rate_of
from rewind.video.sound import add_sound, sound_of
from rewind.video.source import Source, explain, is_pipe, label

Shown = tuple[Fraction, Fraction, Pixels]
"""From, until (seconds), and the upright picture (H, W, 3) that is on screen then."""

_FINEST = Fraction(1, 90_000)
_QUALITY = {"crf": "20", "preset": "veryfast", "bf": "0"}
"""Without B-frames: MP4 tells lengths in decoding order, so that at uneven distances a clip would end too early."""


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
    folder = from_home(folder)
    with _writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
    paths: list[Path] = []
    moves = list(moves_of(source)) if moments else []
    for number, moment in enumerate(moments, 1):
        path = folder / f"{number:02d}_{time_stamp(moment.start_s)}-{time_stamp(moment.end_s)}.mp4"
        partial = path.with_suffix(".part")
        try:
            _write(source, moment, partial, info, moves)
            with _writing(folder):
                partial.replace(path)
        except Exception as error:
            raise explain(error, f"a clip of {label(source)}") from None
        finally:
            with suppress(OSError):
                partial.unlink(missing_ok=True)
        paths.append(path)
    return paths


@contextmanager
def _writing(folder: Path) -> Iterator[None]:
    """What fails inside is the writing of clips, whatever else is open."""
    try:
        yield
    except (OSError, av.FFmpegError) as error:
        raise VideoError(
            f"{folder} cannot be written to ({error.strerror or error})",
            allowed="a folder with room that you may write to",
            do="name one",
        ) from None


@contextmanager
def _output(path: Path) -> Iterator[OutputContainer]:
    """A new MP4, whole once this ends without an error."""
    with _writing(path.parent):
        # FFmpeg takes what stands before a colon for a protocol, but not in an absolute path.
        out = av.open(os.path.abspath(path), "w", format="mp4")
    try:
        yield out
    except BaseException:
        with suppress(OSError, av.FFmpegError):
            out.close()
        raise
    with _writing(path.parent):
        out.close()


def _write(source: str | Path, moment: Moment, path: Path, info: VideoInfo, moves: Sequence[Fraction]) -> None:
    """One clip: video first, then, from a second pass, its sound."""
    begin, end = Fraction(moment.start_s), Fraction(moment.end_s)
    size = info.height // 2 * 2 or 2, info.width // 2 * 2 or 2
    with Source(source) as opened, _output(path) as out:

        def put(packets: Sequence[Packet[Any]]) -> None:
            with _writing(path.parent):
                out.mux(packets)

        video = out.add_stream("libx264", rate=rate_of(opened.stream) or Fraction(25), options=_QUALITY)
        (video.height, video.width), video.pix_fmt = size, "yuv420p"
        video.codec_context.sample_aspect_ratio = info.pixel_aspect
        ticks = min(info.time_base, _FINEST)  # coarser ones would round two pictures onto one time
        video.codec_context.time_base = ticks
        video.codec_context.flags |= Flags.frame_duration
        _tag_colours(video.codec_context, opened.stream.codec_context)
        sound = sound_of(opened, out)
        written = 0
        shown = _counted_on if moves else _by_time
        for at, until, pixels in shown(source, begin, end, size, info):
            first, last = round((at - begin) / ticks), round((until - begin) / ticks)
            if first == last and (written or until < end):
                continue  # a picture of no length, at either edge: two would share one time
            picture = VideoFrame.from_ndarray(pixels, format="rgb24").reformat(
                format="yuv420p", dst_colorspace=Colorspace.ITU709, dst_color_range=ColorRange.MPEG
            )
            picture.pts, picture.duration, picture.time_base = first, max(1, last - first), ticks
            put(video.encode(picture))
            written += 1
        if not written:
            raise VideoError(
                f"no picture from {moment.start_s:.3f} s to {moment.end_s:.3f} s",
                allowed="moments inside the video",
                do="check the times",
            )
        put(video.encode(None))
        if sound is not None:
            add_sound(opened, put, sound, begin, end, moves=moves)


def _tag_colours(video: VideoCodecContext, source: VideoCodecContext) -> None:
    """Says how the RGB of the pictures becomes YUV here. What RGB they are, the painter left as the source has it."""
    video.colorspace, video.color_range = Colorspace.ITU709, ColorRange.MPEG
    video.color_primaries, video.color_trc = source.color_primaries, source.color_trc


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
    painter = Painter(size, info)
    for at, until, frame in _between(_pictures(source, begin, info), info.time_base, begin, end):
        yield at, until, painter.paint(frame)


def _pictures(source: str | Path, begin: Fraction, info: VideoInfo) -> Iterator[Decoded]:
    """Pictures from the one on screen at `begin` or an earlier one on."""
    with Source(source) as opened:
        found = next(landings(opened, int(begin // info.time_base), info), None) if may_seek(opened) else None
        if found is not None:
            yield from found
            return
    with Source(source) as opened:
        yield from from_start(opened, info)


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
