"""Test questions: drawn once, the same for every recipe and seed, on scenes that no training saw."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rewind.evaluate.marks import chance_of
from rewind.train.bank import ProjectedBank
from rewind.train.examples import MIX, Example, draw_example, relevant_frames
from rewind.worlds import KINDS, Kind
from rewind.worlds.arrange import Pool
from rewind.worlds.index import Index
from rewind.worlds.questions import questions
from rewind.worlds.world import compose

SHORT_MIX: dict[Kind, float] = {**MIX, "count": 0.0, "exists": 0.24, "find": 0.18}
"""Seconds are too few to count in."""
_COUNTED_FROM_S = 60
_MISSES = 2
_TRIES = 4000


def draw_questions(
    bank: ProjectedBank, *, frames: int, per_kind: int, seed: int, kinds: Sequence[Kind] = KINDS
) -> list[Example]:
    """Up to `per_kind` questions of each kind on videos of `frames` seconds; fewer of a kind that they do not hold."""
    drawn: list[Example] = []
    for kind in kinds:
        rng = np.random.default_rng([seed, frames, KINDS.index(kind)])
        drawn += _counts(bank, rng, frames, per_kind) if kind == "count" else _others(bank, rng, kind, frames, per_kind)
    return drawn


def _others(bank: ProjectedBank, rng: np.random.Generator, kind: Kind, frames: int, count: int) -> list[Example]:
    drawn: list[Example] = []
    misses = 0
    while len(drawn) < count and misses < _MISSES:
        try:
            drawn.append(draw_example(bank, rng, frames=frames, kind=kind))
        except ValueError:
            misses += 1
    return drawn


def _counts(bank: ProjectedBank, rng: np.random.Generator, frames: int, count: int) -> list[Example]:
    """Counting questions need scenes arranged for them: some thing must be there 0, 1 … 5 times."""
    drawn: list[Example] = []
    misses = 0
    if frames < _COUNTED_FROM_S:
        return drawn
    pool = Pool(bank.scenes)
    while len(drawn) < count and misses < _MISSES:
        scenes = pool.arrange(frames, rng, tries=_TRIES)
        world = compose([bank.scenes[i] for i in scenes], seconds=frames)
        asked = questions(Index(world), rng, kinds=("count",), per_kind=4)
        misses += not asked
        rows = bank.rows(scenes, seconds=frames)
        drawn += [Example(rows, q, relevant_frames(q, frames)) for q in asked[: count - len(drawn)]]
    return drawn


def chance(examples: Sequence[Example]) -> float:
    """What the best answer that sees neither video nor words is right with: an even guess, or the commoner of two."""
    if not examples:
        return 0.0
    if examples[0].question.kind == "find":
        there = float(np.mean([bool(e.question.moments) for e in examples]))
        return max(there, 1 - there)
    return float(np.mean([chance_of(e.question) for e in examples]))
