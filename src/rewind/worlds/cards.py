"""Cards: scenes whose every second shows other things, for teaching what things look like and nothing about time."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from rewind.worlds import glyphs
from rewind.worlds.backgrounds import BACKGROUNDS
from rewind.worlds.looks import COLOURS, GLYPH_COLOURS, SHAPES, SIGN_SHAPES, SYMBOLS
from rewind.worlds.plan import draw_code, draw_look, free_box, pick, place_object
from rewind.worlds.sprites import sign_size
from rewind.worlds.truth import Appearance, SceneTruth, Sign

CARD_SECONDS = 4
SIGNS, OBJECTS = (1, 6), (2, 6)
"""From how many to how many a picture, where there is room: characters are what takes longest to learn."""
SCALE_SHARES = (0.4, 0.3, 0.3)
"""Small glyphs are the hard ones: cards show them more often than worlds do."""


def plan_card(seed: int, number: int = 0) -> SceneTruth:
    """The truth of card `number` of `seed`: the same arguments give the same truth, byte for byte.

    A scene of a world shows three signs for a few seconds; to learn to read from such scenes means to learn their few
    codes by heart. A card of `CARD_SECONDS` seconds shows `SIGNS` signs and `OBJECTS` objects anew each second.
    """
    rng = np.random.default_rng(np.random.SeedSequence([seed, number, 4]))
    signs: list[Sign] = []
    there: list[Appearance] = []
    for second in range(CARD_SECONDS):
        here = _signs(rng, second)
        signs += here
        objects: list[Appearance] = []
        for _ in range(int(rng.integers(OBJECTS[0], OBJECTS[1] + 1))):
            look = draw_look(rng, SHAPES)
            stay = (second, second + 1)
            placed = place_object(
                rng, look, number=len(there) + len(objects), stay=stay, others=objects, signs=tuple(here)
            )
            objects += [placed] if placed else []
        there += objects
    return SceneTruth(seed, number, CARD_SECONDS, pick(rng, BACKGROUNDS), tuple(there), tuple(signs), ())


def _signs(rng: np.random.Generator, second: int) -> list[Sign]:
    signs: list[Sign] = []
    for _ in range(int(rng.integers(SIGNS[0], SIGNS[1] + 1))):
        length, colour, shape = int(rng.integers(3, 5)), pick(rng, COLOURS), pick(rng, SIGN_SHAPES)
        scale = int(rng.choice(glyphs.GLYPH_SCALES, p=SCALE_SHARES))
        box = free_box(rng, sign_size(shape, length, scale), [s.box for s in signs])
        if box is None:
            continue
        signs.append(
            Sign(
                code=draw_code(rng, length), shape=shape, colour=colour, glyph_colour=pick(rng, GLYPH_COLOURS[colour]),
                symbol=pick(rng, SYMBOLS), start_s=second, end_s=second + 1, box=box, scale=scale,
            )
        )  # fmt: skip
    return signs


Planner = Callable[[int, int], SceneTruth]
"""From a seed and a number to the truth of a scene: `plan_scene` or `plan_card`."""
