"""Opens what a user names: a file, a pipe, a URL, a playlist; everything that cannot be one is refused in one line."""

from __future__ import annotations

import os
import select
import stat
import sys
import time
from collections.abc import Callable
from pathlib import Path

import av
from av.container import InputContainer
from av.stream import Discard, Disposition
from av.video.stream import VideoStream

from rewind.errors import VideoError
from rewind.video.patience import TICK_S, Patience

INDEXED = ("mov", "matroska")
"""Formats with an index of their key frames by time."""
ALLOWED = "a file with a video stream, such as mp4, mov, mkv, webm, avi, ts"
MAX_PIXELS = 100_000_000
_TEXT_FORMATS = {"tty", "bin", "xbin", "adf", "idf", "rawvideo", "lavfi"}


class Stopped(Exception):
    """The caller closed the stream while a pipe was being read."""


def is_pipe(source: str | Path) -> bool:
    """Whether `source` can be read only once, from beginning to end: `-` (standard input), a FIFO, a terminal."""
    if str(source) == "-":
        return True
    try:
        mode = os.stat(source).st_mode
    except (OSError, ValueError):
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISCHR(mode) or stat.S_ISSOCK(mode)


def is_url(source: str | Path) -> bool:
    """Whether `source` names a protocol (`https://…`, `rtsp://…`) rather than a path."""
    head, sep, _ = str(source).partition("://")
    return bool(sep) and head.isalnum()


def label(source: str | Path) -> str:
    """How messages name the source."""
    return "standard input" if str(source) == "-" else str(source)


