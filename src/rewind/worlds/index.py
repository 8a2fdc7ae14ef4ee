"""What a whole world shows, looked up by words: which looks appear when, which signs, which changes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import product
from typing import Literal

from rewind.worlds.looks import (
    COLOURS,
    COMMON_SHAPES,
    MOTION_WORDS,
    MOTIONS,
    RARE_SHAPES,
    SHAPES,
    SIZES,
    TEXTURES,
)
from rewind.worlds.truth import Appearance, Change, Sign
from rewind.worlds.world import World

Span = tuple[int, int]
Look = tuple[str, str, str, str, str]
"""Values of `FIELDS`, empty where a phrase does not name one."""
ShapeClass = Literal["common", "rare"]
FIELDS = ("shape", "colour", "texture", "size", "motion")
FORMS: tuple[tuple[str, ...], ...] = (
    ("shape",),
    ("shape", "size"),
    ("shape", "texture"),
    ("shape", "texture", "size"),
    ("shape", "colour"),
    ("shape", "colour", "size"),
    ("shape", "colour", "texture"),
    ("shape", "colour", "texture", "size"),
    ("shape", "colour", "texture", "size", "motion"),
)
"""Which fields a phrase names; level n of a look is FORMS[n], from the widest to the narrowest."""
MOVING_FORMS: tuple[tuple[str, ...], ...] = (("shape", "motion"), ("shape", "colour", "motion"))
"""Forms that only training asks with, their levels behind those of FORMS: where a narrow phrase names a motion, a short
video holds nothing else that the phrase fits but for it, and nobody need look at how things move."""
TAUGHT_FORMS = (*FORMS, *MOVING_FORMS)
VALUES = {"shape": SHAPES, "colour": COLOURS, "texture": TEXTURES, "size": SIZES, "motion": MOTIONS}
SHAPE_CLASSES: dict[ShapeClass, tuple[str, ...]] = {"common": COMMON_SHAPES, "rare": RARE_SHAPES}


def merge(spans: Iterable[Span]) -> tuple[Span, ...]:
    """The stretches covered by `spans`; those that overlap or adjoin become one."""
    merged: list[Span] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return tuple(merged)


def phrase(look: Look) -> str:
    """A look in words, without an article: ``small striped red star moving left``."""
    shape, colour, texture, size, motion = look
    return " ".join(w for w in (size, texture, colour, shape, MOTION_WORDS.get(motion, "")) if w)


@lru_cache(maxsize=32)
def all_looks(level: int, shape_class: ShapeClass) -> tuple[Look, ...]:
    """Every look of that level with a shape of that class, in a fixed order."""
    axes = [SHAPE_CLASSES[shape_class], *(VALUES[f] if f in TAUGHT_FORMS[level] else ("",) for f in FIELDS[1:])]
    return tuple((a, b, c, d, e) for a, b, c, d, e in product(*axes))


def look_of(a: Appearance, level: int) -> Look:
    """The look of `a` as far as phrases of `level` name it."""
    named = TAUGHT_FORMS[level]
    shape, colour, texture, size, motion = (getattr(a, f) if f in named else "" for f in FIELDS)
    return shape, colour, texture, size, motion


def choose_level(densities: Sequence[float], aim: float) -> int:
    """The level whose looks have most nearly `aim` stretches on average: the form of phrases follows from length."""
    return min(range(len(densities)), key=lambda n: max(densities[n] / aim, aim / max(densities[n], 1e-6)))


@dataclass(frozen=True)
class Seen:
    """An appearance with its stretch of the world's time."""

    appearance: Appearance
    start_s: int
    end_s: int


@dataclass(frozen=True)
class SeenSign:
    """A sign with its stretch of the world's time."""

    sign: Sign
    start_s: int
    end_s: int

    @property
    def attributes(self) -> tuple[str, str, str, str]:
        """Shape, colour, glyph colour, symbol."""
        return self.sign.shape, self.sign.colour, self.sign.glyph_colour, self.sign.symbol


