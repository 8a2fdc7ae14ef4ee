"""Whether a file's pictures go on as far as its header says: a copy that was cut off opens like the whole file."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

from rewind.clock import format_time
from rewind.values import VideoInfo
from rewind.video.source import Source

_LEAST_S = 2.0
_TOLD = ("mov", "matroska", "avi", "flv", "asf")
"""Formats whose headers tell a length. For the others FFmpeg guesses one from rates or from the last packets."""
_SEGMENT = b"\x18\x53\x80\x67"
"""Identity of a Matroska file's outermost element but one, which holds everything and comes first."""


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
    return f"its pictures end at {ends}, its header says {whole}: cut off or damaged"


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
    if tag := stream.metadata.get("DURATION"):
        return _tagged_s(tag)
    alone = len(container.streams) == 1
    if container.duration and (alone or ("matroska" in kind and _is_cut(Path(info.path)))):
        return container.duration / 1_000_000
    return None


def _tagged_s(tag: str) -> float | None:
    """Seconds of a Matroska tag such as 00:01:00.040000000."""
    try:
        hours, minutes, seconds = tag.split(":")
        return float(int(hours) * 3600 + int(minutes) * 60 + Fraction(seconds))
    except (ValueError, ZeroDivisionError):
        return None


def _is_cut(path: Path) -> bool:
    """Whether a Matroska file is shorter than its segment says; False where it says nothing."""
    try:
        with path.open("rb") as file:
            head = file.read(4096)
    except OSError:
        return False
    at = head.find(_SEGMENT) + len(_SEGMENT)
    if at < len(_SEGMENT) or at >= len(head) or not head[at]:
        return False
    width = 9 - head[at].bit_length()
    size = int.from_bytes(head[at : at + width], "big") & ((1 << 7 * width) - 1)
    unknown = size == (1 << 7 * width) - 1
    return not unknown and at + width + size > path.stat().st_size
