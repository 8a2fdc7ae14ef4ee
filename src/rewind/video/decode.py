"""One decoder: coded packets in, timed pictures out, broken ones as holes; and the picture as upright RGB pixels."""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, NamedTuple, cast

import av
import numpy as np
import numpy.typing as npt
from av.codec.context import CodecContext
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.reformatter import Interpolation, VideoReformatter
from av.video.stream import VideoStream

from rewind.sampling import Reading
from rewind.values import VideoInfo
from rewind.video.active import active_area
from rewind.video.source import MAX_PIXELS

Pixels = npt.NDArray[np.uint8]

Timing = Literal["pts", "ordered", "counted"]
"""Where times come from: the packets' PTS; the packets' times put in order (containers that store none for display,
such as AVI); or counting pictures at the average rate (raw streams, which store none at all)."""


class Coded(NamedTuple):
    """A packet with what its headers say. `pts` is its time for display, None where the file does not tell;
    `start`: a group of pictures that needs nothing before it begins here; `layer` as in `bitstream.Nature`."""

    packet: Packet[VideoStream]
    pts: int | None
    start: bool
    layer: int
    displayed: bool


class Decoded(NamedTuple):
    """A picture and its time, or (`frame` None) the time of one that could not be decoded."""

    pts: int
    frame: VideoFrame | None


@dataclass(frozen=True)
class Recipe:
    """How to make a decoder of the same stream again, for another thread."""

    codec: str
    extradata: bytes | None
    tag: str
    width: int
    height: int
    pix_fmt: str | None
    colorspace: int
    color_range: int
    reading: Reading

    @staticmethod
    def of(stream: VideoStream, reading: Reading) -> Recipe:
        """The recipe of an open stream."""
        ctx = stream.codec_context
        try:
            tag = ctx.codec_tag
        except UnicodeDecodeError:
            tag = "\0\0\0\0"
        return Recipe(
            ctx.codec.name, ctx.extradata, tag, ctx.width, ctx.height, ctx.pix_fmt, ctx.colorspace, ctx.color_range,
            reading,
        )  # fmt: skip

    def make(self, extradata: bytes | None = None) -> VideoCodecContext:
        """A decoder with one thread, not yet open."""
        ctx = cast(VideoCodecContext, CodecContext.create(self.codec, "r"))
        if extradata or self.extradata:
            ctx.extradata = extradata or self.extradata
        if self.width and self.height:
            ctx.width, ctx.height = self.width, self.height
        if self.pix_fmt:
            ctx.pix_fmt = self.pix_fmt
        # Only the container may know these; a stream that tells them itself sets them anew.
        ctx.codec_tag, ctx.colorspace, ctx.color_range = self.tag, self.colorspace, self.color_range
        ctx.thread_count = 1
        configure(ctx, self.reading)
        return ctx


def configure(ctx: VideoCodecContext, reading: Reading) -> None:
    """Sets what a way of reading leaves out inside the decoder: must come before its first packet."""
    options = {"max_pixels": str(MAX_PIXELS)}
    if reading == "fast":
        options["skip_loop_filter"] = "all"
        ctx.skip_frame = "NONREF"
    ctx.options = options


class Decoder:
    """Feeds one codec context and gives its pictures their times. Errors become holes; nothing is raised.

    Args:
        every: each packet gives a picture, so that one that never comes out is a hole even where no error was told.
    """

    def __init__(
        self, ctx: VideoCodecContext, *, timing: Timing = "pts", start: int = 0, step: Fraction = Fraction(1),
        every: bool = False,
    ) -> None:  # fmt: skip
        self.ctx, self.timing, self.step, self.every = ctx, timing, step, every
        self.errors = 0
        self._start = start
        self._count = 0
        self._owed = 0  # errors whose packet is not known yet: frame threads report them late
        self._waiting: list[int] = []

    def feed(self, coded: Coded) -> list[Decoded]:
        """Decodes one packet: the pictures that are ready, in order of presentation, and the holes."""
        if coded.pts is not None and coded.displayed:
            insort(self._waiting, coded.pts)
        try:
            frames = self.ctx.decode(coded.packet)
        except (av.FFmpegError, ValueError, MemoryError):
            return self._error()
        return [entry for frame in frames for entry in self._stamp(frame)]

    def drain(self) -> list[Decoded]:
        """The pictures still held back for reordering; afterwards the decoder can start anew at a clean packet."""
        out: list[Decoded] = []
        for _ in range(64):
            try:
                out += [entry for frame in self.ctx.decode(None) for entry in self._stamp(frame)]
                break
            except av.error.EOFError:
                break
            except (av.FFmpegError, ValueError, MemoryError):
                out += self._error()
        if self._owed or self.every:
            out += [Decoded(pts, None) for pts in self._waiting[0 if self.every else -self._owed :]]
        self.ctx.flush_buffers()
        self._waiting.clear()
        self._owed = 0
        return out

    def _error(self) -> list[Decoded]:
        self.errors += 1
        if self.timing == "ordered" and self._waiting:
            self._waiting.pop()
        elif self.timing == "counted":
            self._count += 1
        else:
            self._owed += 1
        return []

    def _stamp(self, frame: VideoFrame) -> Iterator[Decoded]:
        pts = frame.pts
        if self.timing == "counted":
            pts = self._start + int(self._count * self.step)
            self._count += 1
        elif self.timing == "ordered":
            pts = self._waiting.pop(0) if self._waiting else pts
        if pts is None:
            pts = frame.dts
        if pts is None:
            self.errors += 1
            return
        if self.timing == "pts":
            while self._waiting and self._waiting[0] < pts:
                missing = self._waiting.pop(0)
                if self._owed or self.every:
                    self._owed = max(0, self._owed - 1)
                    yield Decoded(missing, None)
            if self._waiting and self._waiting[0] == pts:
                self._waiting.pop(0)
        if frame.is_corrupt or frame.width * frame.height > MAX_PIXELS:
            self.errors += 1
            yield Decoded(pts, None)
        else:
            yield Decoded(pts, frame)


