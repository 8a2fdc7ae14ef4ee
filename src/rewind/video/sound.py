"""The sound of a stretch of video, decoded and written anew beside its pictures."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from typing import Any, cast

import av
import numpy as np
import numpy.typing as npt
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.packet import Packet
from av.stream import Discard

from rewind.video.source import Source

_EARLY_S = 2
_BACK_S = Fraction(1, 10)
_SLACK_S = Fraction(1, 20)
"""A piece that begins so near to the last one's end is put next to it: containers round the times of sound."""
_RATE, _RATES = 48000, (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)

Heard = Iterator[tuple[Fraction, AudioFrame]]
"""Pieces of sound, each with the second at which it begins."""


def sound_of(opened: Source, out: OutputContainer) -> AudioStream | None:
    """An output stream for the first sound stream that can be decoded; None where there is none."""
    stream = _first(opened)
    if stream is None:
        return None
    rate = stream.codec_context.sample_rate
    return out.add_stream("aac", rate=rate if rate in _RATES else _RATE, layout="stereo")


def add_sound(
    opened: Source, put: Callable[[Sequence[Packet[Any]]], None], sound: AudioStream, begin: Fraction, end: Fraction, *,
    moves: Sequence[Fraction] = (),
) -> None:  # fmt: skip
    """Writes what is heard in [begin, end) into `sound`, a stream of `sound_of`, to the sample, and silence in between.

    Args:
        opened: a source of which nothing has been read yet.
        put: takes packets into the output that `sound` is a stream of.
        moves: of `moves_of`, for a file whose times go back on the way; none for any other.
    """
    stream = _first(opened)
    if stream is None:
        return
    stream.discard = Discard.default  # a source reads its pictures alone
    rate = sound.codec_context.sample_rate
    stop, slack = round((end - begin) * rate), round(_SLACK_S * rate)
    written = 0

    def write(samples: npt.NDArray[np.float32]) -> None:
        nonlocal written
        piece = AudioFrame.from_ndarray(np.ascontiguousarray(samples), format="fltp", layout="stereo")
        piece.sample_rate, piece.pts, piece.time_base = rate, written, Fraction(1, rate)
        written += piece.samples
        put(sound.encode(piece))

    due: int | None = None
    for at, samples in _resampled(_counted_on(opened, stream, moves) if moves else _from(opened, stream, begin), rate):
        place = round((at - begin) * rate)
        if place >= stop:
            break
        if due is not None and abs(place - due) <= slack:
            place = due
        due = place + samples.shape[1]
        kept = samples[:, max(0, written - place) : max(0, stop - place)]
        while kept.size and written < place:
            write(np.zeros((2, min(rate, place - written)), np.float32))
        if kept.size:
            write(kept)
    put(sound.encode(None))


def _first(opened: Source) -> AudioStream | None:
    streams = opened.container.streams.audio
    return next((s for s in streams if s.codec_context is not None and s.codec_context.sample_rate), None)


def _resampled(heard: Heard, rate: int) -> Iterator[tuple[Fraction, npt.NDArray[np.float32]]]:
    """Pieces (2, N) at `rate`, each with the second at which it begins. Broadcasts change their sound on the way."""
    form, resampler = None, av.AudioResampler()
    for at, frame in heard:
        if (now := (frame.format.name, frame.layout.name, frame.sample_rate)) != form:
            form, resampler = now, av.AudioResampler(format="fltp", layout="stereo", rate=rate)
        frame.pts, frame.time_base = round(at * frame.sample_rate), Fraction(1, frame.sample_rate)
        for piece in resampler.resample(frame):
            if piece.pts is not None and piece.time_base is not None:
                yield piece.pts * piece.time_base, cast("npt.NDArray[np.float32]", piece.to_ndarray())


def _from(opened: Source, stream: AudioStream, begin: Fraction) -> Heard:
    """What is heard from a little before `begin`, by the file's own times."""
    with contextlib.suppress(av.FFmpegError):
        opened.container.seek(int((begin - _EARLY_S) / (stream.time_base or Fraction(1, stream.rate))), stream=stream)
    for packet in opened.container.demux(stream):
        yield from _decoded(packet)


def _counted_on(opened: Source, stream: AudioStream, moves: Sequence[Fraction]) -> Heard:
    """What is heard from the beginning; where its times go back they are moved as far as those of some part's pictures.

    Sound and pictures of one part begin and end at times of their own: moved each by itself, they would drift apart
    with every joint. The part is the one that brings the sound nearest to where it left off.
    """
    shift, heard, left_off = Fraction(0), Fraction(0), Fraction(0)
    moves = [shift, *moves]
    for packet in opened.container.demux(stream):
        for at, frame in _decoded(packet):
            if at < heard - _BACK_S:
                shift = min((m for m in moves if m >= shift), key=lambda m: abs(at + m - left_off))
            heard, left_off = at, at + shift + Fraction(frame.samples, frame.sample_rate)
            yield at + shift, frame


def _decoded(packet: Packet[AudioStream]) -> Heard:
    try:
        frames: list[AudioFrame] = packet.decode()
    except (av.FFmpegError, ValueError):
        return
    for frame in frames:
        if frame.pts is not None and frame.time_base is not None:
            yield frame.pts * frame.time_base, frame
