"""Questions with exact answers about a world, worked out from its truth alone.

The answer is drawn first and an instance of it after, among phrases of one form fixed by the world's length, so that
the words of a question say nothing of its answer. What counts as what is in docs/worlds.md.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, TypeVar

import numpy as np

from rewind.errors import ConfigError
from rewind.worlds import glyphs, wording
from rewind.worlds.index import Index, Look, SeenChange, SeenSign, ShapeClass, Span, all_looks, phrase
from rewind.worlds.looks import COLOURS, GLYPH_COLOUR_NAMES, GLYPH_COLOURS, SHAPES, SIGN_SHAPES, SYMBOLS
from rewind.worlds.world import World

Kind = Literal["needle", "exists", "order", "count", "breakpoint", "state", "find"]
KINDS: tuple[Kind, ...] = ("needle", "exists", "order", "count", "breakpoint", "state", "find")
MOST_COUNTED = 5
_TRIES = 12
T = TypeVar("T")


@dataclass(frozen=True)
class Question:
    """One question and all that is needed to mark it.

    `form` is the kind and what is asked of it (``needle.character``); `level` says how many attributes its phrases
    name. `choices` are all answers that the form allows (empty for codes and times). `moments` are the half-open
    stretches, in seconds, that hold the evidence: empty where there is none. `at_s` is set where the question is
    asked during the video; `query` is the noun phrase of a find question, whose `moments` are its answer.
    """

    kind: Kind
    form: str
    template: int
    level: int
    text: str
    answer: str
    accepted: tuple[str, ...]
    choices: tuple[str, ...]
    moments: tuple[Span, ...]
    at_s: float | None = None
    query: str | None = None

    @property
    def absent(self) -> bool:
        """Whether the right answer is that the thing is not there."""
        return self.kind in ("exists", "find") and not self.moments

    def to_json(self) -> dict[str, Any]:
        data = asdict(self)
        data["moments"] = [list(m) for m in self.moments]
        data["accepted"], data["choices"] = list(self.accepted), list(self.choices)
        return data


Maker = Callable[[Index, np.random.Generator], "Question | None"]
_YES_NO = ("yes", "no")


def _pick(rng: np.random.Generator, options: Sequence[T]) -> T:
    return options[int(rng.integers(len(options)))]


def _question(
    rng: np.random.Generator, form: str, answer: str, moments: Sequence[Span], *, level: int = 0,
    choices: Sequence[str] = (), at_s: float | None = None, query: str | None = None, **words: str,
) -> Question:  # fmt: skip
    kind: Any = form.split(".")[0]
    template = int(rng.integers(len(wording.TEMPLATES[form])))
    text = wording.TEMPLATES[form][template].format(**words)
    accepted = (answer,) if answer.split()[-1] not in SHAPES else (answer, f"the {answer}")
    return Question(kind, form, template, level, text, answer, accepted, tuple(choices), tuple(moments), at_s, query)


def _level(index: Index, shape_class: ShapeClass, aim: float) -> int:
    """The level at which a look has most nearly `aim` stretches on average: so the phrases' form follows from length."""
    def distance(level: int) -> float:
        density = max(index.density(level, shape_class), 1e-6)
        return max(density / aim, aim / density)

    return min(range(1, 6), key=distance)


def _near(look: Look, present: Mapping[Look, Any], looks: Sequence[Look]) -> bool:
    """Whether `look` shares all attributes but one with something that does appear (any one-attribute look does)."""
    if len(look) == 1:
        return True
    for place in range(len(look)):
        for value in {other[place] for other in looks}:
            if (*look[:place], value, *look[place + 1 :]) in present:
                return True
    return False


