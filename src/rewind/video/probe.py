"""What a source is, before it is read: size on screen, times, codec, length; headers are never believed blindly."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
from av.packet import Packet
from av.sidedata.sidedata import SideData
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from PIL import ExifTags, Image

from rewind.errors import VideoError
from rewind.values import VideoInfo
from rewind.video.decode import Coded, Decoder, Timing
from rewind.video.source import ALLOWED, Source, check_size, explain, is_pipe
from rewind.video.whole import tagged_s

HEAD = 48
_PROBE_PACKETS = 3000
_LONGEST_S = 1000 * 3600.0
_FEWEST_BITS_A_SECOND = 50
_WIDEST = 8
"""Widest pixel for its height that is believed; anamorphic film has 2 at most."""
_MIRRORED = (2, 4, 5, 7)
"""Those of the eight orientations of EXIF that flip the picture."""


def probe(source: str | Path) -> VideoInfo:
    """Opens `source`, decodes its first picture and says what it is.

    A pipe (`-`, a FIFO) can be read only once, so that a probe leaves it alone: the answer is `live`, with zeros for
    what is not known; `open_frames` gives the whole of it in `FrameStream.info`.

    Raises:
        VideoError: missing, unreadable, foreign, empty, cut off, without a video stream or without a picture.
    """
    if is_pipe(source):
        return VideoInfo(
            path=str(source), container="pipe", codec="", width=0, height=0, rotation=0, time_base=Fraction(1, 1000),
            start_pts=0, duration_s=None, average_rate=None, frames=None, size_bytes=None, live=True, seekable=False,
        )  # fmt: skip
    with Source(source) as opened:
        packets: list[Packet[VideoStream]] = []
        return inspect(opened, demux(opened), packets)


def demux(opened: Source) -> Iterator[Packet[VideoStream]]:
    """The video packets of an open source, empty ones left out; after an error reading goes on where it can."""
    errors = 0
    while True:
        try:
            for packet in opened.container.demux(opened.stream):
                if packet.size:
                    errors = 0
                    yield packet
            return
        except (av.error.InvalidDataError, av.error.PatchWelcomeError, av.error.BugError):
            errors += 1
            if errors > 8:
                return


def timing_of(opened: Source, packets: list[Packet[VideoStream]]) -> Timing:
    """Where the times of pictures can come from, by the container and the first packets."""
    head = packets[:HEAD]
    kind = opened.container.format.name
    have = {p.pts for p in head if p.pts is not None}
    if kind != "avi" and head and 2 * len(have) > len(head):
        return "pts"
    return "ordered" if len({p.dts for p in head if p.dts is not None}) * 2 > len(head) else "counted"


def rate_of(stream: VideoStream) -> Fraction | None:
    """Average pictures a second, None where the header tells nothing sensible."""
    rates = [
        Fraction(rate)
        for rate in (stream.average_rate, stream.guessed_rate, stream.base_rate)
        if rate is not None and 0 < rate <= 1000
    ]
    # A picture at every tick of the clock is what a header says that knows no more than the clock.
    each_tick = bool(rates) and (rates[0] == 1000 or rates[0] * (stream.time_base or 0) >= 1)
    return (min(rates[:2]) if each_tick else rates[0]) if rates else None


def step_of(opened: Source) -> Fraction:
    """Ticks from one picture to the next at the average rate (25 a second where none is known)."""
    base = opened.stream.time_base or Fraction(1, 1000)
    return max(Fraction(1), 1 / ((rate_of(opened.stream) or Fraction(25)) * base))


def stamped(packet: Packet[VideoStream], timing: Timing) -> Coded:
    """A packet with the time that `timing` gives it."""
    if timing == "counted":
        time = None
    elif timing == "ordered":
        time = packet.dts if packet.dts is not None else packet.pts
    else:
        time = packet.pts
    return Coded(packet, time, False, -1, not packet.is_discard)


def inspect(opened: Source, packets: Iterator[Packet[VideoStream]], head: list[Packet[VideoStream]]) -> VideoInfo:
    """`VideoInfo` of an open source. What it reads from `packets` is left in `head`, for the reader to begin with."""
    stream, name = opened.stream, opened.name
    try:
        for packet in packets:
            head.append(packet)
            if len(head) >= HEAD:
                break
        timing = timing_of(opened, head)
        first = _first_picture(opened, packets, head, timing)
    except Exception as error:
        raise explain(error, name) from None
    if first is None and not head and opened.pipe is not None:
        raise VideoError(
            f"{name}: its index lies behind its pictures, where a pipe cannot go back to",
            allowed="a file, or a stream that begins with its index, such as mkv, ts or fragmented mp4",
            do="save it to a file first",
        )
    if first is None:
        raise VideoError(
            f"{name}: none of its {len(head)} video packets gives a picture (cut off or damaged)",
            allowed=ALLOWED,
            do="check the file",
        )
    pts, frame = first
    check_size(frame.width, frame.height, name)
    rotation = round(-frame.rotation / 90) * 90 % 360
    width, height = (frame.height, frame.width) if rotation % 180 else (frame.width, frame.height)
    rate = rate_of(stream)
    size = None if opened.live or "://" in name or not os.path.isfile(name) else os.path.getsize(name)
    frames = stream.frames if stream.frames and (size is None or stream.frames <= size) else None
    return VideoInfo(
        path=name if opened.pipe is None else ("-" if name == "standard input" else name),
        container=opened.container.format.name,
        codec=stream.codec_context.codec.canonical_name,
        width=width,
        height=height,
        rotation=rotation,
        time_base=stream.time_base or Fraction(1, 1000),
        start_pts=pts,
        duration_s=_duration(opened, size, pts),
        average_rate=float(rate) if rate else None,
        frames=frames,
        size_bytes=size,
        live=opened.live,
        seekable=opened.seekable,
        mirrored=_mirrored(frame, name),
        pixel_aspect=_pixel_aspect(stream, turned=bool(rotation % 180)),
    )


def _pixel_aspect(stream: VideoStream, *, turned: bool) -> Fraction:
    """As a player takes it: the container's word before the codec's; square where neither says what can be."""
    for told in (stream.sample_aspect_ratio, stream.codec_context.sample_aspect_ratio):
        if told is not None and _WIDEST >= told >= 1 / _WIDEST:
            return 1 / Fraction(told) if turned else Fraction(told)
    return Fraction(1)


def _first_picture(
    opened: Source, packets: Iterator[Packet[VideoStream]], head: list[Packet[VideoStream]], timing: Timing
) -> tuple[int, VideoFrame] | None:
    ctx = opened.stream.codec_context
    ctx.thread_type = "SLICE"
    decoder = Decoder(ctx, timing=timing, step=step_of(opened))
    at = 0
    while at < _PROBE_PACKETS:
        if at == len(head):
            packet = next(packets, None)
            if packet is None:
                break
            head.append(packet)
        good = [(p, f) for p, f in decoder.feed(stamped(head[at], timing)) if f is not None]
        if good:
            return good[0]
        at += 1
    good = [(p, f) for p, f in decoder.drain() if f is not None]
    return good[0] if good else None


def _mirrored(frame: VideoFrame, name: str) -> bool:
    """Whether the display matrix not only turns the picture but flips it too."""
    try:
        matrix = frame.side_data.get("DISPLAYMATRIX")
    except ValueError:  # PyAV gives none where one is of a kind that it does not know, such as a JPEG's EXIF
        with suppress(OSError, SyntaxError), Image.open(name) as picture:
            return picture.getexif().get(ExifTags.Base.Orientation) in _MIRRORED
        return False
    if matrix is None:
        return False
    a, b, _, c, d = struct.unpack_from("=5i", bytes(cast(SideData, matrix)))
    return bool(a * d < b * c)


def _duration(opened: Source, size: int | None, start: int) -> float | None:
    """Seconds from the first picture, at PTS `start`, by the stream's index, else its header or tag, else the
    container's; None where they cannot be true."""
    stream, base = opened.stream, opened.stream.time_base or Fraction(1, 1000)
    claims: list[float] = []
    matroska = "matroska" in opened.container.format.name
    if matroska and (tagged := tagged_s(stream)) is not None:
        claims.append(tagged)  # of the pictures alone: sound may last longer
    elif stream.duration is not None and stream.duration > 0:
        claims.append(float(stream.duration * base))
    if opened.container.duration:
        claims.append(opened.container.duration / av.time_base)
    # Matroska's lengths count from 0, but for those of a muxer that leaves its statistics beside them.
    if matroska and not any(name.startswith("_STATISTICS") for name in stream.metadata):
        begun = float(start * base)
        claims = [c - begun if c > begun else c for c in claims]
    claims = [c for c in claims if 0 < c < _LONGEST_S]
    entries = len(stream.index_entries)
    if entries > 1 and "mov" in opened.container.format.name:
        span = stream.index_entries[entries - 1].timestamp - stream.index_entries[0].timestamp
        indexed = float(span * base) * entries / (entries - 1)
        # A fragmented file has only its first fragment in the index, so that a longer header may well be right.
        if claims and stream.frames and stream.frames <= entries and claims[0] > 4 * indexed + 60:
            claims = [indexed]
    if not claims:
        return None
    if size is not None and claims[0] > 600 and size * 8 / claims[0] < _FEWEST_BITS_A_SECOND:
        return None
    return claims[0]


def known(info: VideoInfo | None) -> bool:
    """Whether `info` comes from a real look at the source (a pipe's does not)."""
    return info is not None and info.width > 0
