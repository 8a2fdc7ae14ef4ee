"""Times in text: what models write about moments, read into seconds (`rewind.clock` writes them).

Read are clock times (`02:10`, `00:02:10`, `1:04:12.5`), seconds with or without a unit (`130.0 - 150.0`, `75 s`,
`12 to 40 seconds`), spelled times (`1m20s`, `2 minutes 5 seconds`, `1.5 min`), and shares of the video (`12% to 30%`),
which need its duration. A clock time of two fields is minutes and seconds: `02:10 - 02:30` is 130 to 150 s.
What lasts has an end: `at 12 s for 5 s` is 12 to 17 s; `the first 12 seconds` begin at 0.

A bare number is a time only in a pair or where a word says so: "2 dogs at 5 s" has one time. It never pairs with a
clock time: "Scene 2 - 0:12 to 0:40" is 12 to 40 s. Text that gives no time gives None, which is no answer; nothing is
guessed. Only the first `READ` characters are read: an answer says its time early, and no text may take long.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Span = tuple[float, float]
Bare = Literal["seconds", "percent"]

READ = 1000
# Bounded, so that a long row of digits costs no more than its length; a number is whole or none.
_WHOLE = r"\d{1,9}"
_NUMBER = rf"{_WHOLE}(?:\.\d{{1,20}})?"
_AROUND = 100  # characters before a time in which a word may open a stretch
_AND = r"(?:\.(?=\s))?\s*(?:[,:]\s*|and\s+)?"
_UNITS = ("hours?|hrs?|h", "minutes?|mins?|m", "seconds?|secs?|s")
_UNIT = rf"(?:{'|'.join(_UNITS)})\b"
_JOINT = r"(?:-|–|—|to|until|till|and|through)"
_EDGES = r"(?:\s+of\s+(?:the\s+)?(?:video|clip|film|movie|footage))?"
_ON = r"(?:(?:lasts?|lasting|continues?|continuing|goes|going|runs?|running)(?:\s+on)?\s+)?"
_PRIMES = r"(\d{1,3})['′’](\d{1,2}(?:\.\d{1,3})?)(?:[\"″”]|''|’’|(?!\d|\.\d))"
# Signs and habits that are brought to one form before anything is read, in this order.
_REWRITES = tuple(
    (re.compile(pattern, re.IGNORECASE), plain)
    for pattern, plain in (
        # 1'12" to 1'40"; one alone may be a height in feet.
        (rf"\b{_PRIMES}(\s*(?:-|–|—|to|until|till|through)\s*){_PRIMES}", r"\1:\2\3\4:\5"),
        (r"[\"'`*_]", " "),
        (r"&", " and "),
        (r"(?<![\w.])\.(?=\d)", "0."),  # .5 - 1.5
        (rf"\bthe\s+(?:very\s+)?(?:start|beginning){_EDGES}(?=\s*(?:-|–|—|to|until|till|through)\s)", "0 s"),
        (r"\((?:start|begin|beginning|end|finish|stop)(?: time)?\)", " "),
        # Minus one is a usual way to say "none"; it is not the second 1.
        (r"(^|[(\[{,:=]|\b(?:from|to|at|and|between))\s{0,3}-1(?:\.0{1,9})?(?![\d.:])", r"\1 none "),
        (r"[\u2010-\u2012]", "-"),
        # 1,200 seconds; 1,200 to 1,300 s. In brackets a comma parts two numbers.
        (rf"(?<![\d,.:\[(])(\d{{1,3}}),(\d{{3}})(?=\s*(?:{_UNIT}|{_JOINT}\s))", r"\1\2"),
        # 12,5 s; 12,5 - 40,5 s
        (rf"(?<![\d,.:\[(])({_WHOLE}),(\d{{1,2}})(?=\s*(?:{_UNIT}|{_JOINT}\s*{_WHOLE},\d{{1,2}}\s*{_UNIT}))", r"\1.\2"),
        (r"(?<=[\ds])\.\.+(?=\d)", "-"),
        # A frame's number is no time: how many there are a second is not said.
        (
            rf"(?<!time\s)\b(frames?)\s*(?:number|no\.|#|:|=)?\s*{_WHOLE}(?![\d.:%]|\s*%)"
            rf"(?:\s*{_JOINT}\s*{_WHOLE}(?![\d.:%]|\s*%))?",
            r"\1",
        ),
        (rf"(?<!\d[\s-])(?<!\d)\bminutes?\s+({_NUMBER})(?![\d.:%])", r"\1 min"),
        (r"(?<!\d[\s-])(?<!\d)\bminutes?\s+(?=\d{1,3}:\d)", ""),
        (
            rf"\b({_WHOLE})(?:st|nd|rd|th)(?=\s*{_UNIT}|\s*{_JOINT}\s*(?:the\s+)?{_WHOLE}(?:st|nd|rd|th)\s*{_UNIT})",
            r"\1",
        ),
        (rf"(\d\s*m(?:in(?:ute)?s?)?)\s+(\d{{1,2}})(?=\s*(?:$|[.,;)\]\n-]|{_JOINT}\b))", r"\1 \2 s"),
    )
)
# Only where the duration is known: "from 1:05 to the end of the video".
_TO_END = re.compile(
    rf"(\d(?:\s*(?:{_UNIT}\.?|%))?)\s*(?:and\s+)?{_ON}(?:up\s+|all\s+the\s+way\s+)?"
    r"(?:-|–|—|to|until|till|through|thru)"
    rf"\s+(?:the\s+)?(?:very\s+)?end{_EDGES}(?=\s*(?:$|[.,;)\]\n]))",
    re.IGNORECASE,
)
# Full-width signs, and the dashes that stand with them, to the common ones.
_WIDE = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x2015: 0x2014, 0x301C: 0x7E}
_HOURS, _MINUTES, _SECONDS = (rf"{_NUMBER}\s*-?(?:{unit})(?![A-Za-z])" for unit in _UNITS)
_TIME = re.compile(
    rf"""(?<![\w.])(?<!\d:)(?:
        (?P<clock>\d{{1,9}}:\d{{1,2}}(?::\d{{1,2}})?(?:\.\d{{1,20}}|,\d{{3}}(?![\d:]))?)(?!\d|:\d)
      | (?P<percent>{_NUMBER})\s*(?:%|percent\b|per\ cent\b)
      | (?P<spelled>{_HOURS}(?:{_AND}{_MINUTES})?(?:{_AND}{_SECONDS})?|{_MINUTES}(?:{_AND}{_SECONDS})?|{_SECONDS})
      | (?P<bare>{_NUMBER})(?!\w|:\d|\.\d)
    )""",
    re.VERBOSE | re.IGNORECASE,
)
_PART = re.compile(rf"({_NUMBER})\s*-?([hms])", re.IGNORECASE)
_IN_SECONDS = {"h": 3600.0, "m": 60.0, "s": 1.0}
_LEAD = r"^\.?[\s\])}>,]*(?:(?:seconds?|secs?|s|minutes?|mins?|marks?|points?)\b\.?)?(?:\s*(?:mark|point)\b)?"
_LEAD += r"(?:\s*(?:into|in|of)\s+the\s+(?:video|clip)\b)?[\s\])}>,]*"
_NEAR = "at|by|about|around|approximately|roughly|the|second|frame|time|timestamp|mark|t"
_TAIL = rf"[\s:=\[({{<~+]*(?:(?:{_NEAR})\b[\s:=\[({{<~+]*)*$"
_THEN = r"[\s;|•.-]*(?:(?:and|then|it)\s+)*"
# Words and signs that make two times one stretch.
_TO = re.compile(
    _LEAD
    + r"(?:-{1,2}>?|=>|[–—−→~…]|\.\.+"
    + rf"|{_THEN}{_ON}(?:up\s+|all\s+the\s+way\s+)?(?:to|till|until|through|thru)\b"
    + rf"|{_THEN}(?:ends?|ending|ended|stops?|stopping|finish|finishes|finishing|conclud(?:e|es|ing))\b)"
    + _TAIL,
    re.IGNORECASE,
)
# Words behind which the second time is how long it lasts.
_LASTING = r"for|lasts?|lasting|continues?|continuing|goes\s+on"
_LASTING += r"|(?:with\s+)?(?:(?:its|the|a)\s+)?(?:total\s+)?duration(?:\s+(?:is|of|was))?"
_LASTS = re.compile(rf"{_LEAD}{_THEN}\(?(?:(?:{_LASTING})\b[\s:]*)+{_TAIL}", re.IGNORECASE)
# A start and an end that are both told as such are one stretch, whatever is told between them.
_WHO = r"(?P<who>(?:[^\W\d]+\s+){0,3}?)"
_START = re.compile(rf"{_WHO}\b(?:start|begin|beg[au]n|onset)\w*[^\d;]*$", re.IGNORECASE)
_END = re.compile(
    rf"(?:\D*[.,;\n)]|\D*\b(?:and|then|but)\b|)\s*{_WHO}"
    r"(?:end(?:s|ed|ing)?|stop(?:s|ped|ping)?|finish(?:es|ed|ing)?|conclud(?:es?|ed|ing))\b[^\d.;]*$",
    re.IGNORECASE,
)
_SAME = ("", "the", "its", "it", "this", "he", "she", "they", "which", "it then", "and", "then")
# Signs that join two times only after a word that opens a stretch: "between 3 and 5", "[3, 5]".
_COMMA = re.compile(_LEAD.replace(",", "", 2) + r"(?:,|;|and\b)" + _TAIL, re.IGNORECASE)
_OPEN = re.compile(r"(?:\b(?:between|from|start\w*|begin\w*)\b[^\d.;]*|[\[(<{:]\s*|^\s*)$", re.IGNORECASE)
_AT = re.compile(r"\b(?:at|around|second|timestamp|t)\s*(?:the\s+)?(?:second\s+)?[:=]?\s*$", re.IGNORECASE)
# What may follow a pair of bare numbers: an end, a mark, a word that nothing is counted in; "3 to 5 dogs" is a count.
_FOLLOWS = (
    "in|of|during|when|where|while|and|as|on|because|for|is|the|then|this|he|she|it|they|we|you|his|her|its|their"
)
_FOLLOWS += r"|before|after|about|around|roughly|approximately|approx|an?(?!\s+(?:second|minute|hour|day|week|year))"
_AFTER = re.compile(rf"^\s*(?:$|[^\sA-Za-z]|(?:{_FOLLOWS})\b)", re.IGNORECASE)
_LABEL = re.compile(r"\b(?:scene|clip|shot|step|event|segment|part|chapter|moment|query|question)\s*#?$", re.IGNORECASE)
# The first or last seconds of the video; "the first 12-second mark" is an instant.
_EDGE = re.compile(r"\b(?:(first)|the\s+(?:last|final))\s+$", re.IGNORECASE)
_MARK = re.compile(r"^\s*(?:mark|point)\b", re.IGNORECASE)


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
    if len(text) > READ:
        text = text[:READ].rstrip("0123456789.:,")
    text = text.translate(_WIDE)
    if duration_s is not None:
        text = _TO_END.sub(rf"\1 to {duration_s:.3f} s", text)
    for pattern, plain in _REWRITES:
        text = pattern.sub(plain, text)
    times = [t for t in map(_read, _TIME.finditer(text)) if t is not None]
    found: list[Span] = []
    i = 0
    while i < len(times):
        moment, used = _moment(text, times[i : i + 3], duration_s, bare)
        if moment is not None:
            found.append(moment)
        i += used
    return tuple(found) or None


def parse_span(text: str, *, duration_s: float | None = None, bare: Bare = "seconds") -> Span | None:
    """The first stretch that `text` tells, in seconds; its first instant where it tells none; None for neither."""
    moments = parse_moments(text, duration_s=duration_s, bare=bare)
    if moments is None:
        return None
    return next((m for m in moments if m[1] > m[0]), moments[0])


def _moment(text: str, times: list[_Time], duration_s: float | None, bare: Bare) -> tuple[Span | None, int]:
    """The moment that the first of up to three times begins, and how many of them are told with it."""
    first, second = times[0], times[1] if len(times) > 1 else None
    before = text[max(0, first.start - _AROUND) : first.start]
    if second is not None and second.kind == "spelled" and _LASTS.match(text[first.end : second.start]):
        at = _seconds(first, first, duration_s, bare)
        return (None if at is None else (at, at + second.value)), 2
    if second is not None and _joined(text, first, second):
        # "Scene 2 - 12 to 40 s": the scene's number pairs with nothing.
        if first.kind == "bare" and _LABEL.search(before.rstrip()) and times[2:] and _joined(text, second, times[2]):
            return None, 1
        start, end = _seconds(first, second, duration_s, bare), _seconds(second, first, duration_s, bare)
        return (None if start is None or end is None or end < start else (start, end)), 2
    if first.kind == "bare" and not _AT.search(before):
        return None, 1
    at = _seconds(first, first, duration_s, bare)
    edge = _EDGE.search(before)
    if at is None or edge is None or first.kind == "bare" or _MARK.match(text[first.end :]):
        return (None if at is None else (at, at)), 1
    if edge[1]:
        return (0.0, at), 1
    return (None if duration_s is None or at > duration_s else (duration_s - at, duration_s)), 1


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
    if {first.kind, second.kind} == {"bare", "clock"}:
        return False
    between = text[first.end : second.start]
    before = text[max(0, first.start - _AROUND) : first.start]
    if not (_told(before, between) or _TO.match(between) or (_COMMA.match(between) and _OPEN.search(before))):
        return False
    return second.kind != "bare" or bool(_AFTER.match(text[second.end :]))


def _told(before: str, between: str) -> bool:
    """Whether a start is told before a time and, behind it, an end of the same thing."""
    start, end = _START.search(before), _END.match(between)
    if start is None or end is None:
        return False
    who = " ".join(end["who"].lower().split())
    return who in _SAME or start["who"].lower().split()[-2:] == who.split()[-2:]


def _seconds(time: _Time, other: _Time, duration_s: float | None, bare: Bare) -> float | None:
    """Seconds of one time; a bare number takes the unit of the one it is paired with ("1 to 2 minutes")."""
    if time.kind == "bare" and other.kind == "spelled":
        return time.value * other.unit
    if time.kind == "percent" or (time.kind == "bare" and (other.kind == "percent" or bare == "percent")):
        return None if duration_s is None else time.value / 100 * duration_s
    return time.value
