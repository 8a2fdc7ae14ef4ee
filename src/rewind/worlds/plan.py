"""From a seed to the truth of one scene: who is there, where, when. Nothing is drawn here."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from rewind.errors import ConfigError
from rewind.worlds import glyphs
from rewind.worlds.backgrounds import BACKGROUNDS, FRAME_PX
from rewind.worlds.looks import (
    COLOURS,
    COMMON_SHAPES,
    GLYPH_COLOURS,
    MOTIONS,
    RADIUS_PX,
    RARE_SHAPES,
    SIGN_SHAPES,
    SIZES,
    SYMBOLS,
    TEXTURES,
)
from rewind.worlds.sprites import sign_size
from rewind.worlds.truth import Appearance, Box, Change, Path, SceneTruth, Sign

SCENE_SECONDS = (8, 24)
LEAST_OBJECTS = 4
_TRIES = 60
_PAD_PX = 3


@dataclass(frozen=True)
class ScenePlan:
    """How often a scene holds what; the defaults are those of worlds-v1."""

    sign_rate: float = 0.5
    change_rate: float = 0.45
    crowd: tuple[int, int] = (4, 6)
    visitors: tuple[int, int] = (1, 3)
    most_objects: int = 8

    def __post_init__(self) -> None:
        if not (0 <= self.sign_rate <= 1 and 0 <= self.change_rate <= 1):
            raise ConfigError(f"rates {self.sign_rate}, {self.change_rate}", allowed="0–1")
        if not 1 <= self.crowd[0] <= self.crowd[1] < self.most_objects:
            raise ConfigError(f"a crowd of {self.crowd}", allowed=f"1 to {self.most_objects - 1} objects")


def pick(rng: np.random.Generator, options: tuple[str, ...]) -> str:
    return options[int(rng.integers(len(options)))]


def _other(rng: np.random.Generator, options: tuple[str, ...], than: str) -> str:
    return pick(rng, tuple(o for o in options if o != than))


def draw_code(rng: np.random.Generator, length: int) -> str:
    return "".join(pick(rng, glyphs.CHARACTERS) for _ in range(length))


def _rival(rng: np.random.Generator, sign: Sign, attribute: str) -> Sign:
    """`sign` with one attribute replaced; colours stay on the same side of light and dark."""
    if attribute == "colour":
        alike = tuple(c for c in COLOURS if GLYPH_COLOURS[c] == GLYPH_COLOURS[sign.colour])
        return replace(sign, colour=_other(rng, alike, sign.colour))
    if attribute == "glyph_colour":
        return replace(sign, glyph_colour=_other(rng, GLYPH_COLOURS[sign.colour], sign.glyph_colour))
    if attribute == "shape":
        return replace(sign, shape=_other(rng, SIGN_SHAPES, sign.shape))
    return replace(sign, symbol=_other(rng, SYMBOLS, sign.symbol))


def _overlap(a: Box, b: Box) -> bool:
    pad = _PAD_PX
    return a[0] < b[2] + pad and b[0] < a[2] + pad and a[1] < b[3] + pad and b[1] < a[3] + pad


def _signs(rng: np.random.Generator, duration: int) -> tuple[Sign, ...]:
    """A target and two rivals that each share all but one attribute with it; one rival's code is off by one glyph."""
    length = int(rng.integers(3, 5))
    colour = pick(rng, COLOURS)
    target = Sign(
        code=draw_code(rng, length),
        shape=pick(rng, SIGN_SHAPES),
        colour=colour,
        glyph_colour=pick(rng, GLYPH_COLOURS[colour]),
        symbol=pick(rng, SYMBOLS),
        start_s=0,
        end_s=1,
        box=(0, 0, 0, 0),
        scale=int(rng.choice(glyphs.GLYPH_SCALES, p=(0.2, 0.5, 0.3))),
    )
    attributes = rng.permutation(np.array(["colour", "glyph_colour", "shape", "symbol"]))
    first = replace(_rival(rng, target, str(attributes[0])), code=draw_code(rng, length))
    place = int(rng.integers(length))
    letter = _other(rng, glyphs.CHARACTERS, target.code[place])
    near = target.code[:place] + letter + target.code[place + 1 :]
    second = replace(_rival(rng, target, str(attributes[1])), code=near)
    while first.code in (target.code, near):
        first = replace(first, code=draw_code(rng, length))
    group = [(target, first, second)[i] for i in rng.permutation(3)]
    begin = int(rng.integers(1, duration - 5))
    placed: list[Sign] = []
    scale = target.scale
    while len(placed) < len(group):
        placed = []
        for sign in group:
            box = free_box(rng, sign_size(sign.shape, length, scale), [p.box for p in placed])
            if box is None:
                scale = max(2, scale - 1)
                break
            start = min(begin + int(rng.integers(0, 4)), duration - 2)
            end = min(start + int(rng.integers(2, 5)), duration)
            placed.append(replace(sign, start_s=start, end_s=end, box=box, scale=scale))
    return tuple(placed)


def free_box(rng: np.random.Generator, size: tuple[int, int], taken: list[Box]) -> Box | None:
    height, width = size
    if width > FRAME_PX - 4:
        return None
    for _ in range(_TRIES):
        x, y = int(rng.integers(2, FRAME_PX - width - 1)), int(rng.integers(2, FRAME_PX - height - 1))
        box = (x, y, x + width, y + height)
        if not any(_overlap(box, other) for other in taken):
            return box
    return None