def _present_or_absent(
    index: Index, rng: np.random.Generator, there: bool, level: int, shape_class: ShapeClass
) -> tuple[Look, tuple[Span, ...]] | None:
    """A look that appears, or one that does not but nearly so; the shape is drawn before, where both can be had."""
    present = index.moments(level)
    looks = all_looks(level, shape_class)
    if level > 1:
        shapes = [s for s in dict.fromkeys(look[0] for look in looks)]
        for shape in rng.permutation(np.array(shapes)):
            mine = [look for look in looks if look[0] == shape]
            have = [look for look in mine if look in present]
            if have and len(have) < len(mine):
                looks = mine
                break
        else:
            return None
    chosen = [look for look in looks if (look in present) == there]
    if not there:
        every = all_looks(level, shape_class)
        chosen = [look for look in chosen if _near(look, present, every)]
    if not chosen:
        return None
    look = _pick(rng, chosen)
    return look, present.get(look, ())


def _object_form(index: Index, rng: np.random.Generator) -> tuple[int, ShapeClass]:
    shape_class: ShapeClass = "rare" if rng.random() < 0.75 else "common"
    return _level(index, shape_class, 0.7), shape_class


def _exists_object(index: Index, rng: np.random.Generator) -> Question | None:
    there = bool(rng.integers(2))
    level, shape_class = _object_form(index, rng)
    found = _present_or_absent(index, rng, there, level, shape_class)
    if found is None:
        return None
    thing = wording.with_article(phrase(found[0]))
    return _question(rng, "exists.object", _YES_NO[not there], found[1], level=level, choices=_YES_NO, a_thing=thing)


def _sign_phrase(index: Index, rng: np.random.Generator, there: bool) -> tuple[str, tuple[Span, ...]] | None:
    """A sign that appears, or one that differs in one glyph or one attribute from one that does."""
    if not index.signs:
        return None
    sign = _pick(rng, index.signs)
    if rng.random() < 0.5 or len(index.signs) > 60:
        code = sign.sign.code
        if not there:
            place = int(rng.integers(len(code)))
            code = code[:place] + _pick(rng, [c for c in glyphs.CHARACTERS if c != code[place]]) + code[place + 1 :]
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
        key = _pick(rng, options)
    return wording.board_phrase(*key), tuple((s.start_s, s.end_s) for s in index.boards.get(key, ()))


def _exists_sign(index: Index, rng: np.random.Generator) -> Question | None:
    there = bool(rng.integers(2))
    found = _sign_phrase(index, rng, there)
    if found is None:
        return None
    thing = wording.with_article(found[0])
    return _question(rng, "exists.sign", _YES_NO[not there], sorted(found[1]), choices=_YES_NO, a_thing=thing)


def _find(index: Index, rng: np.random.Generator) -> Question | None:
    there = rng.random() >= 1 / 3
    if rng.random() < 0.6:
        form, level, shape_class = "find.object", *_object_form(index, rng)
        seen = _present_or_absent(index, rng, there, level, shape_class)
        found = None if seen is None else (phrase(seen[0]), seen[1])
    else:
        form, level, found = "find.sign", 0, _sign_phrase(index, rng, there)
    if found is None:
        return None
    thing = wording.with_article(found[0])
    moments = sorted(found[1])
    answer = f"at {moments[0][0]} s" if moments else "never"
    return _question(rng, form, answer, moments, level=level, query=thing, a_thing=thing)


def _order(index: Index, rng: np.random.Generator) -> Question | None:
    shape_class: ShapeClass = "rare" if rng.random() < 0.75 else "common"
    level = _level(index, shape_class, 0.7)
    shapes = {look[0] for look in all_looks(1, shape_class)}
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
    form = _pick(rng, ("order.first", "order.before", "order.after"))
    swapped = bool(rng.integers(2))
    first, second = (later, earlier) if swapped else (earlier, later)
    words = {"a": phrase(first[0]), "b": phrase(second[0])}
    if form == "order.first":
        answer, choices = phrase(earlier[0]), (words["a"], words["b"])
    else:
        answer, choices = _YES_NO[swapped == (form == "order.before")], _YES_NO
    return _question(rng, form, answer, moments, level=level, choices=choices, **words)


