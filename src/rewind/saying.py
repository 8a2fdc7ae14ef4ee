"""The words of an answer: the decoder's where it is sure, else what the classifier names, else that none knows."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rewind.answering import Engine, Recollection, best_time
from rewind.clock import format_span, format_time
from rewind.model import Decoded
from rewind.overview import overview
from rewind.store import Stretch
from rewind.timeline import Timeline
from rewind.values import AnswerSource, Moment
from rewind.vision.concepts import NOTHING_NAMED, Concepts

DECODER_MIN = 0.25
"""Confidence from which the decoder's words are the answer. Of worlds' questions that it is .25 to .5 sure of it
answers about half rightly, the concepts next to none; of questions unlike those of its training it is hardly ever so
sure."""
SUPPORTED = 0.5
"""Share of what counts as seen that memory's best score must reach for the decoder's words to stand. On real footage
memory's scores for what its worlds call a sign are 0.00, and the decoder made up a colour for it all the same; where it
was right on validation worlds of 10 minutes and listed nothing, they were two thirds of it and more."""
NEEDS_NO_SUPPORT = ("no", "never")
"""What may be said of a video that shows nothing of what was asked for; so may 0, where a number is asked for. But of
what no one knows (*hi*) it tells nothing that nothing was seen."""
ASKS_NUMBER = re.compile(r"\b(?:how\s+(?:many|often)|count|number\s+of)\b", re.IGNORECASE)
"""Questions that 0 answers. To others it is a character that was read, which needs something to be read off."""
ASKS_MORE = re.compile(
    r"\s*(?:what|which|who|whose|whom|how|where|why)\b"
    r"(?!\s+(?:time|second|minute|moment|part|in\s+the\s+(?:video|film|recording))s?\b)",
    re.IGNORECASE,
)
"""Questions that are not answered by times alone."""
KIND = re.compile(
    r"\s*(?:what|which)\s+(?:(?:kind|sort|type|breed|species|make|model|variety)s?\s+"
    r"(?:of|(?:is|are|was|were)(?:\s+(?:the|this|that|these|those))?)\s+(?:an?\s+|the\s+)?)?(?P<rest>.+)",
    re.IGNORECASE | re.DOTALL,
)
"""Questions that may ask for a kind of thing: *what animal …*, *what kind of dog …*, *what breed is the dog*."""
LOOKS = re.compile(
    r"\s*what(?:'s|\b).*\b(?:see|seen|shown?|shows|visible|there|on (?:the )?screen|in (?:the|this|it)\b)"
    r"|\s*what(?:'s|\s+(?:is|are|am))\s+(?:this|that|it|these|those|i\s+looking\s+at)\b"
    r"|\s*(?:list|name|show|what|which)\b.*\b(?:objects|things|items)\b"
    r"|(?:.*\byou\b|\s*please\b)?\s*(?:describe\b|tell\s+me\s+what(?:'s|\b.*\b(?:in|on|see)\b)|.*\boverview\b"
    r"|(?:give\s+(?:me|us)\s+)?(?:an?\s+|the\s+)?(?:(?:short|brief|quick)\s+)?summar(?:y|i[sz]e)\b)",
    re.IGNORECASE,
)
"""Questions for whatever is in view."""
WHETHER = re.compile(r"\s*(?:is|are|was|were|do|does|did|can|could)\b", re.IGNORECASE)
"""Questions that are answered by yes or no."""
EITHER = re.compile(rf"{WHETHER.pattern}.*\bor\b(?!\s+not\b)", re.IGNORECASE | re.DOTALL)
"""Questions that offer several answers to choose from."""
COUNTED = re.compile(r"\b(?:not?|one|two|three|four|several|many|only|always|every|both)\b", re.IGNORECASE)
"""Words that ask for more than that a thing is seen."""
ABSENT = "Not in this video."
ABSENT_THERE = "Not in this part of the video."
NAMED = 0.15
"""Probability from which a class is named beside what was asked for, as the mean over a moment's frames."""


@dataclass(frozen=True)
class Said:
    """The answer's words, where they come from, how sure, whether they say that the thing is absent, and the moments
    that bear them out: none where the answer is no or none, for what was looked at then is where the thing is not."""

    text: str
    source: AnswerSource
    confidence: float
    absent: bool
    moments: tuple[Moment, ...] = ()


