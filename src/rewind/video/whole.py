"""Whether a file's pictures go on as far as its header says: a copy that was cut off opens like the whole file."""

from __future__ import annotations

import struct
from fractions import Fraction
from pathlib import Path

from av.video.stream import VideoStream

from rewind.clock import format_time
from rewind.values import VideoInfo
from rewind.video.source import Source

CUT_OFF = "cut off or damaged"
"""How the sentence of a file that ends early ends."""
_LEAST_S = 2.0
_TOLD = ("mov", "matroska", "avi", "flv", "asf")
"""Formats whose headers tell a length. For the others FFmpeg guesses one from rates or from the last packets."""
_SEGMENT = b"\x18\x53\x80\x67"
"""Identity of a Matroska file's outermost element but one, which holds everything and comes first."""
_FILE_SIZE = b"\x00\x08filesize\x00"
"""Of FLV's script data: the name, by its length, and the mark of a number, of 8 bytes."""
_FILE_PROPERTIES = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")
"""Identity of the ASF object with the file's size (at 40), how long it plays (at 64, 100 ns) and waits (at 80, ms)."""
_HEAD = 65536
_NOT_FINITE = 0x7F


def ends_early(opened: Source, info: VideoInfo, end: int) -> str | None:
    """The sentence that says so where the pictures read to the file's end stop at PTS `end`, over two seconds before
    the video's length by the header; None where they do not, or the header tells nothing of the video alone.

    Raises: OSError where the file's end cannot be read any more, so that nothing can be said of it.
    """
    if opened.live or end <= info.start_pts:
        return None
    told = _told_s(opened, info)
    # Some headers count from 0, some from the first picture.
    reached = float(max(end, end - info.start_pts) * info.time_base)
    if told is None or told - reached <= _LEAST_S:
        return None
    path = Path(info.path)
    if path.is_file():
        with path.open("rb") as file:
            file.seek(-1, 2)
            file.read(1)
    ends, whole = (format_time(seconds, hours=True) for seconds in (reached, told))
    return f"its pictures end at {ends}, its header says {whole}: {CUT_OFF}"


def _told_s(opened: Source, info: VideoInfo) -> float | None:
    """Seconds of video by the header. Sound or subtitles may last longer than the pictures, and with them the whole."""
    kind, stream, container = opened.container.format.name, opened.stream, opened.container
    if not any(name in kind for name in _TOLD):
        return None
    entries = stream.index_entries
    if "mov" in kind and len(entries) > 1 and 0 < stream.frames <= len(entries):
        first, last = entries[0].timestamp, entries[len(entries) - 1].timestamp
        return float((last + (last - first) / (len(entries) - 1)) * info.time_base)
    own = stream.duration
    if own is not None and ("mov" in kind or "avi" in kind):
        return float(own * info.time_base)
    if (tagged := tagged_s(stream)) is not None:
        return tagged
    head, size = _head(Path(info.path))
    cut = (_told_bytes(head) or 0) > size
    if cut and (at := head.find(_FILE_PROPERTIES)) >= 0:
        # FFmpeg takes a share of it off where the file is short.
        played, _, waits_ms = struct.unpack_from("<3Q", head, at + 64)
        return played / 10_000_000 - waits_ms / 1000  # type: ignore[no-any-return]
    if container.duration and (cut or len(container.streams) == 1):
        return container.duration / 1_000_000
    return None


def tagged_s(stream: VideoStream) -> float | None:
    """Seconds of pictures by a Matroska tag such as 00:01:00.040000000; None where there is none that can be read."""
    try:
        hours, minutes, seconds = stream.metadata["DURATION"].split(":")
        return float(int(hours) * 3600 + int(minutes) * 60 + Fraction(seconds))
    except (KeyError, ValueError, ZeroDivisionError):
        return None


def _head(path: Path) -> tuple[bytes, int]:
    """A file's first bytes and its size; nothing of what is no file."""
    try:
        with path.open("rb") as file:
            return file.read(_HEAD), path.stat().st_size
    except OSError:
        return b"", 0


def _told_bytes(head: bytes) -> int | None:
    """The size of a whole Matroska, FLV or ASF file by its first bytes; None where they do not tell."""
    if (at := head.find(_FILE_PROPERTIES)) >= 0:
        return int.from_bytes(head[at + 40 : at + 48], "little") or None if len(head) >= at + 88 else None
    if (at := head.find(_FILE_SIZE)) >= 0:
        told = head[at + len(_FILE_SIZE) :][:8]
        return int(struct.unpack(">d", told)[0]) or None if len(told) == 8 and told[0] < _NOT_FINITE else None
    at = head.find(_SEGMENT) + len(_SEGMENT)
    if at < len(_SEGMENT) or at >= len(head) or not head[at]:
        return None
    width = 9 - head[at].bit_length()
    size = int.from_bytes(head[at : at + width], "big") & ((1 << 7 * width) - 1)
    return None if size == (1 << 7 * width) - 1 else at + width + size
