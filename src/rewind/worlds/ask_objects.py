"""Questions about objects over the whole video: whether, when, how often, and which came first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from rewind.worlds import wording
from rewind.worlds.ask_signs import sign_phrase
from rewind.worlds.index import (
    FIELDS,
    SHAPE_CLASSES,
    TAUGHT_FORMS,
    VALUES,
    Index,
    Look,
    ShapeClass,
    Span,
    all_looks,
    phrase,
)
from rewind.worlds.question import YES_NO, Question, make, pick

MOST_COUNTED = 5
COUNT_AIM = 2.0
"""Stretches that a counted look has on average; others are asked about where looks have some `_RARE_AIM`."""
_RARE_AIM = 0.7
_TRIES = 12


def _near(look: Look, present: Mapping[Look, Any]) -> bool:
    """Whether `look` shares all named attributes but one with something that does appear."""
    named = [place for place, value in enumerate(look) if value]
    if len(named) == 1:
        return True
    return any(
        (*look[:place], value, *look[place + 1 :]) in present for place in named for value in VALUES[FIELDS[place]]
    )


@lru_cache(maxsize=64)
def _by(fields: tuple[str, ...], level: int, shape_class: ShapeClass) -> tuple[tuple[Look, ...], ...]:
    """The looks of a level in groups that share `fields`, as far as they are named and as a group is left.

    Some values come more often than others (what finds no way stands still), and so must not be drawn with the answer.
    """
    shared = [FIELDS.index(f) for f in fields if f in TAUGHT_FORMS[level]][: len(TAUGHT_FORMS[level]) - 1]
    groups: dict[tuple[str, ...], list[Look]] = {}
    for look in all_looks(level, shape_class):
        groups.setdefault(tuple(look[place] for place in shared), []).append(look)
    return tuple(tuple(group) for group in groups.values())


def _drawn(groups: Sequence[tuple[Look, ...]], rng: np.random.Generator) -> list[tuple[Look, ...]]:
    return [groups[i] for i in rng.permutation(len(groups))]


def _present_or_absent(
    index: Index, rng: np.random.Generator, there: bool, level: int, shape_class: ShapeClass
) -> tuple[Look, tuple[Span, ...]] | None:
    """A look that appears, or one that does not but nearly so; the shape, and the motion where a phrase names it, are
    drawn before, where both can be had: they would tell which it is."""
    present = index.moments(level)
    groups = _drawn(_by(("shape", "motion"), level, shape_class), rng)
    looks = next((group for group in groups if 0 < sum(look in present for look in group) < len(group)), None)
    if looks is None:
        return None
    chosen = [look for look in looks if (look in present) == there]
    if not there:
        chosen = [look for look in chosen if _near(look, present)]
    if not chosen:
        return None
    look = pick(rng, chosen)
    return look, present.get(look, ())


def _object_form(index: Index, rng: np.random.Generator) -> tuple[int, ShapeClass]:
    shape_class: ShapeClass = "rare" if rng.random() < 0.75 else "common"
    return index.level(shape_class, _RARE_AIM), shape_class


def exists_object(index: Index, rng: np.random.Generator) -> Question | None:
    there = bool(rng.integers(2))
    level, shape_class = _object_form(index, rng)
    found = _present_or_absent(index, rng, there, level, shape_class)
    if found is None:
        return None
    thing = wording.with_article(phrase(found[0]))
    return make(rng, "exists.object", YES_NO[not there], found[1], {"a_thing": thing}, level=level, choices=YES_NO)


def find(index: Index, rng: np.random.Generator) -> Question | None:
    there = rng.random() >= 1 / 3
    if rng.random() < 0.6:
        form, level, shape_class = "find.object", *_object_form(index, rng)
        seen = _present_or_absent(index, rng, there, level, shape_class)
        found = None if seen is None else (phrase(seen[0]), seen[1])
    else:
        form, level, found = "find.sign", 0, sign_phrase(index, rng, there)
    if found is None:
        return None
    thing = wording.with_article(found[0])
    moments = sorted(found[1])
    answer = f"at {moments[0][0]} s" if moments else "never"
    return make(rng, form, answer, moments, {"a_thing": thing}, level=level, query=thing)


def order(index: Index, rng: np.random.Generator) -> Question | None:
    shape_class: ShapeClass = "rare" if rng.random() < 0.75 else "common"
    level = index.level(shape_class, _RARE_AIM)
    shapes = SHAPE_CLASSES[shape_class]
    able = [(look, m) for look, m in index.moments(level).items() if look[0] in shapes and len(m) <= 3]
    if len(able) < 2:
        return None
    for _ in range(_TRIES):
        a, b = (able[int(i)] for i in rng.choice(len(able), 2, replace=False))
        if abs(a[1][0][0] - b[1][0][0]) >= 2:
            break
    else:
        return None
    earlier, later = sorted((a, b), key=lambda item: item[1][0][0])
    moments = (earlier[1][0], later[1][0])
    form = pick(rng, ("order.first", "order.before", "order.after"))
    swapped = bool(rng.integers(2))
    first, second = (later, earlier) if swapped else (earlier, later)
    words = {"a": phrase(first[0]), "b": phrase(second[0])}
    things = {"a": first[1], "b": second[1]}
    if form == "order.first":
        answer, choices = phrase(earlier[0]), (words["a"], words["b"])
    else:
        answer, choices = YES_NO[swapped == (form == "order.before")], YES_NO
    return make(rng, form, answer, moments, words, level=level, choices=choices, things=things)


def countable(index: Index, shape_class: ShapeClass) -> bool:
    """Whether some look of that class appears exactly n times for every n from 0 to 5."""
    level = index.level(shape_class, COUNT_AIM)
    return bool(_with_all_numbers(index, level, shape_class))


def _with_all_numbers(index: Index, level: int, shape_class: ShapeClass) -> list[tuple[Look, ...]]:
    """Groups of looks, of one motion where phrases name it, of which some appear exactly n times for n from 0 to 5."""
    present = index.moments(level)
    groups = _by(("motion",), level, shape_class)
    return [g for g in groups if {len(present.get(look, ())) for look in g}.issuperset(range(MOST_COUNTED + 1))]


def count(index: Index, rng: np.random.Generator) -> Question | None:
    """How many separate stretches. Asked only where 0 to 5 can all be the answer, so that each is as likely; where the
    level of phrases is fixed, for training, those that can be are."""
    shape_class: ShapeClass = "rare" if rng.random() < 0.75 else "common"
    level = index.level(shape_class, COUNT_AIM)
    present = index.moments(level)
    numbers, looks = list(range(MOST_COUNTED + 1)), all_looks(level, shape_class)
    groups = _with_all_numbers(index, level, shape_class)
    if groups:
        looks = _drawn(groups, rng)[0]
    elif index.fixed_level is None:
        return None
    else:
        numbers = sorted({len(present.get(look, ())) for look in looks}.intersection(numbers))
    number = numbers[int(rng.integers(len(numbers)))]
    chosen = [look for look in looks if len(present.get(look, ())) == number]
    look = pick(rng, chosen)
    choices = tuple(str(n) for n in range(MOST_COUNTED + 1))
    thing = wording.with_article(phrase(look))
    return make(
        rng, "count.object", str(number), present.get(look, ()), {"a_thing": thing}, level=level, choices=choices
    )
