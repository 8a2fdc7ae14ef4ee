"""Instructions about things of a bank's frames, in the worlds' own wordings, with which things each is about."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rewind.config import SLOTS
from rewind.train.dense import ANY, CODE_FIELDS, FIELDS, NOT, NOTHING, OBJECT_FIELDS, PLACES, SIGN_FIELDS, Things
from rewind.worlds import glyphs, wording
from rewind.worlds.index import FIELDS as LOOK_FIELDS
from rewind.worlds.index import FORMS, TAUGHT_FORMS, VALUES, phrase
from rewind.worlds.looks import COLOURS, COMMON_SHAPES, GLYPH_COLOUR_NAMES, MOTIONS, SHAPES, SIGN_SHAPES, SYMBOLS

_SIGN = len(OBJECT_FIELDS)
_CODE = _SIGN + len(SIGN_FIELDS)
_OBJECT_FORMS = ("exists.object", "find.object", "count.object", "order", "state", "breakpoint")
# By codes twice as often: what a code is like takes longest to learn.
_SIGN_FORMS = ("looks", "looks", "code", "code", "exists.looks", "exists.code", "exists.code", "start")
# Half of the phrases on objects name a motion: nothing else teaches those words.
_LEVELS = (*range(len(FORMS)), *4 * tuple(range(len(FORMS), len(TAUGHT_FORMS))))
Wanted = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Aimed:
    """An instruction and what its things look like: `wanted` (SLOTS, FIELDS), −1 where any value fits, `NOT` − v where
    any but v does.

    A slot whose row is all −2 is about nothing. `asks`: the field that the answer is, `WHOLE_CODE`, or `NO_FIELD`.
    `motions`: which of MOTIONS each slot's phrase names, −1 where none.
    """

    text: str
    wanted: Wanted
    asks: int = -1
    motions: tuple[int, int] = (-1, -1)


NO_FIELD, WHOLE_CODE = -1, -3
_COLOUR = 1
_CHANGING = (("shape", "texture"), ("shape", "texture", "size"))
_BARE = 0.3
"""Share of questions for times that are only their noun phrase, as `find` is given it."""


def fits(wanted: Wanted, things: Things) -> npt.NDArray[np.bool_]:
    """wanted (n, SLOTS, FIELDS) against things (m, 2 + FIELDS) → (m, n, SLOTS)."""
    values, asked = things[:, None, None, 2:], wanted[None]
    but = (asked <= NOT) & (values >= 0) & (values != NOT - asked)
    match: npt.NDArray[np.bool_] = ((asked == ANY) | (asked == values) | but).all(-1)
    return match


def draw_aim(thing: npt.NDArray[np.int64], other: npt.NDArray[np.int64], rng: np.random.Generator) -> Aimed:
    """An instruction about `thing` (2 + FIELDS) or, four times in ten, about something that differs from it in one way.

    `other` is a second thing, for instructions that name two.
    """
    values = thing[2:].copy()
    if values[0] >= 0:
        return _about_object(values, other[2:], rng)
    return _about_sign(values, rng)


def _about_object(values: Things, other: Things, rng: np.random.Generator) -> Aimed:
    form = _OBJECT_FORMS[int(rng.integers(len(_OBJECT_FORMS)))]
    level = int(rng.choice(_LEVELS))
    if form == "order" and other[0] >= 0:
        a, b = _object(values, level, rng), _object(other, level, rng)
        if rng.random() < 0.5:
            a, b = b, a
        templates = wording.TEMPLATES[f"order.{('first', 'before', 'after')[int(rng.integers(3))]}"]
        pattern = templates[int(rng.integers(len(templates)))]
        in_order = (a, b) if pattern.index("{a}") < pattern.index("{b}") else (b, a)
        (_, first, moves), (_, second, other_moves) = in_order
        return Aimed(pattern.format(a=a[0], b=b[0]), np.stack([first, second]), motions=(moves, other_moves))
    if form == "state":
        return _about_change(values, rng)
    if form == "breakpoint":
        return _about_now(values, rng)
    words, wanted, moves = _object(values, level, rng)
    kind = form if form != "order" else "exists.object"
    return Aimed(_say(kind, rng, a_thing=wording.with_article(words)), _first(wanted), motions=(moves, -1))


def _about_change(values: Things, rng: np.random.Generator) -> Aimed:
    """What turned which colour: the first slot is the thing in the colour that is asked for, the second in the other.

    One frame shows one of the two; where the one gives way to the other, the colour changed.
    """
    level = int(rng.choice([FORMS.index(form) for form in _CHANGING]))
    wanted = _object(values, level, rng)[1]
    colour = int(values[_COLOUR]) if rng.random() < 0.35 else int(rng.integers(len(COLOURS)))
    other, same = wanted.copy(), wanted.copy()
    other[_COLOUR], same[_COLOUR] = NOT - colour, colour
    if rng.random() < 0.5:
        text = _say("state.before", rng, thing=_words(wanted), colour=COLOURS[colour])
    else:
        text = _say("state.after", rng, thing=_words(same))
    return Aimed(text, np.stack([other, same]), _COLOUR)


def _about_now(values: Things, rng: np.random.Generator) -> Aimed:
    shape = SHAPES[int(values[0])]
    if rng.random() < 0.4:
        words, wanted, _ = _object(values, FORMS.index(("shape", "colour")), rng)
        return Aimed(_say("breakpoint.exists", rng, a_thing=wording.with_article(words)), _first(wanted))
    wanted = np.full(FIELDS, ANY)
    wanted[0] = values[0]
    if shape in COMMON_SHAPES and rng.random() < 0.5:
        return Aimed(_say("breakpoint.number", rng, shapes=wording.plural(shape)), _first(wanted))
    return Aimed(_say("breakpoint.colour", rng, shape=shape), _first(wanted), _COLOUR)


def _object(values: Things, level: int, rng: np.random.Generator) -> tuple[str, Wanted, int]:
    """Its phrase at that level, one attribute changed now and then, what fits it, and the motion that is named."""
    named = TAUGHT_FORMS[level]
    wanted = np.full(FIELDS, ANY)
    for place, field in enumerate(LOOK_FIELDS[: len(OBJECT_FIELDS)]):
        if field in named:
            wanted[place] = values[place]
    if rng.random() < 0.4:
        changed = [p for p in range(len(OBJECT_FIELDS)) if wanted[p] >= 0]
        place = changed[int(rng.integers(len(changed)))]
        wanted[place] = int(rng.integers(OBJECT_FIELDS[place]))
    # How a thing moves is not to be seen in one frame.
    moves = int(rng.integers(len(MOTIONS))) if "motion" in named else -1
    return _words(wanted, MOTIONS[moves] if moves >= 0 else ""), wanted, moves


def _words(wanted: Wanted, motion: str = "") -> str:
    shape, colour, texture, size = (
        VALUES[field][wanted[p]] if wanted[p] >= 0 else "" for p, field in enumerate(LOOK_FIELDS[: len(OBJECT_FIELDS)])
    )
    return phrase((shape, colour, texture, size, motion))


def _about_sign(values: Things, rng: np.random.Generator) -> Aimed:
    form = _SIGN_FORMS[int(rng.integers(len(_SIGN_FORMS)))]
    wanted = np.full(FIELDS, ANY)
    by_code = form in ("code", "exists.code")
    fields = range(_CODE, _CODE + PLACES) if by_code else range(_SIGN, _CODE)
    for place in fields:
        wanted[place] = values[place]
    if form == "start":
        wanted[_CODE : _CODE + 2] = values[_CODE : _CODE + 2]
    if rng.random() < 0.4:
        _change_sign(wanted, rng)
    if by_code:
        code = "".join(glyphs.CHARACTERS[c] for c in wanted[_CODE:] if c < len(glyphs.CHARACTERS))
        if form == "exists.code":
            kind = ("exists.sign", "find.sign")[int(rng.integers(2))]
            return Aimed(_say(kind, rng, a_thing=f"a sign with the code {code}"), _first(wanted))
        field = int(rng.integers(len(SIGN_FIELDS)))
        kind = ("needle.shape", "needle.colour", "needle.letters", "needle.symbol")[field]
        return Aimed(_say(kind, rng, code=code), _first(wanted), _SIGN + field)
    shape, colour, letters, symbol = (int(v) for v in wanted[_SIGN:_CODE])
    board = wording.board_phrase(SIGN_SHAPES[shape], COLOURS[colour], GLYPH_COLOUR_NAMES[letters], SYMBOLS[symbol])
    if form == "exists.looks":
        kind = ("exists.sign", "find.sign")[int(rng.integers(2))]
        return Aimed(_say(kind, rng, a_thing=wording.with_article(board)), _first(wanted))
    if form == "start":
        board += " that starts with " + "".join(glyphs.CHARACTERS[c] for c in wanted[_CODE : _CODE + 2])
    if rng.random() < 0.4:
        return Aimed(_say("needle.code", rng, sign=board), _first(wanted), WHOLE_CODE)
    place = int(rng.integers(PLACES))
    return Aimed(_say("needle.character", rng, place=wording.PLACES[place], sign=board), _first(wanted), _CODE + place)


def _change_sign(wanted: Wanted, rng: np.random.Generator) -> None:
    sizes = (*OBJECT_FIELDS, *SIGN_FIELDS, *CODE_FIELDS)
    named = [p for p in range(FIELDS) if wanted[p] >= 0 and not (p >= _CODE and wanted[p] == len(glyphs.CHARACTERS))]
    place = named[int(rng.integers(len(named)))]
    wanted[place] = int(rng.integers(sizes[place] - (place >= _CODE)))


def _first(wanted: Wanted) -> Wanted:
    rows = np.full((SLOTS, FIELDS), NOTHING)
    rows[0] = wanted
    return rows


def _say(form: str, rng: np.random.Generator, **words: str) -> str:
    if form.startswith("find") and rng.random() < _BARE:
        return words["a_thing"]
    templates = wording.TEMPLATES[form]
    return templates[int(rng.integers(len(templates)))].format_map(words)
