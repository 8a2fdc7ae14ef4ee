"""Cards: the same to the byte for a seed, other things each second, nothing hidden by anything else."""

from __future__ import annotations

import json
from itertools import combinations

import numpy as np
import pytest

from rewind.worlds import Index, compose, plan_scene, questions
from rewind.worlds.cards import CARD_SECONDS, plan_card
from rewind.worlds.index import phrase


def test_a_seed_gives_the_same_card() -> None:
    one, two, other = (json.dumps(plan_card(seed).to_json()) for seed in (3, 3, 4))
    assert one == two != other


@pytest.mark.parametrize("seed", range(8))
def test_every_second_shows_its_own_things_and_hides_none(seed: int) -> None:
    card = plan_card(seed)
    for second in range(CARD_SECONDS):
        objects = [a.box(second) for a in card.appearances if a.start_s == second]
        signs = [s.box for s in card.signs if s.start_s == second]
        assert len(objects) + len(signs) >= 1
        for a, b in combinations([*objects, *signs], 2):
            assert a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1]
    assert all(thing.end_s == thing.start_s + 1 for thing in (*card.appearances, *card.signs))


def test_an_order_question_tells_all_stretches_of_both_things_in_the_order_of_its_words() -> None:
    index = Index(compose([plan_scene(seed) for seed in range(30, 40)]))
    asked = questions(index, np.random.default_rng(0), kinds=("order",), per_kind=40)
    assert len(asked) > 10
    for question in asked:
        looks = index.moments(question.level)
        named = list(question.things)
        assert len(named) == 2
        firsts = sorted(moments[0] for moments in named)
        assert tuple(firsts) == question.moments
        places = [
            question.text.index(phrase(look)) for things in named for look, m in looks.items()
            if m == things and phrase(look) in question.text
        ]  # fmt: skip
        assert places
        if question.form == "order.first":
            earlier = named[0] if named[0][0] < named[1][0] else named[1]
            assert any(m == earlier and phrase(look) == question.answer for look, m in looks.items())
