"""Stretches of any form — text, JSON in text, pairs, objects, lists of those — read into seconds."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

from rewind.evaluate.answers import said
from rewind.language.times import Bare, Span, parse_moments, parse_span

ANSWER_KEYS = ("prediction", "pred", "answer", "timestamp", "moments", "span", "pred_relevant_windows", "response")
"""Fields under which predictions files keep an answer."""
# Keys are compared by their letters: start, start_s, start_sec, startTime, t_start, "start (s)". The last part names
# seconds.
_START = re.compile(r"(?:t|time)?(?:start|begin|from)(?:time|timestamp)?(s|secs?|seconds?)?")
_END = re.compile(r"(?:t|time)?(?:end|stop|finish|to)(?:time|timestamp)?(s|secs?|seconds?)?")
_OBJECTS = 20  # places in a text at which an object is looked for


def span_of(answer: Any, *, duration_s: float | None, bare: Bare = "seconds") -> Span | None:
    """The first stretch of an answer, in seconds; an instant has its end at its start.

    Args:
        answer: text, [start, end], {start, end} (`start_s`, `startTime`, …), a list of those, or text that is one of
            them in JSON. An end of a pair is a number or the text of one time ("12.5", "00:12", "12 s"); texts that
            tell more are a list. Of a text, what `answers.said` leaves is read.
        duration_s: of the video; without it percentages say nothing.
        bare: what numbers without a unit are; a key such as `start_s` is a unit.

    Returns: None for no stretch, or one that runs backwards, has no end, or ends before 0 (as [-1, -1] does).
    """
    if isinstance(answer, str):
        return _of_text(said(answer), duration_s, bare)
    if isinstance(answer, Mapping):
        return _of_object(answer, duration_s, bare)
    if not isinstance(answer, list | tuple) or not answer:
        return None
    ends = [_time(end, duration_s, bare) for end in answer[:2]]
    if len(ends) == 2 and None not in ends:
        return _forwards(*ends)
    if not isinstance(answer[0], list | tuple | Mapping | str):
        return None
    return span_of(answer[0], duration_s=duration_s, bare=bare)


def _of_text(text: str, duration_s: float | None, bare: Bare) -> Span | None:
    try:
        spans = (span_of(value, duration_s=duration_s, bare=bare) for value in _values(text))
        told = next((s for s in spans if s is not None), None)
    except RecursionError:  # brackets in brackets without end
        return None
    if told is None:
        told = parse_span(text, duration_s=duration_s, bare=bare)
    return None if told is None else _forwards(*told)


def _values(text: str) -> Iterator[Any]:
    """The JSON that a text is, or the objects that stand in it."""
    try:
        value = json.loads(text)
    except ValueError:
        decoder, at = json.JSONDecoder(), -1
        for _ in range(_OBJECTS):
            at = text.find("{", at + 1)
            if at < 0:
                return
            try:
                value, end = decoder.raw_decode(text, at)
            except ValueError:
                continue
            yield value
            at = end - 1
    else:
        if isinstance(value, list | Mapping):
            yield value


def _of_object(answer: Mapping[str, Any], duration_s: float | None, bare: Bare) -> Span | None:
    start, end = (_end_of(answer, pattern, duration_s, bare) for pattern in (_START, _END))
    if start is not None or end is not None:
        return _forwards(start, end)
    inner = next((answer[k] for k in ANSWER_KEYS if k in answer), None)
    return span_of(inner, duration_s=duration_s, bare=bare)


def _end_of(answer: Mapping[str, Any], pattern: re.Pattern[str], duration_s: float | None, bare: Bare) -> float | None:
    """One end of an object: of several keys the first that names seconds, else the first."""
    keys = ((k, pattern.fullmatch(re.sub(r"[^a-z]", "", str(k).lower()))) for k in answer)
    found = [(m[1] is None, answer[k]) for k, m in keys if m]
    if not found:
        return None
    plain, value = min(found, key=lambda pair: pair[0])
    return _time(value, duration_s, bare if plain else "seconds")


def _time(end: Any, duration_s: float | None, bare: Bare) -> float | None:
    """One end of a pair in seconds; None for what is not one time, two times in one text included."""
    if isinstance(end, bool) or not isinstance(end, int | float | str):
        return None
    try:
        value = float(end)
    except OverflowError:  # an integer of hundreds of digits
        return None
    except ValueError:
        told = parse_moments(str(end), duration_s=duration_s, bare=bare) or ()
        return told[0][0] if len(told) == 1 and told[0][0] == told[0][1] else None
    if bare == "seconds":
        return value
    return None if duration_s is None else value / 100 * duration_s


def _forwards(start: float | None, end: float | None) -> Span | None:
    if start is None or end is None or not (math.isfinite(start) and math.isfinite(end)) or end < max(start, 0):
        return None
    return start, end