def _count(index: Index, rng: np.random.Generator) -> Question | None:
    """How many separate stretches: the number is drawn first, uniformly from 0–5; None where no look has it."""
    shape_class: ShapeClass = "rare" if rng.random() < 0.75 else "common"
    level = _level(index, shape_class, 2.0)
    number = int(rng.integers(MOST_COUNTED + 1))
    present = index.moments(level)
    chosen = [look for look in all_looks(level, shape_class) if len(present.get(look, ())) == number]
    if not chosen:
        return None
    look = _pick(rng, chosen)
    choices = tuple(str(n) for n in range(MOST_COUNTED + 1))
    thing = wording.with_article(phrase(look))
    return _question(
        rng, "count.object", str(number), present.get(look, ()), level=level, choices=choices, a_thing=thing
    )


def _by_answer(rng: np.random.Generator, found: Sequence[tuple[str, T]]) -> tuple[str, T] | None:
    """One instance, its answer drawn first and evenly among those there are."""
    if not found:
        return None
    answer = _pick(rng, sorted({a for a, _ in found}))
    return answer, _pick(rng, [item for a, item in found if a == answer])


def _clear(sign: SeenSign) -> bool:
    return sign.end_s - sign.start_s >= 2


def _needle_by_code(index: Index, rng: np.random.Generator) -> Question | None:
    form, place, choices = _pick(
        rng,
        (
            ("needle.colour", 1, COLOURS),
            ("needle.letters", 2, GLYPH_COLOUR_NAMES),
            ("needle.shape", 0, SIGN_SHAPES),
            ("needle.symbol", 3, SYMBOLS),
        ),
    )
    found = [(s[0].attributes[place], s[0]) for s in index.codes.values() if len(s) == 1 and _clear(s[0])]
    drawn = _by_answer(rng, found)
    if drawn is None:
        return None
    answer, sign = drawn
    return _question(rng, form, answer, [(sign.start_s, sign.end_s)], choices=choices, code=sign.sign.code)


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


def _needle_by_looks(index: Index, rng: np.random.Generator) -> Question | None:
    references = _references(index)
    if not references:
        return None
    if rng.random() < 0.2:
        name, sign, _ = _pick(rng, references)
        return _question(rng, "needle.code", sign.sign.code, [(sign.start_s, sign.end_s)], sign=name)
    found = [
        (letter, (name, sign, place))
        for name, sign, given in references
        for place, letter in enumerate(sign.sign.code)
        if place >= given
    ]
    drawn = _by_answer(rng, found)
    if drawn is None:
        return None
    answer, (name, sign, place) = drawn
    return _question(
        rng, "needle.character", answer, [(sign.start_s, sign.end_s)],
        choices=glyphs.CHARACTERS, place=wording.PLACES[place], sign=name,
    )  # fmt: skip


def _state(index: Index, rng: np.random.Generator) -> Question | None:
    level = 3 if len(index.changes) < 40 else 4
    keys: dict[Look, list[SeenChange]] = {}
    for change in index.changes:
        keys.setdefault(change.key(level), []).append(change)
    after = bool(rng.integers(2))
    if after:
        single = [(c[0].change.after, c[0]) for c in keys.values() if len(c) == 1]
    else:
        ends: dict[Look, list[SeenChange]] = {}
        for change in index.changes:
            shape, _, *rest = change.key(level)
            ends.setdefault((shape, change.change.after, *rest), []).append(change)
        single = [(c[0].change.before, c[0]) for c in ends.values() if len(c) == 1]
    drawn = _by_answer(rng, single)
    if drawn is None:
        return None
    answer, seen = drawn
    moments = [(max(0, seen.at_s - 2), min(index.duration_s, seen.at_s + 2))]
    shape, before, *rest = seen.key(level)
    if after:
        thing = phrase((shape, before, *rest))
        return _question(rng, "state.after", answer, moments, level=level, choices=COLOURS, thing=thing)
    thing = phrase((shape, "", *rest))
    return _question(
        rng, "state.before", answer, moments, level=level, choices=COLOURS, thing=thing, colour=seen.change.after
    )


