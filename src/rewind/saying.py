"""The words of an answer: the decoder's where it is sure, else what the classifier names, else that none knows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rewind.answering import Around, Engine, Recollection, best_time, moments_in
from rewind.clock import format_span, format_time
from rewind.language import question
from rewind.language.answer import Decoded
from rewind.language.times import Span
from rewind.overview import overview
from rewind.store import Stretch
from rewind.timeline import Timeline
from rewind.values import AnswerSource, Moment
from rewind.vision.concepts import NOTHING_NAMED, SEEN, UNKNOWN, Concepts
from rewind.vision.scoring import CHUNK

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
STEP_S = 1.0
"""Seconds by which a moment may miss an instant that is asked about: a sample's length."""
ABSENT = "Not in this video."
ABSENT_THERE = "Not in this part of the video."
FAR = 10.0
"""Of two things that both count as seen the one with so many times the odds is the answer to which it is."""
NAMED = 0.15
"""Probability from which a class is named beside what was asked for, as the mean over a moment's frames."""


@dataclass(frozen=True)
class Said:
    """The answer's words, where they come from, how sure, whether they say that the thing is absent, and the moments
    that bear them out: none where the answer is no or none, for what was looked at then is where the thing is not.
    `unasked`: the question named nothing, and the moments are of what there is, not of what the scores looked for."""

    text: str
    source: AnswerSource
    confidence: float
    absent: bool
    moments: tuple[Moment, ...] = ()
    unasked: bool = False


def say(
    engine: Engine, seen: Recollection, decoded: Decoded, moments: tuple[Moment, ...], stretch: Stretch,
    timeline: Timeline, *, end_s: float, within: Span | None = None, at_s: float | None = None,
    followed: bool = True, around: Around | None = None,
) -> Said:  # fmt: skip
    """One path for all video: the decoder where it is sure, else the concepts, else the plain word that none knows. Of
    a part of the video nothing is said of the rest.

    Args:
        moments: where the scores have found what is asked for. timeline: of the stretch's frames, the last of which
            ends at second `end_s`.
        within: the part that is asked about, in seconds; None for all of the video. around: what is looked at to tell
            what it shows, where it is short.
        at_s: the instant that is asked about; the stretch is what lies around it.
        followed: False where a part was named that is not looked at alone.
    """
    relevance = seen.relevance
    asked = seen.text.texts[0]
    none = decoded.text == "0" and question.ASKS_NUMBER.search(asked) is not None
    denied = decoded.text in NEEDS_NO_SUPPORT or none
    supported = relevance.remembered >= SUPPORTED or (denied and relevance.known)
    if decoded.confidence >= DECODER_MIN and decoded.text and supported:
        text = decoded.text
        absent = text in NEEDS_NO_SUPPORT and not moments
        if text == "never" and absent:
            text = ABSENT_THERE if within else ABSENT
        elif text in ("at", "never"):
            # Where the scores have found the thing, a decoder that says never is not believed: `find` shows it too.
            text = _times(moments) if moments else f"Around {_clock(best_time(relevance, timeline))}, faintly."
        return Said(text, "decoder", decoded.confidence, absent, () if text == "no" or none else moments)
    concepts, unsure = engine.concepts, max(0.0, decoded.confidence)
    wide = around or Around(stretch, timeline, end_s, slice(0, len(timeline)))
    if concepts is None or not relevance.known:
        shown = overview(concepts, wide.stretch, wide.timeline, end_s=wide.end_s, within=within) if concepts else ()
        told = f"On screen: {'; '.join(map(str, shown))}."
        all_of_it = within is not None or at_s is not None or question.asks_for_all(asked)
        if shown and all_of_it and NOTHING_NAMED in relevance.degradations:
            proof = sorted((m for one in shown for m in one.moments), key=lambda m: (-m.score, m.start_s))
            return Said(told, "concepts", proof[0].score, False, tuple(proof), unasked=True)
        if moments and concepts is not None and not {UNKNOWN, NOTHING_NAMED} & {*relevance.degradations}:
            return Said(f"I cannot tell; what may show it is seen {_then(moments[:1])}", "none", unsure, False, moments)
        there = f" {told}" if shown else ""
        return Said(f"I do not know.{there}", "none", unsure, False)
    if not moments and not _deniable(concepts, asked):
        return Said("I cannot tell.", "none", unsure, False)
    part = None if moments else _part_seen(concepts, asked, wide, timeline, end_s=end_s)
    if part is not None:
        return Said(f"I cannot tell; of what is asked about, {part}", "none", unsure, False)
    if not moments:
        text = ABSENT_THERE if within else ABSENT
        if question.negates(asked) and not concepts.affirms(asked):
            text = f"What is named is {text[0].lower()}{text[1:]}"  # of *Is there no dog?*: there is none
        return Said(text, "concepts", 1 - relevance.best, True)
    whether, plain = question.WHETHER.match(asked) is not None, followed and not question.negates(asked)
    if plain and (whether or question.asks_more(asked)):
        chosen = _choice(concepts, asked, wide, timeline, end_s=end_s)
        if chosen is not None:
            return chosen
    plain = plain and not question.counts(asked)
    there_then = at_s is None or any(m.start_s - STEP_S <= at_s < m.end_s + STEP_S for m in moments)
    text, confidence = _of_moment(
        concepts, asked, moments[0], stretch, timeline, whether=whether, plain=plain, then=there_then
    )
    return Said(text, "concepts", unsure if confidence is None else confidence, False, moments)


