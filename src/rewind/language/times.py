"""Times in text: what models write about moments, read into seconds (`rewind.clock` writes them).

Read are clock times (`02:10`, `00:02:10`, `1:04:12.5`), seconds with or without a unit (`130.0 - 150.0`, `75 s`,
`12 to 40 seconds`), spelled times (`1m20s`, `2 minutes 5 seconds`, `1.5 min`), and shares of the video (`12% to 30%`),
which need its duration. A clock time of two fields is minutes and seconds: `02:10 - 02:30` is 130 to 150 s.
What lasts has an end: `at 12 s for 5 s` is 12 to 17 s.

A bare number is a time only in a pair or where a word says so: "2 dogs at 5 s" has one time. Text that gives no time
gives None, which is no answer; nothing is guessed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Span = tuple[float, float]
Bare = Literal["seconds", "percent"]

_NUMBER = r"\d+(?:\.\d+)?"
_AND = r"\s*(?:,\s*|and\s+)?"
_UNITS = ("hours?|hrs?|h", "minutes?|mins?|m", "seconds?|secs?|s")
_UNIT = rf"(?:{'|'.join(_UNITS)})\b"
_JOINT = r"(?:-|–|—|to|until|till|and|through)"
# Signs and habits that are brought to one form before anything is read, in this order.
_REWRITES = tuple(
    (re.compile(pattern, re.IGNORECASE), plain)
    for pattern, plain in (
        (r"[\"'`*_]", " "),
        (r"[\u2010-\u2012]", "-"),
        # 1,200 seconds; 1,200 to 1,300 s. In brackets a comma parts two numbers.
        (rf"(?<![\d,.:\[(])(\d{{1,3}}),(\d{{3}})(?=\s*(?:{_UNIT}|{_JOINT}\s))", r"\1\2"),
        # 12,5 s; 12,5 - 40,5 s
        (rf"(?<![\d,.:\[(])(\d+),(\d{{1,2}})(?=\s*(?:{_UNIT}|{_JOINT}\s*\d+,\d{{1,2}}\s*{_UNIT}))", r"\1.\2"),
        (r"(?<=[\ds])\.\.+(?=\d)", "-"),
        # A frame's number is no time: how many there are a second is not said.
        (
            r"(?<!time\s)\b(frames?)\s*(?:number|no\.|#|:|=)?\s*\d+(?![\d.:%]|\s*%)"
            rf"(?:\s*{_JOINT}\s*\d+(?![\d.:%]|\s*%))?",
            r"\1",
        ),
        (r"(?<!\d[\s-])(?<!\d)\bminutes?\s+(\d+(?:\.\d+)?)(?![\d.:%])", r"\1 min"),
        (rf"(\d+)(?:st|nd|rd|th)(?=\s*{_UNIT}|\s*{_JOINT}\s*(?:the\s+)?\d+(?:st|nd|rd|th)\s*{_UNIT})", r"\1"),
        (rf"(\d\s*m(?:in(?:ute)?s?)?)\s+(\d{{1,2}})(?=\s*(?:$|[.,;)\]\n-]|{_JOINT}\b))", r"\1 \2 s"),
    )
)
_HOURS, _MINUTES, _SECONDS = (rf"{_NUMBER}\s*-?(?:{unit})(?![A-Za-z])" for unit in _UNITS)
_TIME = re.compile(
    rf"""(?<![\w.:])(?:
        (?P<clock>\d+:\d{{1,2}}(?::\d{{1,2}})?(?:\.\d+|,\d{{3}}(?![\d:]))?)(?![\d:])
      | (?P<percent>{_NUMBER})\s*(?:%|percent\b|per\ cent\b)
      | (?P<spelled>{_HOURS}(?:{_AND}{_MINUTES})?(?:{_AND}{_SECONDS})?|{_MINUTES}(?:{_AND}{_SECONDS})?|{_SECONDS})
      | (?P<bare>{_NUMBER})(?![\w:]|\.\d)
    )""",
    re.VERBOSE | re.IGNORECASE,
)
_PART = re.compile(rf"({_NUMBER})\s*-?([hms])", re.IGNORECASE)
_IN_SECONDS = {"h": 3600.0, "m": 60.0, "s": 1.0}
_LEAD = r"^\.?[\s\])}>,]*(?:(?:seconds?|secs?|s|minutes?|mins?|marks?|points?)\b\.?)?(?:\s*(?:mark|point)\b)?"
_LEAD += r"(?:\s*(?:into|in|of)\s+the\s+(?:video|clip)\b)?[\s\])}>,]*"
_NEAR = "at|about|around|approximately|roughly|the|second|frame|time|timestamp|mark|t"
_TAIL = rf"[\s:=\[({{<~]*(?:(?:{_NEAR})\b[\s:=\[({{<~]*)*$"
_THEN = r"[\s;|•.-]*(?:(?:and|then|it)\s+)*"
_ON = r"(?:(?:lasts?|lasting|continues?|continuing|goes|going|runs?|running)(?:\s+on)?\s+)?"
# Words and signs that make two times one stretch.
_TO = re.compile(
    _LEAD
    + r"(?:-{1,2}>?|=>|[–—−→~…]|\.\.+"
    + rf"|{_THEN}{_ON}(?:to|till|until|through|up\s+to)\b"
    + rf"|{_THEN}(?:ends?|ending|ended|stops?|stopping|finish|finishes|finishing|conclud(?:e|es|ing))\b)"
    + _TAIL,
    re.IGNORECASE,
)
# Words behind which the second time is how long it lasts.
_LASTING = r"for|lasts?|lasting|continues?|continuing|goes\s+on|duration"
_LASTS = re.compile(rf"{_LEAD}{_THEN}(?:(?:{_LASTING})\b[\s:]*)+{_TAIL}", re.IGNORECASE)
# Signs that join two times only after a word that opens a stretch: "between 3 and 5", "[3, 5]".
_COMMA = re.compile(_LEAD.replace(",", "", 2) + r"(?:,|;|and\b)" + _TAIL, re.IGNORECASE)
_OPEN = re.compile(r"(?:\b(?:between|from|start\w*|begin\w*)\b[^\d.;]*|[\[(<{:]\s*|^\s*)$", re.IGNORECASE)
_AT = re.compile(r"\b(?:at|around|second|timestamp|t)\s*(?:the\s+)?(?:second\s+)?[:=]?\s*$", re.IGNORECASE)
# What may follow a pair of bare numbers; "3 to 5 dogs" is a count.
_AFTER = re.compile(
    r"^\s*(?:$|[^\sA-Za-z]|(?:in|of|during|when|where|while|and|as|on|because|for|is|the)\b)", re.IGNORECASE
)


@dataclass(frozen=True)
class _Time:
    kind: str
    value: float
    unit: float  # seconds in the last unit that was written; 0 for none
    start: int
    end: int


def parse_moments(text: str, *, duration_s: float | None = None, bare: Bare = "seconds") -> tuple[Span, ...] | None:
    """Every moment that `text` tells, in its order, as (start, end) in seconds; an instant has its end at its start.

    Args:
        duration_s: of the video; without it percentages say nothing.
        bare: what numbers without a unit are. "percent" is for models that write 0–100 for the whole video.

    Returns: None where nothing can be read, a pair that runs backwards included.
    """
    for pattern, plain in _REWRITES:
        text = pattern.sub(plain, text)
    times = [t for t in _times(text) if t is not None]
    found: list[Span] = []
    i = 0
    while i < len(times):
        first, second = times[i], times[i + 1] if i + 1 < len(times) else None
        if second is not None and second.kind == "spelled" and _LASTS.match(text[first.end : second.start]):
            start = _seconds(first, first, duration_s, bare)
            if start is not None:
                found.append((start, start + second.value))
            i += 2
            continue
        if second is not None and _joined(text, first, second):
            start, end = _seconds(first, second, duration_s, bare), _seconds(second, first, duration_s, bare)
            if start is not None and end is not None and end >= start:
                found.append((start, end))
            i += 2
            continue
        if first.kind != "bare" or _AT.search(text[: first.start]):
            at = _seconds(first, first, duration_s, bare)
            if at is not None:
                found.append((at, at))
        i += 1
    return tuple(found) or None


def parse_span(text: str, *, duration_s: float | None = None, bare: Bare = "seconds") -> Span | None:
    """The first stretch that `text` tells, in seconds; its first instant where it tells none; None for neither."""
    moments = parse_moments(text, duration_s=duration_s, bare=bare)
    if moments is None:
        return None
    return next((m for m in moments if m[1] > m[0]), moments[0])


def _times(text: str) -> list[_Time | None]:
    return [_read(match) for match in _TIME.finditer(text)]


def _read(match: re.Match[str]) -> _Time | None:
    kind = match.lastgroup or ""
    written = match[kind]
    if kind == "clock":
        fields = written.replace(",", ".").split(":")
        if any(float(f) >= 60 for f in fields[1:]):
            return None
        value = 0.0
        for f in fields:
            value = value * 60 + float(f)
        return _Time(kind, value, 0.0, *match.span())
    if kind == "spelled":
        parts = [(float(n), _IN_SECONDS[u.lower()]) for n, u in _PART.findall(written)]
        return _Time(kind, sum(n * u for n, u in parts), parts[-1][1], *match.span())
    return _Time(kind, float(written), 0.0, *match.span())


def _joined(text: str, first: _Time, second: _Time) -> bool:
    between = text[first.end : second.start]
    opened = bool(_OPEN.search(text[: first.start]))
    if not (_TO.match(between) or (opened and _COMMA.match(between))):
        return False
    return not (first.kind == second.kind == "bare") or bool(_AFTER.match(text[second.end :]))


def _seconds(time: _Time, other: _Time, duration_s: float | None, bare: Bare) -> float | None:
    """Seconds of one time; a bare number takes the unit of the one it is paired with ("1 to 2 minutes")."""
    if time.kind == "bare" and other.kind == "spelled":
        return time.value * other.unit
    if time.kind == "percent" or (time.kind == "bare" and (other.kind == "percent" or bare == "percent")):
        return None if duration_s is None else time.value / 100 * duration_s
    return time.value
