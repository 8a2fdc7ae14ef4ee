"""Moments of a video as files of their own, cut at exact times (re-encoded), with their sound where there is some."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer, OutputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from rewind.errors import VideoError
from rewind.values import Moment, VideoInfo
from rewind.video.decode import Painter
from rewind.video.probe import demux, rate_of
from rewind.video.source import Source, explain, is_pipe, label

_EARLY_S = 2.0


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
    paths: list[Path] = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for number, moment in enumerate(moments, 1):
            path = folder / f"{number:02d}_{_stamp(moment.start_s)}-{_stamp(moment.end_s)}.mp4"
            partial = path.with_suffix(".part")
            try:
                _write(source, moment, partial, info)
                partial.replace(path)
            finally:
                partial.unlink(missing_ok=True)
            paths.append(path)
    except (FileExistsError, NotADirectoryError, PermissionError) as error:
        raise VideoError(
            f"{folder} cannot be written to ({error.strerror})", allowed="a folder that you may write to", do="name one"
        ) from None
    except Exception as error:
        raise explain(error, label(source)) from None
    return paths


def _stamp(seconds: float) -> str:
    """Seconds as 0h01m02.345s, safe in a file name on every system."""
    sign, seconds = ("-" if seconds < 0 else ""), abs(seconds)
    minutes, rest = divmod(round(seconds, 3), 60)
    return f"{sign}{int(minutes // 60)}h{int(minutes % 60):02d}m{rest:06.3f}s"


def _write(source: str | Path, moment: Moment, path: Path, info: VideoInfo) -> None:
    """One clip: video first, then, from a second pass, its sound."""
    base = info.time_base
    begin, end = Fraction(moment.start_s), Fraction(moment.end_s)
    height, width = info.height // 2 * 2 or 2, info.width // 2 * 2 or 2
    painter = Painter((height, width), info.rotation)
    written = 0
    with Source(source) as opened, av.open(str(path), "w", format="mp4") as out:
        rate = rate_of(opened.stream) or Fraction(25)
        video = out.add_stream("libx264", rate=rate, options={"crf": "20", "preset": "veryfast"})
        video.width, video.height, video.pix_fmt = width, height, "yuv420p"
        video.codec_context.time_base = base
        sound = _sound(source, out)
        _seek(opened.container, opened.stream, begin, base)
        before: VideoFrame | None = None

        def write(frame: VideoFrame, at: Fraction) -> None:
            nonlocal written
            picture = VideoFrame.from_ndarray(painter.paint(frame), format="rgb24").reformat(format="yuv420p")
            picture.pts, picture.time_base = int(at / base), base
            out.mux(video.encode(picture))
            written += 1

        for frame in _frames(opened):
            at = frame.pts * base if frame.pts is not None else None
            if at is None or at < begin:
                before = frame if at is not None else before
                continue
            if written == 0 and before is not None and at > begin:
                write(before, Fraction(0))
            before = None
            if at >= end:
                break
            write(frame, at - begin)
        if written == 0 and before is not None:
            write(before, Fraction(0))
        if written == 0:
            raise VideoError(
                f"no picture from {moment.start_s:.3f} s to {moment.end_s:.3f} s",
                allowed="moments inside the video",
                do="check the times",
            )
        out.mux(video.encode(None))
        if sound is not None:
            _add_sound(source, out, sound, begin, end)


def _frames(opened: Source):  # type: ignore[no-untyped-def]
    opened.stream.codec_context.thread_type = "AUTO"
    for packet in [*()] or demux(opened):
        try:
            yield from packet.decode()
        except (av.FFmpegError, ValueError):
            continue
    try:
        yield from opened.stream.codec_context.decode(None)
    except (av.FFmpegError, ValueError):
        return


def _seek(container: InputContainer, stream: VideoStream | AudioStream, begin: Fraction, base: Fraction) -> None:
    try:
        container.seek(int((begin - Fraction(_EARLY_S)) / base), stream=stream, backward=True)
    except av.FFmpegError:
        container.seek(0)


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
        _seek(container, stream, begin, stream.time_base or Fraction(1, rate))
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
