"""Questions about signs: a glyph of a code, a colour, a shape, a symbol; whether such a sign appears."""

from __future__ import annotations

import numpy as np

from rewind.worlds import glyphs, wording
from rewind.worlds.index import Index, SeenSign, Span
from rewind.worlds.looks import COLOURS, GLYPH_COLOUR_NAMES, GLYPH_COLOURS, SIGN_SHAPES, SYMBOLS
from rewind.worlds.question import YES_NO, Question, by_answer, make, pick


def _clear(sign: SeenSign) -> bool:
    return sign.end_s - sign.start_s >= 2


def sign_phrase(index: Index, rng: np.random.Generator, there: bool) -> tuple[str, tuple[Span, ...]] | None:
    """A sign that appears, or one that differs in one glyph or one attribute from one that does."""
    if not index.signs:
        return None
    sign = pick(rng, index.signs)
    if rng.random() < 0.5 or len(index.signs) > 60:
        code = sign.sign.code
        if not there:
            place = int(rng.integers(len(code)))
            code = code[:place] + pick(rng, [c for c in glyphs.CHARACTERS if c != code[place]]) + code[place + 1 :]
            if code in index.codes:
                return None
        return f"sign with the code {code}", tuple((s.start_s, s.end_s) for s in index.codes.get(code, ()))
    key = sign.attributes
    if not there:
        shape, colour, letters, symbol = key
        alike = [c for c in COLOURS if GLYPH_COLOURS[c] == GLYPH_COLOURS[colour]]
        options = [
            *((s, colour, letters, symbol) for s in SIGN_SHAPES),
            *((shape, c, letters, symbol) for c in alike),
            *((shape, colour, g, symbol) for g in GLYPH_COLOURS[colour]),
            *((shape, colour, letters, m) for m in SYMBOLS),
        ]
        options = [o for o in options if o not in index.boards]
        if not options:
            return None
        key = pick(rng, options)
    return wording.board_phrase(*key), tuple((s.start_s, s.end_s) for s in index.boards.get(key, ()))


def exists_sign(index: Index, rng: np.random.Generator) -> Question | None:
    there = bool(rng.integers(2))
    found = sign_phrase(index, rng, there)
    if found is None:
        return None
    thing = wording.with_article(found[0])
    return make(rng, "exists.sign", YES_NO[not there], sorted(found[1]), {"a_thing": thing}, choices=YES_NO)


def needle_by_code(index: Index, rng: np.random.Generator) -> Question | None:
    form, place, choices = pick(
        rng,
        (
            ("needle.colour", 1, COLOURS),
            ("needle.letters", 2, GLYPH_COLOUR_NAMES),
            ("needle.shape", 0, SIGN_SHAPES),
            ("needle.symbol", 3, SYMBOLS),
        ),
    )
    found = [(s[0].attributes[place], s[0]) for s in index.codes.values() if len(s) == 1 and _clear(s[0])]
    drawn = by_answer(rng, found)
    if drawn is None:
        return None
    answer, sign = drawn
    return make(rng, form, answer, [(sign.start_s, sign.end_s)], {"code": sign.sign.code}, choices=choices)


def _references(index: Index) -> list[tuple[str, SeenSign, int]]:
    """Signs that a phrase without their code singles out, with how many leading glyphs the phrase gives away.

    Where too few signs differ in their looks (hours), the phrase also tells how the code starts.
    """
    single = [(wording.board_phrase(*key), s[0], 0) for key, s in index.boards.items() if len(s) == 1 and _clear(s[0])]
    if len(single) >= 8 or len(index.signs) < 60:
        return single
    starts: dict[tuple[str, ...], list[SeenSign]] = {}
    for s in index.signs:
        starts.setdefault((*s.attributes, s.sign.code[:2]), []).append(s)
    return [
        (f"{wording.board_phrase(*s[0].attributes)} that starts with {s[0].sign.code[:2]}", s[0], 2)
        for s in starts.values()
        if len(s) == 1 and _clear(s[0])
    ]


def needle_by_looks(index: Index, rng: np.random.Generator) -> Question | None:
    references = _references(index)
    if not references:
        return None
    if rng.random() < 0.2:
        name, sign, _ = pick(rng, references)
        return make(rng, "needle.code", sign.sign.code, [(sign.start_s, sign.end_s)], {"sign": name})
    found = [
        (letter, (name, sign, place))
        for name, sign, given in references
        for place, letter in enumerate(sign.sign.code)
        if place >= given
    ]
    drawn = by_answer(rng, found)
    if drawn is None:
        return None
    answer, (name, sign, place) = drawn
    return make(
        rng,
        "needle.character",
        answer,
        [(sign.start_s, sign.end_s)],
        {"place": wording.PLACES[place], "sign": name},
        choices=glyphs.CHARACTERS,
    )
