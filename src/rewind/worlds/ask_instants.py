"""Questions about an instant: what is on screen now, and what changed its colour."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from rewind.worlds import wording
from rewind.worlds.index import FORMS, SHAPE_CLASSES, TAUGHT_FORMS, Index, Look, SeenChange, look_of, phrase
from rewind.worlds.looks import COLOURS
from rewind.worlds.question import YES_NO, Question, by_answer, make, pick

MOST_NOW = 3
COLOUR_AND_SHAPE = FORMS.index(("shape", "colour"))
UNSIZED = FORMS.index(("shape", "colour", "texture"))
SIZED = FORMS.index(("shape", "colour", "texture", "size"))
_SIZED_FROM = 40
"""Changes in a world from which a phrase without its size would name several things that changed."""
CHANGE_MARGIN_S = 2
"""A change's moment reaches so far to either side of it."""
_TRIES = 12


def state(index: Index, rng: np.random.Generator) -> Question | None:
    sized, after = _names_size(index), bool(rng.integers(2))
    # What is asked for is left out of the key: two events of one key would make the question ambiguous.
    keys: dict[Look, list[SeenChange]] = {}
    for seen in index.changes:
        keys.setdefault(seen.key(after=not after, sized=sized), []).append(seen)
    single = [(c[0].change.after if after else c[0].change.before, c[0]) for c in keys.values() if len(c) == 1]
    drawn = by_answer(rng, single)
    if drawn is None:
        return None
    answer, seen = drawn
    moments = [(max(0, seen.at_s - CHANGE_MARGIN_S), min(index.duration_s, seen.at_s + CHANGE_MARGIN_S))]
    shape, colour, texture, size, _ = seen.key(after=not after, sized=sized)
    level = SIZED if sized else UNSIZED
    if after:
        thing = phrase((shape, colour, texture, size, ""))
        return make(rng, "state.after", answer, moments, {"thing": thing}, level=level, choices=COLOURS)
    thing = phrase((shape, "", texture, size, ""))
    return make(rng, "state.before", answer, moments, {"thing": thing, "colour": colour}, level=level, choices=COLOURS)


def _names_size(index: Index) -> bool:
    if index.fixed_level is not None:
        return "size" in TAUGHT_FORMS[index.fixed_level]
    return len(index.changes) >= _SIZED_FROM


def _now(
    rng: np.random.Generator, form: str, answer: str, second: int, *,
    words: Mapping[str, str], choices: Sequence[str], level: int = 0,
) -> Question:  # fmt: skip
    # Half a second on, the last sampled frame is that of `second`, at 1 frame a second or more.
    moment = (second, second + 1)
    return make(rng, form, answer, [moment], words, level=level, choices=choices, at_s=second + 0.5)


def what_is_now(index: Index, rng: np.random.Generator) -> Question | None:
    form = pick(rng, ("breakpoint.colour", "breakpoint.exists", "breakpoint.number"))
    seconds = [int(s) for s in rng.integers(min(4, index.duration_s - 1), index.duration_s, _TRIES)]
    if form == "breakpoint.colour":
        found: list[tuple[str, tuple[str, int]]] = []
        for second in seconds:
            objects, _ = index.on_screen(second)
            shapes = [s.appearance.shape for s in objects]
            found += [
                (s.appearance.colour, (s.appearance.shape, second))
                for s in objects
                if shapes.count(s.appearance.shape) == 1
            ]
        drawn = by_answer(rng, found)
        if drawn is None:
            return None
        return _now(rng, form, drawn[0], drawn[1][1], words={"shape": drawn[1][0]}, choices=COLOURS)
    if form == "breakpoint.number":
        shape = pick(rng, SHAPE_CLASSES["common"])
        counted = _seconds_by_number(index, shape)
        if not set(counted).issuperset(range(MOST_NOW + 1)):
            return None
        number = int(rng.integers(MOST_NOW + 1))
        choices = tuple(str(n) for n in range(MOST_NOW + 1))
        return _now(
            rng, form, str(number), pick(rng, counted[number]), words={"shapes": wording.plural(shape)}, choices=choices
        )
    second = seconds[0]
    there = bool(rng.integers(2))
    here = sorted({look_of(s.appearance, COLOUR_AND_SHAPE) for s in index.on_screen(second)[0]})
    if not here:
        return None
    # The shape is drawn from what is there in either case, so that common shapes do not stand for yes.
    shape = pick(rng, sorted({look[0] for look in here}))
    options = [(shape, colour, "", "", "") for colour in COLOURS]
    options = [look for look in options if (look in here) == there]
    thing = wording.with_article(phrase(pick(rng, options)))
    return _now(rng, form, YES_NO[not there], second, words={"a_thing": thing}, choices=YES_NO, level=COLOUR_AND_SHAPE)


def _seconds_by_number(index: Index, shape: str) -> dict[int, list[int]]:
    """Middle seconds of scenes, by how many objects of that shape are there."""
    found: dict[int, list[int]] = {}
    for here in index.by_scene:
        if here:
            second = (min(s.start_s for s in here) + max(s.end_s for s in here)) // 2
            number = sum(s.appearance.shape == shape and s.start_s <= second < s.end_s for s in here)
            found.setdefault(number, []).append(second)
    return found