def choose(
    coded: Sequence[Coded], wanted: set[int], *, exact: bool, last: bool, droppable: bool, tail: bool
) -> list[Coded]:
    """Those packets of a stretch that have to be decoded so that the pictures `wanted` come out unchanged.

    In each group of pictures that is all up to the last wanted one, in coding order, without the pictures that
    nothing refers to (`droppable`) and no sample shows, or, if not `exact`, without any of those. `last`: the stretch
    ends with its group; otherwise the group goes on in the next stretch, and all its references are kept, as they are
    without `tail`.
    """
    top = max((c.layer for c in coded), default=0)

    def kept(c: Coded) -> bool:
        if not droppable or c.layer < 0 or c.layer < top:
            return True
        return exact and c.pts in wanted and c.displayed

    out: list[Coded] = []
    group: list[Coded] = []
    for c in [*coded, None]:
        if c is None or c.start:
            cut = tail and (c is not None or last)
            stop = len(group)
            while cut and stop and not (group[stop - 1].pts in wanted and group[stop - 1].displayed):
                stop -= 1
            out += [g for g in group[:stop] if kept(g)]
            group = []
        if c is not None:
            group.append(c)
    return out


class Painter:
    """Turns decoded pictures into upright RGB arrays of one size. One for each thread: it reuses its scalers."""

    def __init__(self, size: tuple[int, int] | None, info: VideoInfo) -> None:
        self._size, self._turns, self._mirrored = size, -(info.rotation // 90) % 4, info.mirrored
        self._scaler, self._large, self._part = VideoReformatter(), VideoReformatter(), VideoReformatter()

    def paint(self, frame: VideoFrame) -> Pixels:
        """Pixels (H, W, 3) uint8 RGB, contiguous, upright, resized with swscale's bilinear filter."""
        return self._upright(self._scaler, frame, self._size or (0, 0))

    def active(self, frame: VideoFrame, painted: Pixels) -> Pixels | None:
        """The picture without black bars, as large as `painted`, the whole of it; None where it has none."""
        if active_area(painted) is None:
            return None
        # Cut out of a picture four times as large, or of the file's own size: with all the detail that can be shown.
        height, width = painted.shape[:2]
        own = (frame.width, frame.height) if self._turns % 2 else (frame.height, frame.width)
        large = self._upright(self._large, frame, (min(own[0], 4 * height), min(own[1], 4 * width)))
        area = active_area(large)
        if area is None:
            return None
        cut = np.ascontiguousarray(large[area.top : area.bottom, area.left : area.right])
        return _resize(self._part, VideoFrame.from_ndarray(cut, format="rgb24"), (height, width))

    def _upright(self, scaler: VideoReformatter, frame: VideoFrame, size: tuple[int, int]) -> Pixels:
        """`size`: (height, width) upright, 0 for the frame's own."""
        pixels = _resize(scaler, frame, size[::-1] if self._turns % 2 else size)
        return np.ascontiguousarray(np.rot90(pixels[::-1] if self._mirrored else pixels, self._turns))


def _resize(scaler: VideoReformatter, frame: VideoFrame, size: tuple[int, int]) -> Pixels:
    picture = scaler.reformat(
        frame, width=size[1] or None, height=size[0] or None, format="rgb24", interpolation=Interpolation.BILINEAR,
        threads=1,
    )  # fmt: skip
    return cast("Pixels", picture.to_ndarray())
