"""Questions with exact answers about a world, worked out from its truth alone.

The answer is drawn first and an instance of it after, among phrases of one form fixed by the world's length, so that
the words of a question say nothing of its answer. What counts as what is in docs/worlds.md.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from rewind.errors import ConfigError
from rewind.worlds.ask_instants import state, what_is_now
from rewind.worlds.ask_objects import count, exists_object, find, order
from rewind.worlds.ask_signs import exists_sign, needle_by_code, needle_by_looks
from rewind.worlds.index import Index
from rewind.worlds.question import KINDS, Kind, Question
from rewind.worlds.world import World

__all__ = ["KINDS", "Kind", "Question", "questions"]

Maker = Callable[[Index, np.random.Generator], "Question | None"]
_TRIES = 12

_MAKERS: dict[Kind, tuple[tuple[Maker, float], ...]] = {
    "needle": ((needle_by_looks, 0.6), (needle_by_code, 0.4)),
    "exists": ((exists_object, 0.7), (exists_sign, 0.3)),
    "order": ((order, 1.0),),
    "count": ((count, 1.0),),
    "breakpoint": ((what_is_now, 1.0),),
    "state": ((state, 1.0),),
    "find": ((find, 1.0),),
}


def questions(
    world: World | Index, rng: np.random.Generator, *, kinds: Sequence[Kind] = KINDS, per_kind: int = 1
) -> list[Question]:
    """Up to `per_kind` questions of each kind about `world`; fewer where the world does not hold that kind.

    An `Index` made once serves many calls. A question is repeated only where the world has no other with its answer:
    to pass over it would make that answer rarer.

    Raises: ConfigError for a kind that does not exist.
    """
    unknown = [k for k in kinds if k not in _MAKERS]
    if unknown:
        raise ConfigError(f"question kinds {', '.join(unknown)}", allowed=", ".join(KINDS))
    index = world if isinstance(world, Index) else Index(world)
    asked: list[Question] = []
    seen: set[tuple[str, float | None]] = set()
    for kind in kinds:
        (often, share), (seldom, _) = _MAKERS[kind][0], _MAKERS[kind][-1]
        for _ in range(per_kind):
            maker = often if rng.random() < share else seldom
            question = _fresh(maker, index, rng, seen) or _fresh(seldom if maker is often else often, index, rng, seen)
            if question is not None:
                seen.add((question.text, question.at_s))
                asked.append(question)
    return asked


def _fresh(
    maker: Maker, index: Index, rng: np.random.Generator, seen: set[tuple[str, float | None]]
) -> Question | None:
    """A question not asked yet; after one that was, only others of its form and answer are taken in its place."""
    first: Question | None = None
    for _ in range(_TRIES):
        question = maker(index, rng)
        if question is None:
            continue
        first = first or question
        alike = (question.form, question.answer) == (first.form, first.answer)
        if alike and (question.text, question.at_s) not in seen:
            return question
    return first