class Pipe:
    """A pipe as a file object whose reads end: at the end of data, when stopped, or after `stall_s` of silence."""

    def __init__(self, source: str | Path, *, stall_s: float, stop: Callable[[], bool]) -> None:
        self.name = label(source)
        self._stall_s, self._stop = stall_s, stop
        self._begun = False
        if sys.platform == "win32":  # select takes sockets alone there
            raise VideoError(
                f"{self.name} is a pipe, which is not read on Windows", allowed="a file", do="save it to a file first"
            )
        if str(source) == "-":
            self._fd = os.dup(sys.stdin.fileno())
        else:
            self._fd = os.open(source, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))

    def read(self, size: int = -1) -> bytes:
        """At most `size` bytes, as soon as there are some; b"" at the end."""
        patience = Patience(self._stall_s)
        while True:
            if self._stop():
                raise Stopped
            if patience.ended():
                raise TimeoutError(f"no data for {self._stall_s:g} s")
            if not select.select([self._fd], [], [], TICK_S)[0]:
                continue
            try:
                data = os.read(self._fd, size if size > 0 else 65536)
            except BlockingIOError:
                continue
            if data or self._begun or self.name == "standard input":
                self._begun = self._begun or bool(data)
                return data
            time.sleep(0.02)  # a FIFO that no writer has opened yet reads as empty

    def close(self) -> None:
        """Gives the descriptor back; a second call does nothing."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


class Source:
    """An open container with its video stream chosen and the others discarded. Use as a context manager."""

    def __init__(self, source: str | Path, *, stall_s: float = 30.0, stop: Callable[[], bool] = lambda: False) -> None:
        self.name = label(source)
        self.pipe: Pipe | None = None
        target: str | Pipe = check_source(source)
        try:
            if is_pipe(source):
                self.pipe = Pipe(source, stall_s=stall_s, stop=stop)
                target = self.pipe
            far = is_url(source) or (self.pipe is None and _is_text(source))
            # A timeout makes FFmpeg ask Python at every read: only where a read can wait.
            self.container: InputContainer = av.open(
                target, mode="r", metadata_errors="replace", timeout=stall_s if far else None
            )
        except Exception as error:
            self._close_pipe()
            raise explain(error, self.name) from None
        try:
            self.stream = self._choose()
        except BaseException:
            self.close()
            raise
        # A playlist without an end grows while it is read, wherever it lies.
        self.live = self.pipe is not None or (far and not self.container.duration)
        self.seekable = self.pipe is None and not self.live

    def _choose(self) -> VideoStream:
        kind = self.container.format.name
        if any(name in _TEXT_FORMATS for name in kind.split(",")):
            raise VideoError(f"{self.name} is not a video", allowed=ALLOWED, do="check the path")
        streams = [s for s in self.container.streams.video if not s.disposition & Disposition.attached_pic]
        if not streams:
            raise VideoError(f"{self.name} ({kind}) has no video stream", allowed=ALLOWED, do="choose another file")
        usable = [s for s in streams if s.codec_context is not None]
        if not usable:
            raise VideoError(
                f"{self.name} has a video stream in a codec that this FFmpeg cannot decode",
                allowed="H.264, H.265, VP8, VP9, AV1, MPEG-2, MPEG-4, ProRes, ...",
                do="convert it, for instance with ffmpeg -i FILE out.mp4",
            )
        # The largest one: previews and thumbnails come as small extra streams.
        stream = max(usable, key=lambda s: (s.codec_context.width or 0) * (s.codec_context.height or 0))
        check_size(stream.codec_context.width or 0, stream.codec_context.height or 0, self.name)
        for other in self.container.streams:
            if other.index != stream.index:
                other.discard = Discard.all
        stream.codec_context.options = {"max_pixels": str(MAX_PIXELS)}
        return stream

    def _close_pipe(self) -> None:
        if self.pipe is not None:
            self.pipe.close()

    def close(self) -> None:
        """Frees the container and the descriptor."""
        self.container.close()
        self._close_pipe()

    def __enter__(self) -> Source:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def check_size(width: int, height: int, name: str) -> None:
    """Refuses pictures above `MAX_PIXELS`, whatever a header claims."""
    if width * height > MAX_PIXELS:
        raise VideoError(
            f"{name} declares pictures of {width}x{height}",
            allowed=f"at most {MAX_PIXELS // 1_000_000} million pixels",
            do="scale the video down first",
        )


def explain(error: BaseException, name: str) -> VideoError:
    """The one line that a user reads for an error of FFmpeg or of the operating system."""
    if isinstance(error, VideoError):
        return error
    if isinstance(error, FileNotFoundError):
        return VideoError(f"{name} does not exist", allowed=ALLOWED, do="check the path")
    if isinstance(error, PermissionError):
        return VideoError(f"{name} may not be read", allowed="a file that you may read", do="check its permissions")
    if isinstance(error, (TimeoutError, av.error.TimeoutError, av.error.ExitError)):
        return VideoError(f"{name} stopped giving data", allowed="a source that keeps on sending", do="try again")
    if isinstance(error, (av.error.InvalidDataError, av.error.EOFError, av.error.DemuxerNotFoundError, IndexError)):
        return VideoError(
            f"{name} is not a video that can be read (foreign, cut off or damaged)",
            allowed=ALLOWED,
            do="check the file",
        )
    reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return VideoError(f"{name} cannot be read ({reason})", allowed=ALLOWED, do="check the path")


def may_pass(error: BaseException) -> bool:
    """Whether the operating system ended the reading (a drive that went away, a silent sender, no memory left), so that
    another one may get further. What lies in the content itself comes back at every reading."""
    return isinstance(error, (OSError, MemoryError, av.error.ExitError))


def check_source(source: str | Path) -> str:
    """What FFmpeg is to open. Raises: VideoError for a path at which no file with anything in it can be read."""
    name = str(source)
    if name == "-" or is_url(source):
        return name
    if not name or "\0" in name:
        raise VideoError("an empty name is not a video", allowed=ALLOWED, do="give a path")
    try:
        info = os.stat(source)
    except OSError as error:
        raise explain(error, name) from None
    if stat.S_ISDIR(info.st_mode):
        raise VideoError(f"{name} is a folder", allowed=ALLOWED, do="name a file in it")
    if stat.S_ISREG(info.st_mode):
        if info.st_size == 0:
            raise VideoError(f"{name} is empty (0 bytes)", allowed=ALLOWED, do="fetch it again")
        if not os.access(source, os.R_OK):
            raise explain(PermissionError(), name)
    return os.path.abspath(name) if ":" in name else name


def _is_text(source: str | Path) -> bool:
    """Whether a file reads like a playlist, whose parts may have to be waited for."""
    with open(source, "rb") as file:
        head = file.read(512)
    return head.lstrip().startswith((b"#EXTM3U", b"<?xml", b"<MPD", b"ffconcat"))
