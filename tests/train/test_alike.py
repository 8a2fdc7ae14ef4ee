"""Changes among things that look alike: other scenes hold the look and no change of it, and questions name it once."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from rewind.train.alike import Alike
from rewind.train.bank import ProjectedBank
from rewind.train.examples import draw_example
from rewind.worlds import SceneTruth, plan_scene
from rewind.worlds.looks import COLOURS, SHAPES, SIZES, TEXTURES


@pytest.fixture(scope="module")
def scenes() -> tuple[SceneTruth, ...]:
    return tuple(plan_scene(n, 0) for n in range(300))


@pytest.mark.parametrize("sized", [False, True])
def test_what_is_drawn_beside_a_change_looks_like_it_and_does_not_change(
    scenes: tuple[SceneTruth, ...], sized: bool
) -> None:
    alike = Alike(scenes, sized=sized)
    rng = np.random.default_rng(0)
    for _ in range(100):
        (first, *others), words = alike.draw(rng)
        assert 1 <= len(others) <= 3
        assert first not in others
        named = words.split()
        assert bool(set(named) & set(SIZES)) == sized
        meant = [c for c in scenes[first].changes if _names(named, c.shape, c.texture, c.size)]
        assert meant
        for other in others:
            like = [a for a in scenes[other].appearances if _names(named, a.shape, a.texture, a.size)]
            colours = {c for change in meant for c in (change.before, change.after)}
            assert any(a.colour in colours for a in like)


def test_a_bank_without_changes_has_none_to_draw(scenes: tuple[SceneTruth, ...]) -> None:
    still = [s for s in scenes if not s.changes][:5]
    assert Alike(still, sized=False).draw(np.random.default_rng(0)) == ([], "")


def test_videos_in_which_things_look_alike_come_more_often_where_asked_for(scenes: tuple[SceneTruth, ...]) -> None:
    first = np.cumsum([0, *(s.duration_s for s in scenes)])
    bank = ProjectedBank(scenes, first, torch.zeros(1))

    def share(alike: float) -> float:
        rng = np.random.default_rng(3)
        found = 0
        for _ in range(60):
            example = draw_example(bank, rng, frames=96, kind="state", any_level=True, alike=alike)
            words = example.question.text.strip("?.").lower().replace(".", "").split()
            here = {int(n) for n in np.searchsorted(first, example.rows, side="right") - 1}
            seen = [a for n in here for a in scenes[n].appearances]
            found += sum(_names(words, a.shape, a.texture, a.size) and a.colour in words for a in seen) > 1
        return found / 60

    assert share(0.0) < 0.3
    assert share(1.0) > 0.45


def _names(words: list[str], shape: str, texture: str, size: str) -> bool:
    """Whether a phrase is of such a thing, its colour left open."""
    assert {*COLOURS, *SHAPES, *TEXTURES, *SIZES} & set(words)
    return shape in words and texture in words and (size in words or not set(words) & set(SIZES))