def _deniable(concepts: Concepts, asked: str) -> bool:
    """Whether what was not found can be said not to be there: not where only some of what is asked for was missed."""
    if question.OR.search(asked) and not concepts.offered(asked):
        return False
    if question.excludes(asked) or (question.negates(asked) and len(concepts.terms(asked)) > 1):
        return False
    return sum(bool(concepts.terms(one)) for one in question.sentences(asked)) < 2


def _part_seen(concepts: Concepts, asked: str, wide: Around, timeline: Timeline, *, end_s: float) -> str | None:
    """Which of several things that are asked about together is seen all the same, and when: *a person riding a horse*
    is not denied where a person is seen. None where that is so of none."""
    names = dict.fromkeys(term.name for term in concepts.terms(asked))
    if len(names) < 2 or concepts.offered(asked):
        return None
    found = [(name, *_found(concepts, name, wide, timeline, end_s=end_s)) for name in names]
    name, _, moments = max(found, key=lambda one: one[1])
    return f"{name} is seen {_then(moments)}" if moments else None


def _found(
    concepts: Concepts, query: str, wide: Around, timeline: Timeline, *, end_s: float
) -> tuple[float, tuple[Moment, ...]]:
    """The best score of a part of a question, and its moments in the frames whose times `timeline` holds."""
    posterior = (clip for (clip,) in wide.stretch.clips(CHUNK, "posterior"))
    scores = concepts.score_parts(posterior, query, wide.timeline).scores[wide.rows]
    return float(scores.max()), tuple(moments_in(scores, timeline, threshold=SEEN, end_s=end_s, limit=5))


def _choice(concepts: Concepts, asked: str, wide: Around, timeline: Timeline, *, end_s: float) -> Said | None:
    """Which of the things that a question offers is seen, and when that one is; each of them where several are, at
    other times. None where it offers none, or they are seen at one time."""
    found: list[tuple[float, str, tuple[Moment, ...]]] = []
    for one in concepts.offered(asked):
        best, moments = _found(concepts, one, wide, timeline, end_s=end_s)
        if moments:
            found.append((best, concepts.terms(one)[0].name, moments))
    found.sort(reverse=True)
    seen = [one for one in found if _odds(found[0][0]) < FAR * _odds(one[0])]
    together = any(
        a.start_s < b.end_s and b.start_s < a.end_s
        for k, one in enumerate(seen) for other in seen[k + 1 :] for a in one[2] for b in other[2]
    )  # fmt: skip
    if not seen or together:
        return None
    told = sorted(seen, key=lambda one: min(one[2]))
    text = "; ".join(f"{name} ({sure:.2f}), {_then(moments)[:-1]}" for sure, name, moments in told)
    proof = sorted((m for _, _, moments in seen for m in moments), key=lambda m: (-m.score, m.start_s))
    return Said(f"{text[0].upper()}{text[1:]}.", "concepts", seen[0][0], False, tuple(proof))


def _odds(sure: float) -> float:
    return sure / max(1e-6, 1 - sure)


def _of_moment(
    concepts: Concepts,
    asked: str,
    moment: Moment,
    stretch: Stretch,
    timeline: Timeline,
    *,
    whether: bool,
    plain: bool,
    then: bool,
) -> tuple[str, float | None]:
    """What the classifier answers where it has seen the thing, as far as that goes, and how sure; None where what is
    asked is more than it can tell: where it is not `plain`, or asks `whether` the thing is there at an instant, and it
    is seen, but not `then`."""
    rows = [i for i, s in enumerate(timeline.seconds) if moment.start_s <= s < moment.end_s]
    rows, when = rows[:: max(1, len(rows) // 16)], _then([moment])
    kind = _kind(concepts, stretch, rows, asked) if plain else None
    if kind is not None:
        name, sure = kind
        return f"{name[0].upper()}{name[1:]} ({sure:.2f}), {when}", sure
    shown = _on_screen(concepts, stretch, rows)
    there = f" On screen: {_listed(shown)}." if shown else ""
    sayable = plain and then and not question.OR.search(asked) and not question.quantifies(asked)
    if whether and sayable and concepts.names_one_thing(question.without_lead(asked)):
        return f"Yes, {when}{there}", moment.score
    # Of what happens to a thing its own times do not tell: *When does the dog leave?*
    happens = not concepts.names_all(question.timed(asked) or "")
    if whether or not plain or happens or question.asks_more(asked):
        return f"I cannot tell; {concepts.seen_as(asked)} seen {when}{there}", None
    return f"{_times([moment])}{there}", moment.score


def _clock(seconds: float) -> str:
    return format_time(seconds, hours=True)


def _times(moments: Sequence[Moment]) -> str:
    parts = [format_span(m.start_s, m.end_s) for m in sorted(moments[:3])]
    return f"At {', '.join(parts)}."


def _then(moments: Sequence[Moment]) -> str:
    """Times within a sentence."""
    return f"at{_times(moments)[2:]}"


def _kind(concepts: Concepts, stretch: Stretch, rows: Sequence[int], asked: str) -> tuple[str, float] | None:
    """Which animal *what animal is it?* is answered with, and how sure that is; None where it cannot be told."""
    match = question.KIND.match(asked)
    if match is None or not rows:
        return None
    return concepts.kind_of(stretch.rows("posterior", rows), match["rest"])


def _on_screen(concepts: Concepts, stretch: Stretch, rows: Sequence[int]) -> list[tuple[str, float]]:
    """The surest classes of some frames, in words; none where nothing is sure enough."""
    named = concepts.names(stretch.rows("posterior", rows)) if rows else []
    return [(name, p) for name, p in named if p >= NAMED]


def _listed(named: Sequence[tuple[str, float]]) -> str:
    return ", ".join(f"{name} ({p:.2f})" for name, p in named)