def say(
    engine: Engine, seen: Recollection, decoded: Decoded, moments: tuple[Moment, ...], stretch: Stretch,
    timeline: Timeline, *, end_s: float, part: bool = False,
) -> Said:  # fmt: skip
    """One path for all video: the decoder where it is sure, else the concepts, else the plain word that none knows. Of
    a `part` of the video nothing is said of the rest.

    Args:
        moments: where the scores have found what is asked for. timeline: of the stretch's frames, the last of which
            ends at second `end_s`.
    """
    relevance = seen.relevance
    asked = seen.text.texts[0]
    none = decoded.text == "0" and ASKS_NUMBER.search(asked) is not None
    denied = decoded.text in NEEDS_NO_SUPPORT or none
    supported = relevance.remembered >= SUPPORTED or (denied and relevance.known)
    if decoded.confidence >= DECODER_MIN and decoded.text and supported:
        text = decoded.text
        absent = text in ("never", "no") and not moments
        if text == "never" and absent:
            text = ABSENT_THERE if part else ABSENT
        elif text in ("at", "never"):
            # Where the scores have found the thing, a decoder that says never is not believed: `find` shows it too.
            text = _times(moments) if moments else f"Around {_clock(best_time(relevance, timeline))}, faintly."
        return Said(text, "decoder", decoded.confidence, absent, () if text == "no" or none else moments)
    if engine.concepts is None or not relevance.known:
        shown = () if engine.concepts is None else overview(engine.concepts, stretch, timeline, end_s=end_s)
        told = f"On screen: {'; '.join(map(str, shown))}."
        if shown and NOTHING_NAMED in relevance.degradations and (part or LOOKS.match(asked)):
            proof = sorted((m for one in shown for m in one.moments), key=lambda m: (-m.score, m.start_s))
            return Said(told, "concepts", proof[0].score, False, tuple(proof))
        there = f" {told}" if shown else ""
        return Said(f"I do not know.{there}", "none", max(0.0, decoded.confidence), False, moments)
    if not moments and EITHER.match(asked) and not engine.concepts.offered(asked):
        return Said("I cannot tell.", "none", max(0.0, decoded.confidence), False)
    if not moments:
        return Said(ABSENT_THERE if part else ABSENT, "concepts", 1 - relevance.best, True)
    text, confidence = _of_moment(engine, asked, moments[0], stretch, timeline)
    return Said(text, "concepts", max(0.0, decoded.confidence) if confidence is None else confidence, False, moments)


def _of_moment(
    engine: Engine, asked: str, moment: Moment, stretch: Stretch, timeline: Timeline
) -> tuple[str, float | None]:
    """What the classifier answers where it has seen the thing, as far as that goes, and how sure; None where what is
    asked is more than it can tell."""
    assert engine.concepts is not None  # noqa: S101  (without a classifier nothing is known)
    rows = [i for i, s in enumerate(timeline.seconds) if moment.start_s <= s < moment.end_s]
    rows, when = rows[:: max(1, len(rows) // 16)], _times([moment])
    then = f"{when[0].lower()}{when[1:]}"
    kind = _kind(engine.concepts, stretch, rows, asked)
    if kind is not None:
        name, sure = kind
        return f"{name[0].upper()}{name[1:]} ({sure:.2f}), {then}", sure
    choice = EITHER.match(asked) is not None
    one = engine.concepts.which(stretch.rows("posterior", rows), asked) if choice and rows else None
    if one is not None:
        name, sure = one
        return f"{name[0].upper()}{name[1:]} ({sure:.2f}), {then}", sure
    shown = _on_screen(engine.concepts, stretch, rows)
    there = f" On screen: {_listed(shown)}." if shown else ""
    whether = WHETHER.match(asked)
    if whether and not choice and not COUNTED.search(asked) and engine.concepts.names_one_thing(asked):
        return f"Yes, {then}{there}", moment.score
    if whether or ASKS_MORE.match(asked):
        return f"I cannot tell; what is asked about is seen {then}{there}", None
    return f"{when}{there}", moment.score


def _clock(seconds: float) -> str:
    return format_time(seconds, hours=True)


def _times(moments: Sequence[Moment]) -> str:
    parts = [format_span(m.start_s, m.end_s) for m in sorted(moments[:3])]
    return f"At {', '.join(parts)}."


def _kind(concepts: Concepts, stretch: Stretch, rows: Sequence[int], asked: str) -> tuple[str, float] | None:
    """Which animal *what animal is it?* is answered with, and how sure that is; None where it cannot be told."""
    match = KIND.match(asked)
    if match is None or not rows:
        return None
    return concepts.kind_of(stretch.rows("posterior", rows), match["rest"])


def _on_screen(concepts: Concepts, stretch: Stretch, rows: Sequence[int]) -> list[tuple[str, float]]:
    """The surest classes of some frames, in words; none where nothing is sure enough."""
    named = concepts.names(stretch.rows("posterior", rows)) if rows else []
    return [(name, p) for name, p in named if p >= NAMED]


def _listed(named: Sequence[tuple[str, float]]) -> str:
    return ", ".join(f"{name} ({p:.2f})" for name, p in named)