def _now(rng: np.random.Generator, form: str, answer: str, second: int, **options: Any) -> Question:
    # Half a second on, the last sampled frame is that of `second`, at 1 frame a second or more.
    return _question(rng, form, answer, [(second, second + 1)], at_s=second + 0.5, **options)


def _breakpoint(index: Index, rng: np.random.Generator) -> Question | None:
    form = _pick(rng, ("breakpoint.colour", "breakpoint.exists", "breakpoint.number"))
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
        drawn = _by_answer(rng, found)
        if drawn is None:
            return None
        return _now(rng, form, drawn[0], drawn[1][1], choices=COLOURS, shape=drawn[1][0])
    if form == "breakpoint.number":
        shape = _pick(rng, SHAPES[:4])
        counted = [
            (str(n), s)
            for s in seconds
            if (n := sum(o.appearance.shape == shape for o in index.on_screen(s)[0])) <= 3
        ]
        got = _by_answer(rng, counted)
        if got is None:
            return None
        plural = "crosse" if shape == "cross" else shape
        return _now(rng, form, got[0], got[1], choices=("0", "1", "2", "3"), shape=plural)
    second = seconds[0]
    there = bool(rng.integers(2))
    here = {s.look(2) for s in index.on_screen(second)[0]}
    options = sorted(here)
    if not there:
        options = [
            (shape, colour)
            for shape in SHAPES
            for colour in COLOURS
            if (shape, colour) not in here and any((shape == s) != (colour == c) for s, c in here)
        ]
    # The shape is drawn from what is there in either case, so that common shapes do not stand for yes.
    shapes_here = sorted({look[0] for look in here})
    shape = _pick(rng, shapes_here) if shapes_here else ""
    options = [look for look in options if look[0] == shape]
    if not options:
        return None
    thing = wording.with_article(phrase(_pick(rng, options)))
    return _now(rng, form, _YES_NO[not there], second, level=2, choices=_YES_NO, a_thing=thing)


_MAKERS: dict[Kind, tuple[tuple[Maker, float], ...]] = {
    "needle": ((_needle_by_looks, 0.6), (_needle_by_code, 0.4)),
    "exists": ((_exists_object, 0.7), (_exists_sign, 0.3)),
    "order": ((_order, 1.0),),
    "count": ((_count, 1.0),),
    "breakpoint": ((_breakpoint, 1.0),),
    "state": ((_state, 1.0),),
    "find": ((_find, 1.0),),
}


def questions(
    world: World | Index, rng: np.random.Generator, *, kinds: Sequence[Kind] = KINDS, per_kind: int = 1
) -> list[Question]:
    """Up to `per_kind` questions of each kind about `world`; fewer where the world does not hold so many.

    An `Index` made once serves many calls. No question text is given twice in one call.

    Raises: ConfigError for a kind that does not exist.
    """
    unknown = [k for k in kinds if k not in _MAKERS]
    if unknown:
        raise ConfigError(f"question kinds {', '.join(unknown)}", allowed=", ".join(KINDS))
    index = world if isinstance(world, Index) else Index(world)
    asked: list[Question] = []
    seen: set[tuple[str, float | None]] = set()
    for kind in kinds:
        makers = _MAKERS[kind]
        got = 0
        for _ in range(_TRIES * per_kind):
            if got == per_kind:
                break
            draw = rng.random()
            maker = makers[0][0] if draw < makers[0][1] else makers[-1][0]
            question = maker(index, rng)
            if question is not None and (question.text, question.at_s) not in seen:
                seen.add((question.text, question.at_s))
                asked.append(question)
                got += 1
    return asked
