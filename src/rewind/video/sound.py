"""The sound of a stretch of video, decoded and written anew beside its pictures."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import av
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.packet import Packet
from av.stream import Discard

from rewind.video.probe import demux, step_of
from rewind.video.source import Source
from rewind.video.timing import Rise

EARLY_S = 2
_BACK_S = Fraction(1, 10)
_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)

Heard = Iterator[tuple[Fraction, AudioFrame]]
"""Pieces of sound, each with the second at which it begins."""


def sound_of(source: str | Path, out: OutputContainer) -> AudioStream | None:
    """An output stream for the first sound stream that can be decoded; None where there is none."""
    try:
        with av.open(str(source), metadata_errors="replace") as container:
            for stream in container.streams.audio:
                rate = stream.codec_context.sample_rate if stream.codec_context is not None else 0
                if rate in _RATES:
                    return out.add_stream("aac", rate=rate, layout="stereo")
    except (av.FFmpegError, OSError, ValueError):
        return None
    return None


def add_sound(
    source: str | Path, out: OutputContainer, sound: AudioStream, begin: Fraction, end: Fraction, *,
    moves: Sequence[Fraction] = (),
) -> None:  # fmt: skip
    """Writes what is heard in [begin, end) into `sound`, a stream of `sound_of`.

    Args:
        moves: of `moves_of`, for a file whose times go back on the way; none for any other.
    """
    rate = sound.codec_context.sample_rate
    resampler = av.AudioResampler(format="fltp", layout="stereo", rate=rate)
    with Source(source) as opened:
        streams = opened.container.streams.audio
        stream = next(s for s in streams if s.codec_context and s.codec_context.sample_rate == rate)
        stream.discard = Discard.default  # a source reads its pictures alone
        first: Fraction | None = None
        sent = 0
        for at, frame in _counted_on(opened, stream, moves) if moves else _from(opened, stream, begin):
            if at + Fraction(frame.samples, rate) <= begin:
                continue
            if at >= end:
                break
            first = max(Fraction(0), at - begin) if first is None else first
            for piece in resampler.resample(frame):
                piece.pts, piece.time_base = int(first * rate) + sent, Fraction(1, rate)
                sent += piece.samples
                out.mux(sound.encode(piece))
        out.mux(sound.encode(None))


def _from(opened: Source, stream: AudioStream, begin: Fraction) -> Heard:
    """What is heard from a little before `begin`, by the file's own times."""
    with contextlib.suppress(av.FFmpegError):
        opened.container.seek(int((begin - EARLY_S) / (stream.time_base or Fraction(1, stream.rate))), stream=stream)
    for packet in opened.container.demux(stream):
        yield from _decoded(packet)


def _counted_on(opened: Source, stream: AudioStream, moves: Sequence[Fraction]) -> Heard:
    """What is heard from the beginning; where its times go back they are moved as far as those of some part's pictures.

    Sound and pictures of one part begin and end at times of their own: moved each by itself, they would drift apart
    with every joint. The part is the one that brings the sound nearest to where it left off.
    """
    shift, heard, left_off = Fraction(0), Fraction(0), Fraction(0)
    for packet in opened.container.demux(stream):
        for at, frame in _decoded(packet):
            if at < heard - _BACK_S:
                shift = min((m for m in moves if m >= shift), key=lambda m: abs(at + m - left_off))
            heard, left_off = at, at + shift + Fraction(frame.samples, frame.sample_rate)
            yield at + shift, frame


def moves_of(source: str | Path) -> list[Fraction]:
    """How far `open_frames` moves the times of each part of a file whose times go back, in seconds; 0 for the first."""
    moves, end = [0], 0
    with Source(source) as opened:
        base, step = opened.stream.time_base or Fraction(1), step_of(opened)
        rise = Rise(base)
        for packet in demux(opened):
            if packet.pts is None:
                continue
            at = rise.place(packet.pts, start=packet.is_keyframe, end=end)
            if rise.moved != moves[-1]:
                moves.append(rise.moved)
            end = max(end, at + int(packet.duration or step))
    return [move * base for move in moves]


def _decoded(packet: Packet[AudioStream]) -> Heard:
    try:
        frames: list[AudioFrame] = packet.decode()
    except (av.FFmpegError, ValueError):
        return
    for frame in frames:
        if frame.pts is not None and frame.time_base is not None:
            yield frame.pts * frame.time_base, frame
