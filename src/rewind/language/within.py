"""Which part of a video a question names: *What happens at 2:30?*, *… between 1:00 and 2:00?*, *… in the last minute?*

A time is a clock time or a number with a unit, as `rewind.language.times` reads them. A part is taken out of the
question's words, so that these are looked for there and the time is not. An instant stands for the seconds around it,
the start and the end of a video for its first and last ones, *halfway* for those around its middle. A question that
names several parts compares them, and is asked of all of the video.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from rewind.clock import format_time
from rewind.language.times import Span, parse_moments

AROUND_S = 5.0
"""Seconds before and after an instant that are looked at."""
EDGE_S = 10.0
"""Seconds that *the start* and *the end* of a video stand for."""
LOOKED_AT_S = 5.0
"""Seconds that are looked at for a part at least: what a second or two show is told by the frames around them too."""

# A number of m alone may be metres: the last 100 m.
_UNIT = r"(?:hours?|hrs?|h|minutes?|mins?|seconds?|secs?|s)(?![a-z])"
_SHORT = r"(?:\d{1,3}\s?h\s?\d{1,2}\s?m(?:\s?\d{1,2}\s?s)?|\d{1,3}\s?m\s?\d{1,2}\s?s)(?![a-z])"
_NUMBER = r"\d{1,6}(?:\.\d{1,3})?"
_CLOCK = r"\d{1,3}:\d\d(?::\d\d)?(?:\.\d{1,3})?(?![\d:])"
_TIME = rf"(?:{_CLOCK}|{_SHORT}|{_NUMBER}\s*{_UNIT}(?:\s*(?:and\s+)?{_NUMBER}\s*{_UNIT}){{0,2}})"
_VIDEO = r"(?:the|this)\s+(?:video|film|movie|clip|footage|recording)"
_OF = rf"(?:\s+(?:of|in|into)\s+{_VIDEO})?"
_THROUGH = rf"(?:\s+{_VIDEO}|(?=[\s?.!]*$|,))"
_COUNTS = "one|two|three|four|five|ten|twenty|thirty|sixty"
_HALVES = {"half a minute": "30 s", "half minute": "30 s", "half an hour": "30 min", "half hour": "30 min"}
_HALF = r"half\s+(?:an?\s+)?(?:minute|hour)\b"
_NUMBERS = dict(zip(_COUNTS.split("|"), (1, 2, 3, 4, 5, 10, 20, 30, 60), strict=True))
_PHRASE = re.compile(
    rf"""(?<![\w:.])(?:
        (?:(?:from|between)\s+)?(?P<first>{_TIME})\s*(?:-|–|—|\bto\b|\bun?till?\b|\band\b)\s*(?P<last>{_TIME}){_OF}
      | (?:from|between)\s+(?P<few>{_NUMBER})\s*(?:-|–|—|\bto\b|\band\b)\s*(?P<many>{_NUMBER})\s*(?P<each>{_UNIT}){_OF}
      | (?:from|between|in)\s+(?:the\s+)?(?P<named>minute|second)s?\s+(?P<from>{_NUMBER})\s*(?:-|–|—|\bto\b|\band\b)\s*
        (?:(?P=named)\s+)?(?P<to>{_NUMBER}){_OF}
      | (?:(?:with)?in|during|for|over|of)\s+the\s+(?P<edge>first|last|final)\s+
        (?P<length>(?:{_NUMBER}|(?:{_COUNTS})\b)?\s*{_UNIT}|{_HALF}|half){_OF}
      | the\s+(?P<bare_edge>first|last|final)\s+(?P<bare_length>(?:{_NUMBER}|(?:{_COUNTS})\b)\s*{_UNIT}|{_HALF}){_OF}
      | (?P<ago>{_TIME})\s+(?:ago|before\s+the\s+end){_OF}
      | (?:in|during)\s+the\s+second\s+(?P<second>half){_OF}
      | (?:at|around)\s+(?:(?:about|around|roughly|exactly)\s+)?(?:the\s+)?
        (?:(?P<at>{_TIME})(?:[\s-]+(?:mark|point))?|(?P<unit>minute|second)\s+(?P<count>{_NUMBER})){_OF}
      | (?P<into>{_TIME})\s+(?:into\s+{_VIDEO}|in(?=[\s?.!]*$|,))
      | (?:before|un?till?|up\s+to)\s+(?P<before>{_TIME}){_OF}
      | (?:after|since|from)\s+(?P<after>{_TIME})(?:\s+on(?:wards?)?\b)?{_OF}
      | (?:at|in)\s+the\s+(?:very\s+)?(?P<side>start|beginning|end)
        (?:\s+of\s+{_VIDEO}|(?=[\s?.!]*$|,))
      | (?:at|in)\s+the\s+(?P<middle>middle)\s+of\s+{_VIDEO}
      | (?P<halfway>half-?\s?way)\s+(?:through|into|in){_THROUGH}
    )(?!\w|-\w)""",
    re.VERBOSE | re.IGNORECASE,
)


# A second part, told in fewer words than the first: "at 0:48 or 0:10", "at the start and at the end".
_SIDE = r"(?:the\s+)?(?:very\s+)?(?:start|beginning|end)"
_ANOTHER = re.compile(
    rf"\b(?:and|or|but|than|as|to)\s+(?:(?:at|in|from|after|before|around)\s+)?(?:the\s+)?{_TIME}"
    rf"|\b(?:at|in)\s+{_SIDE}\s+(?:and|or|but|than|as|to)\b|\b(?:and|or|but|than|as)\s+(?:at|in)\s+{_SIDE}[\s?.!]*$",
    re.IGNORECASE,
)
# What is told like a time and cannot be one: "at 2:75", "after 5".
_NO_TIME = re.compile(
    r"\b(?:at|around|about|after|before|until|till|since)\s+(?:\d{1,3}:\d\d(?::\d\d)?|\d{1,3}(?:\.\d{1,3})?)(?=[\s?.!]*$)",
    re.IGNORECASE,
)
UNREADABLE = "a time that is named cannot be read, and all of the video was looked at; write it as 0:05 or 5 s"
BACKWARDS = "the part that is named does not end after it begins, and all of the video was looked at"
SEVERAL = "several parts of the video are named, and all of it was looked at"


@dataclass(frozen=True)
class Within:
    """A question without the part that it names, and that part in seconds of the file's own time, None for all of the
    video. `note` says why a part that was named is not looked at. `at_s`: the instant that the part lies around.
    `looked_at`: the part and, where it is shorter than `LOOKED_AT_S`, what lies around it."""

    words: str
    part: Span | None
    note: str | None = None
    at_s: float | None = None
    looked_at: Span | None = None


def part_named(question: str, *, start_s: float, end_s: float, step_s: float) -> Within:
    """Take the part that a question names out of it.

    Args:
        start_s, end_s: of the video, in its own time.
        step_s: between sampled frames; no part is shorter than two of them.
    """
    plain = " ".join(question.split())  # a long row of blanks costs no more than its length
    found = list(_PHRASE.finditer(plain))
    if not found:
        return Within(question, None, UNREADABLE if _NO_TIME.search(plain) else None)
    match = found[0]
    words = _without(plain, match)
    part = _seconds(match, start_s, end_s)
    if not re.search(r"\w", words):
        return Within(question, None)
    if len(found) > 1 or _ANOTHER.search(f"{plain[: match.start()]}\0{plain[match.end() :]}"):
        return Within(question, None, SEVERAL if part is not None or len(found) > 1 else None)
    if part is None:
        return Within(question, None, UNREADABLE)
    if part[0] >= part[1]:
        return Within(question, None, BACKWARDS)
    if part[0] >= end_s or part[1] <= start_s:
        named = sum(part) / 2 if _named_instant(match) else part[1] if match["before"] else part[0]
        lies = f"the video lasts from {format_time(start_s, hours=True)} to {format_time(end_s, hours=True)}"
        where = f"at {format_time(named, hours=True)}" if named >= 0 else "before its start"
        return Within(question, None, f"{lies}: nothing of it lies {where}, and all of it was looked at")
    part = (max(part[0], start_s), part[1]) if match["before"] else part
    part = (part[0], min(part[1], end_s)) if match["after"] else part
    middle, all_of_it = (part[0] + part[1]) / 2, (start_s, end_s)
    told = _widened(part, 2 * step_s, within=all_of_it)
    if told == all_of_it:
        return Within(words, None, at_s=middle if _named_instant(match) else None)
    looked_at = _widened(told, LOOKED_AT_S, within=all_of_it)
    return Within(words, told, at_s=middle if _named_instant(match) else None, looked_at=looked_at)


def _widened(part: Span, least_s: float, *, within: Span) -> Span:
    """A part with as much on both sides as makes it `least_s` long, as far as there is so much."""
    middle, half = (part[0] + part[1]) / 2, least_s / 2
    return max(within[0], min(part[0], middle - half)), min(within[1], max(part[1], middle + half))


def _without(question: str, match: re.Match[str]) -> str:
    """The question's other words; at its beginning a part brings a comma with it."""
    before, after = question[: match.start()].rstrip(" ,"), question[match.end() :].lstrip(" ,")
    joint = "" if not before or not after or after[0] in "?.!" else " "
    return f"{before}{joint}{after}".strip()


