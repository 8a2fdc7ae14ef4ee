"""Questions that the file itself answers, with nothing watched: how long it is, how large its picture, its rate."""

from __future__ import annotations

import re
from collections.abc import Callable

from rewind.clock import format_length, format_pace
from rewind.values import VideoInfo

_VIDEO = r"(?:(?:the|this|my|your)\s+(?:whole\s+|entire\s+)?(?:video|vid|film|movie|clip|recording|footage|file)|this)"
_IT = rf"(?:{_VIDEO}|it)"
_OF = rf"(?:\s+of\s+{_IT})?"
_WHAT = r"(?:what(?:'s|\s+is|\s+are)|tell\s+me|give\s+me)\s+(?:the|its)\s+"
_ENDS = r"(?:\s+(?:in\s+total|exactly|have|has|last|run|long))?\s*[?.!]*\s*"


def _asks(*ways: str) -> re.Pattern[str]:
    return re.compile(rf"\s*(?:{'|'.join(ways)}){_ENDS}", re.IGNORECASE)


def _length(info: VideoInfo) -> str | None:
    seconds = info.duration_s
    return None if seconds is None else f"{format_length(seconds, decimals=int(seconds < 10))} long."


def _size(info: VideoInfo) -> str | None:
    if not info.codec:  # a pipe tells nothing of itself before it is read
        return None
    width, height = info.shown
    return f"{width} × {height} pixels."


def _rate(info: VideoInfo) -> str | None:
    return None if info.average_rate is None else f"{format_pace(info.average_rate)}."


def _frames(info: VideoInfo) -> str | None:
    if info.frames is not None:
        return f"{info.frames:,} frames."
    if info.duration_s is None or info.average_rate is None:
        return None
    return f"About {round(info.duration_s * info.average_rate):,} frames."


def _codec(info: VideoInfo) -> str | None:
    return f"{info.codec}, in {info.container}." if info.codec else None


_FACTS: tuple[tuple[re.Pattern[str], Callable[[VideoInfo], str | None]], ...] = (
    (
        _asks(
            rf"how\s+long(?:['’]s|\s+(?:is|does))\s+{_VIDEO}",
            rf"how\s+many\s+(?:seconds|minutes|hours)\s+(?:long\s+)?(?:is|are\s+in|does)\s+{_VIDEO}",
            r"how\s+many\s+(?:seconds|minutes|hours)(?:\s+long)?\s+is\s+it",
            rf"{_WHAT}(?:(?:total|full|video)\s+)?(?:length|duration|running\s+time|run\s*time){_OF}",
        ),
        _length,
    ),
    (
        _asks(
            rf"(?:what|which)\s+(?:resolution|picture\s+size|dimensions)\s+(?:is|are|does)\s+{_IT}",
            rf"{_WHAT}(?:video\s+)?(?:resolution|picture\s+size|frame\s+size|dimensions|aspect\s+ratio|width|height){_OF}",
            rf"how\s+(?:wide|high|tall)\s+is\s+{_VIDEO}",
        ),
        _size,
    ),
    (
        _asks(
            rf"{_WHAT}(?:frame\s*rate|fps|frames\s+per\s+second){_OF}",
            rf"(?:what|which)\s+(?:frame\s*rate|fps)\s+(?:is|does)\s+{_IT}",
            rf"how\s+many\s+(?:fps|frames\s+(?:per|a)\s+second)\s+(?:is|does|are\s+in)\s+{_IT}",
        ),
        _rate,
    ),
    (_asks(rf"how\s+many\s+frames\s+(?:are\s+(?:there|in)|does|is)(?:\s+in)?(?:\s+{_IT})?"), _frames),
    (_asks(rf"(?:what|which)\s+(?:video\s+)?codec\s+(?:is|does)\s+{_IT}", rf"{_WHAT}(?:video\s+)?codec{_OF}"), _codec),
)


def fact_asked(question: str, info: VideoInfo) -> str | None:
    """The answer to a question that asks for nothing but a fact about the file; None where it does not, or where the
    file does not tell."""
    return next((tell(info) for asks, tell in _FACTS if asks.fullmatch(question)), None)
