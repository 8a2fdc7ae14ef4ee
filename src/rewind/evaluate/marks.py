"""Marking: whether an answer about a world is right, as the decoder says it and as the user is told it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from rewind.evaluate.overlap import cross_iou
from rewind.replies import Told
from rewind.values import Moment
from rewind.worlds import Question

THERE, NEVER = "at", "never"
"""What the decoder says to a question for times: the times themselves come from the frame scores."""
THERE_SHARE = 2 / 3
"""Of the find questions, those whose thing appears: what saying *there* always would get right."""
Spans = Sequence[Sequence[float]]


@dataclass(frozen=True)
class Record:
    """One question of one world and all that came of it, as plain values: what the figures are worked out from.

    `hit` and `even_hit` say whether a key frame, chosen or evenly spaced, lies inside a true moment; None where there
    is none. `told` are the moments of `ask`, `found` those of `find` with the noun phrase (None for other kinds).
    """

    id: str
    kind: str
    form: str
    question: str
    at_s: float | None
    answer: str
    absent: bool
    chance: float
    moments: Spans
    decoder: str
    decoder_right: bool
    confidence: float
    said: str
    said_right: bool
    said_absent: bool
    source: str
    hit: bool | None
    even_hit: bool | None
    key_frames: Sequence[float]
    told: Spans
    found: Spans | None
    tokens: dict[str, int]

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def mark(name: str, q: Question, given: Told, found: Sequence[Moment] | None, seconds: Sequence[float]) -> Record:
    """The record of question `name`; `seconds` (T,) are the instants of the frames that it was asked about."""
    chosen = [k.time_s for k in given.key_frames]
    return Record(
        id=name, kind=q.kind, form=q.form, question=q.text, at_s=q.at_s, answer=truth_of(q), absent=q.absent,
        chance=chance_of(q), moments=[list(m) for m in q.moments],
        decoder=given.decoded.text, decoder_right=decoder_right(q, given.decoded.text),
        confidence=round(given.decoded.confidence, 4),
        said=given.said.text, said_right=said_right(q, given), said_absent=given.said.absent, source=given.said.source,
        hit=_inside(chosen, q.moments), even_hit=_inside(_even(seconds, len(chosen)), q.moments),
        key_frames=chosen, told=_plain_moments(given.moments),
        found=None if found is None else _plain_moments(found), tokens=asdict(given.decoded.tokens),
    )  # fmt: skip


def truth_of(q: Question) -> str:
    """The right word: a find question asks the decoder only whether the thing is there."""
    if q.kind == "find":
        return THERE if q.moments else NEVER
    return q.answer


def chance_of(q: Question) -> float:
    """What the best answer that ignores the video is right with: an even guess among the choices; 0 for a code.

    The colour that a question on a change names is none of them: nothing changes into what it was.
    """
    if q.kind == "find":
        return THERE_SHARE
    choices = [c for c in q.choices if q.kind != "state" or c not in re.findall(r"[a-z]+", q.text)]
    return 1 / len(choices) if choices else 0.0


def decoder_right(q: Question, text: str) -> bool:
    """Whether the decoder's words, however sure it is, are an accepted answer."""
    accepted = (truth_of(q),) if q.kind == "find" else q.accepted
    return plain(text) in {plain(a) for a in accepted}


def said_right(q: Question, given: Told) -> bool:
    """Whether what the user is told is right: *absent* means no or never, moments mean yes; not knowing is wrong."""
    said = given.said
    if said.source == "none":
        return False
    if q.kind == "find":
        there = not said.absent and (said.source == "concepts" or plain(given.decoded.text) == THERE)
        return said.absent if q.absent else there
    if q.kind == "exists" and (said.source == "concepts" or plain(given.decoded.text) == NEVER):
        return q.answer == ("no" if said.absent else "yes")
    return said.source == "decoder" and plain(said.text) in {plain(a) for a in q.accepted}


def best_iou(predicted: Spans, truth: Spans) -> float:
    """IoU of the first predicted stretch with the true one that it overlaps most; 0 where either is missing."""
    if not predicted or not truth:
        return 0.0
    first = np.array([predicted[0][:2]], dtype=np.float64)
    return float(cross_iou(first, np.array([t[:2] for t in truth], dtype=np.float64)).max())


def plain(text: str) -> str:
    """Lower case, no punctuation, single spaces."""
    return " ".join(re.sub(r"[^\w\s]", " ", text.lower()).split())


def _even(seconds: Sequence[float], count: int) -> list[float]:
    """The instants of `count` frames in the middles of equal stretches: a selector that looks at nothing."""
    total = len(seconds)
    return [float(seconds[(2 * i + 1) * total // (2 * count)]) for i in range(count)]


def _inside(times: Sequence[float], moments: Spans) -> bool | None:
    if not moments:
        return None
    return any(start <= t < end for t in times for start, end in moments)


def _plain_moments(moments: Sequence[Moment]) -> list[list[float]]:
    return [[round(m.start_s, 3), round(m.end_s, 3), round(m.score, 4)] for m in moments]