def _stretches(rng: np.random.Generator, duration: int) -> list[tuple[int, int]]:
    """One or two stays of 2–5 s, at least 2 s apart."""
    first = int(rng.integers(2, 6))
    if duration >= 12 and rng.random() < 0.45:
        second = int(rng.integers(2, 5))
        spare = duration - first - second - 2
        start = int(rng.integers(0, spare + 1))
        gap = 2 + int(rng.integers(0, spare - start + 1))
        return [(start, start + first), (start + first + gap, start + first + gap + second)]
    start = int(rng.integers(0, duration - first + 1))
    return [(start, start + first)]


def _path(rng: np.random.Generator, motion: str, radius: int, seconds: int) -> Path:
    edge = radius + 3
    low, high = edge, FRAME_PX - edge
    x, y = (float(v) for v in rng.integers(low, high + 1, 2))
    if motion == "circling":
        reach = float(rng.integers(10, 19))
        x, y = min(max(x, low + reach), high - reach), min(max(y, low + reach), high - reach)
        return Path(x, y, 0.0, 0.0, reach, round(float(rng.random()), 3), float(rng.choice((-0.21, -0.14, 0.14, 0.21))))
    if motion == "still":
        return Path(x, y)
    speed = float(rng.integers(4, 13))
    travel = min(speed * seconds, float(high - low))
    speed = round(travel / seconds, 3)
    sideways, back = motion in ("left", "right"), motion in ("left", "up")
    start = low + float(rng.integers(0, int(high - low - travel) + 1))
    start = (low + high - start) if back else start
    pace = -speed if back else speed
    return Path(start, y, pace, 0.0) if sideways else Path(x, start, 0.0, pace)


def _crowded(a: Appearance, others: list[Appearance], signs: tuple[Sign, ...]) -> bool:
    """Whether `a` would cover, or be covered by, something else at any half second."""
    for half in range(2 * a.start_s, 2 * a.end_s):
        t = half / 2
        box = a.box(t)
        for other in others:
            if other.start_s <= t < other.end_s and _overlap(box, other.box(t)):
                return True
        for sign in signs:
            if sign.start_s <= t < sign.end_s and _overlap(box, sign.box):
                return True
    return False


def place_object(
    rng: np.random.Generator,
    look: dict[str, str],
    *,
    number: int,
    stay: tuple[int, int],
    others: list[Appearance],
    signs: tuple[Sign, ...],
) -> Appearance | None:
    """An object of that look on a path where it hides nothing; it stands still where no moving path is free."""
    radius = RADIUS_PX[look["size"]]
    for attempt in range(_TRIES):
        motion = look["motion"] if attempt < _TRIES // 2 else "still"
        path = _path(rng, motion, radius, stay[1] - stay[0])
        placed = Appearance(
            number,
            **{**look, "motion": motion},
            start_s=stay[0],
            end_s=stay[1],
            entered_s=stay[0],
            path=path,
            radius_px=radius,
        )
        if not _crowded(placed, others, signs):
            return placed
    return None


def draw_look(rng: np.random.Generator, shapes: tuple[str, ...]) -> dict[str, str]:
    return {
        "shape": pick(rng, shapes),
        "colour": pick(rng, COLOURS),
        "size": pick(rng, SIZES),
        "texture": pick(rng, TEXTURES),
        "motion": pick(rng, MOTIONS),
    }


def _change(rng: np.random.Generator, there: list[Appearance]) -> tuple[list[Appearance], tuple[Change, ...]]:
    able = [a for a in there if a.end_s - a.start_s >= 4]
    if not able:
        return there, ()
    a = able[int(rng.integers(len(able)))]
    at, after = int(rng.integers(a.start_s + 2, a.end_s - 1)), _other(rng, COLOURS, a.colour)
    change = Change(a.object, a.shape, a.size, a.texture, a.colour, after, at)
    parts = [replace(a, end_s=at), replace(a, start_s=at, colour=after)]
    return [p for b in there for p in (parts if b is a else [b])], (change,)


def plan_scene(seed: int, number: int = 0, *, plan: ScenePlan | None = None) -> SceneTruth:
    """The truth of scene `number` of `seed`; the same arguments give the same truth, byte for byte."""
    plan = plan or ScenePlan()
    rng = np.random.default_rng(np.random.SeedSequence([seed, number, 1]))
    duration = int(rng.integers(SCENE_SECONDS[0], SCENE_SECONDS[1] + 1))
    background = pick(rng, BACKGROUNDS)
    signs = _signs(rng, duration) if rng.random() < plan.sign_rate else ()
    there: list[Appearance] = []
    crowd = int(rng.integers(plan.crowd[0], plan.crowd[1] + 1))
    visitors = min(int(rng.integers(plan.visitors[0], plan.visitors[1] + 1)), plan.most_objects - crowd)
    for k in range(crowd):
        placed = place_object(
            rng, draw_look(rng, COMMON_SHAPES), number=k, stay=(0, duration), others=there, signs=signs
        )
        there += [placed] if placed else []
    for k in range(crowd, crowd + visitors):
        look = draw_look(rng, RARE_SHAPES)
        for stay in _stretches(rng, duration):
            placed = place_object(rng, look, number=k, stay=stay, others=there, signs=signs)
            there += [placed] if placed else []
    changes: tuple[Change, ...] = ()
    if rng.random() < plan.change_rate:
        there, changes = _change(rng, there)
    number_next = crowd + visitors
    for _ in range(_TRIES):
        if len({a.object for a in there}) >= LEAST_OBJECTS:
            break
        # Where boards left no room for the crowd, small things that stand still find some.
        look = {**draw_look(rng, COMMON_SHAPES), "size": "small", "motion": "still"}
        placed = place_object(rng, look, number=number_next, stay=(0, duration), others=there, signs=signs)
        if placed:
            there, number_next = [*there, placed], number_next + 1
    return SceneTruth(seed, number, duration, background, tuple(there), signs, changes)