def _seconds(match: re.Match[str], start_s: float, end_s: float) -> Span | None:
    """The part in seconds, open ends without end; None where the times cannot be."""
    side, length = match["side"], match["length"] or match["bare_length"] or match["second"]
    if side:
        return (end_s - EDGE_S, end_s) if side.lower() == "end" else (start_s, start_s + EDGE_S)
    if length:
        long = (end_s - start_s) / 2 if length.lower() == "half" else _length(length)
        if long is None:
            return None
        edge = match["edge"] or match["bare_edge"] or "last"
        return (start_s, start_s + long) if edge.lower() == "first" else (end_s - long, end_s)
    if match["middle"] or match["halfway"]:
        middle = (start_s + end_s) / 2
        return middle - AROUND_S, middle + AROUND_S
    named = _named_instant(match)
    if named:
        at = _instant(named)
        if at is not None and match["ago"]:
            at = end_s - at
        return None if at is None else (at - AROUND_S, at + AROUND_S)
    began, ended = match["first"] or match["after"], match["last"] or match["before"]
    if match["few"] or match["from"]:  # one unit for both
        unit = match["each"] or match["named"]
        began, ended = f"{match['few'] or match['from']} {unit}", f"{match['many'] or match['to']} {unit}"
    first = _instant(began) if began else -math.inf
    last = _instant(ended) if ended else math.inf
    return None if first is None or last is None else (first, last)


def _named_instant(match: re.Match[str]) -> str | None:
    counted = f"{match['count']} {match['unit']}" if match["count"] else None
    return match["at"] or match["into"] or match["ago"] or counted


def _length(text: str) -> float | None:
    text = _HALVES.get(" ".join(text.lower().split()), text)
    number = re.match(rf"{_COUNTS}\b", text, re.IGNORECASE)
    if number:
        text = f"{_NUMBERS[number[0].lower()]}{text[number.end() :]}"
    return _instant(text if text[:1].isdigit() else f"1 {text}")


def _instant(text: str) -> float | None:
    found = parse_moments(f"at {text}")
    return found[0][0] if found and len(found) == 1 and found[0][0] == found[0][1] else None
