"""Moments of a video as files of their own, cut at exact times (re-encoded), with their sound where there is some."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import av
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.codec.context import Flags
from av.container import OutputContainer
from av.video.frame import VideoFrame

from rewind.clock import time_stamp
from rewind.errors import VideoError
from rewind.values import Moment, VideoInfo
from rewind.video.decode import Decoded, Painter
from rewind.video.passing import from_here, from_start, may_seek, seek, times_go_back
from rewind.video.probe import rate_of
from rewind.video.source import Source, explain, is_pipe, label

_EARLY_S = 2
_FINEST = Fraction(1, 90_000)
_QUALITY = {"crf": "20", "preset": "veryfast"}


def cut(source: str | Path, moments: Sequence[Moment], folder: Path, *, info: VideoInfo) -> list[Path]:
    """Writes each moment as `NN_START-END.mp4` (H.264, AAC) into `folder`; gives the paths, in the order given.

    A file holds the pictures whose times lie in [start_s, end_s), at their own distances, and the one on screen when
    the moment starts. Seconds are the file's own.

    Raises:
        VideoError: the source cannot be read again, its times go back on the way, or the folder cannot be written to.
    """
    if is_pipe(source):
        raise VideoError(
            f"{label(source)} can be read only once", allowed="a file, to cut clips from", do="save it to a file first"
        )
    if moments and times_go_back(source):
        raise VideoError(
            f"the times of {label(source)} go back on the way, as in files joined end to end: no clip is cut from it",
            allowed="a file whose times rise",
            do="write it anew, for instance with ffmpeg -i FILE -c copy out.mkv, and watch that",
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise VideoError(
            f"{folder} cannot be written to ({error.strerror})", allowed="a folder that you may write to", do="name one"
        ) from None
    paths: list[Path] = []
    for number, moment in enumerate(moments, 1):
        path = folder / f"{number:02d}_{time_stamp(moment.start_s)}-{time_stamp(moment.end_s)}.mp4"
        partial = path.with_suffix(".part")
        try:
            _write(source, moment, partial, info)
            partial.replace(path)
        except Exception as error:
            raise explain(error, f"a clip of {label(source)}") from None
        finally:
            partial.unlink(missing_ok=True)
        paths.append(path)
    return paths


def _write(source: str | Path, moment: Moment, path: Path, info: VideoInfo) -> None:
    """One clip: video first, then, from a second pass, its sound."""
    base = info.time_base
    begin, end = Fraction(moment.start_s), Fraction(moment.end_s)
    height, width = info.height // 2 * 2 or 2, info.width // 2 * 2 or 2
    painter = Painter((height, width), info.rotation)
    with Source(source) as opened, av.open(str(path), "w", format="mp4") as out:
        video = out.add_stream("libx264", rate=rate_of(opened.stream) or Fraction(25), options=_QUALITY)
        video.width, video.height, video.pix_fmt = width, height, "yuv420p"
        ticks = min(base, _FINEST)  # coarser ones would round two pictures onto one time
        video.codec_context.time_base = ticks
        video.codec_context.flags |= Flags.frame_duration
        sound = _sound(source, out)
        written = 0
        for at, until, frame in _between(_pictures(opened, begin, info), base, begin, end):
            picture = VideoFrame.from_ndarray(painter.paint(frame), format="rgb24").reformat(format="yuv420p")
            picture.pts, picture.time_base = round((at - begin) / ticks), ticks
            picture.duration = max(1, round((until - at) / ticks))
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
            _add_sound(source, out, sound, begin, end)


def _pictures(opened: Source, begin: Fraction, info: VideoInfo) -> Iterator[Decoded]:
    if may_seek(opened) and seek(opened, int((begin - _EARLY_S) / info.time_base)):
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


def _sound(source: str | Path, out: OutputContainer) -> AudioStream | None:
    """An output stream for the first sound stream that can be decoded; None where there is none."""
    try:
        with av.open(str(source), metadata_errors="replace") as container:
            for stream in container.streams.audio:
                rate = stream.codec_context.sample_rate if stream.codec_context is not None else 0
                if rate in (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000):
                    return out.add_stream("aac", rate=rate, layout="stereo")
    except (av.FFmpegError, OSError, ValueError):
        return None
    return None


def _add_sound(source: str | Path, out: OutputContainer, sound: AudioStream, begin: Fraction, end: Fraction) -> None:
    rate = sound.codec_context.sample_rate
    resampler = av.AudioResampler(format="fltp", layout="stereo", rate=rate)
    with av.open(str(source), metadata_errors="replace") as container:
        stream = next(s for s in container.streams.audio if s.codec_context and s.codec_context.sample_rate == rate)
        with contextlib.suppress(av.FFmpegError):
            container.seek(int((begin - _EARLY_S) / (stream.time_base or Fraction(1, rate))), stream=stream)
        first: Fraction | None = None
        sent = 0
        for packet in container.demux(stream):
            try:
                frames: list[AudioFrame] = packet.decode()
            except (av.FFmpegError, ValueError):
                continue
            for frame in frames:
                if frame.pts is None or frame.time_base is None:
                    continue
                at = frame.pts * frame.time_base
                if at + Fraction(frame.samples, rate) <= begin:
                    continue
                if at >= end:
                    out.mux(sound.encode(None))
                    return
                first = max(Fraction(0), at - begin) if first is None else first
                for piece in resampler.resample(frame):
                    piece.pts, piece.time_base = int(first * rate) + sent, Fraction(1, rate)
                    sent += piece.samples
                    out.mux(sound.encode(piece))
        out.mux(sound.encode(None))