@dataclass(frozen=True)
class SeenChange:
    """A change of colour with its second of the world's time."""

    change: Change
    at_s: int

    def key(self, *, after: bool, sized: bool) -> Look:
        """The look by which a phrase names the changing object: its colour is the one before or after."""
        c = self.change
        return c.shape, c.after if after else c.before, c.texture, c.size if sized else "", ""


class Index:
    """The truth of one world, flattened to its own time; what is looked up is worked out once.

    Its length decides which fields the phrases of questions name, unless `level` fixes them: to train on short videos
    with the phrases of long ones.
    """

    def __init__(self, world: World, *, level: int | None = None) -> None:
        self.duration_s = world.duration_s
        self.fixed_level = level
        seen: list[Seen] = []
        signs: list[SeenSign] = []
        changes: list[SeenChange] = []
        self.by_scene: list[list[Seen]] = []
        self.signs_by_scene: list[list[SeenSign]] = []
        for placed in world.placed:
            truth, zero = placed.cut_truth(), placed.start_s
            here = [Seen(a, zero + a.start_s, zero + a.end_s) for a in truth.appearances]
            boards = [SeenSign(s, zero + s.start_s, zero + s.end_s) for s in truth.signs]
            self.by_scene.append(here)
            self.signs_by_scene.append(boards)
            seen += here
            signs += boards
            changes += [SeenChange(c, zero + c.at_s) for c in truth.changes]
        self.seen, self.signs, self.changes = tuple(seen), tuple(signs), tuple(changes)
        self._world = world
        self._levels: dict[tuple[ShapeClass, float], int] = {}
        self._moments: dict[int, Mapping[Look, tuple[Span, ...]]] = {}

    def moments(self, level: int) -> Mapping[Look, tuple[Span, ...]]:
        """For every look of `level` that appears: the stretches at which at least one such object is there."""
        if level not in self._moments:
            spans: dict[Look, list[Span]] = {}
            for s in self.seen:
                spans.setdefault(look_of(s.appearance, level), []).append((s.start_s, s.end_s))
            self._moments[level] = {look: merge(v) for look, v in spans.items()}
        return self._moments[level]

    def level(self, shape_class: ShapeClass, aim: float) -> int:
        """See `choose_level`."""
        if self.fixed_level is not None:
            return self.fixed_level
        key = (shape_class, aim)
        if key not in self._levels:
            self._levels[key] = choose_level([self.density(n, shape_class) for n in range(len(FORMS))], aim)
        return self._levels[key]

    def density(self, level: int, shape_class: ShapeClass) -> float:
        """Stretches a look of that level has on average, over all looks that could be."""
        shapes = SHAPE_CLASSES[shape_class]
        total = sum(len(m) for look, m in self.moments(level).items() if look[0] in shapes)
        return total / len(all_looks(level, shape_class))

    @cached_property
    def codes(self) -> Mapping[str, tuple[SeenSign, ...]]:
        """Signs by their code."""
        found: dict[str, list[SeenSign]] = {}
        for s in self.signs:
            found.setdefault(s.sign.code, []).append(s)
        return {code: tuple(v) for code, v in found.items()}

    @cached_property
    def boards(self) -> Mapping[tuple[str, str, str, str], tuple[SeenSign, ...]]:
        """Signs by shape, colour, glyph colour and symbol."""
        found: dict[tuple[str, str, str, str], list[SeenSign]] = {}
        for s in self.signs:
            found.setdefault(s.attributes, []).append(s)
        return {key: tuple(v) for key, v in found.items()}

    def on_screen(self, second: int) -> tuple[list[Seen], list[SeenSign]]:
        """Objects and signs that are there on [second, second + 1)."""
        number = self._world.scene_at(second)
        objects = [s for s in self.by_scene[number] if s.start_s <= second < s.end_s]
        return objects, [s for s in self.signs_by_scene[number] if s.start_s <= second < s.end_s]
