"""The control finds a leak where one is planted, and nothing where the questions are fair."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rewind.errors import ConfigError, TestSeedError
from rewind.evaluate.question_only import fit, training_questions
from rewind.worlds import TRAIN_SEEDS, Question, make_world, questions
from rewind.worlds.splits import VALIDATION_SEEDS


@pytest.fixture(scope="module")
def learned() -> list[Question]:
    return training_questions(60, scenes=60, worlds=6, per_kind=40)


@pytest.fixture(scope="module")
def held_out() -> list[Question]:
    world = make_world(VALIDATION_SEEDS.start + 3, seconds=60)
    return questions(world, np.random.default_rng(1), per_kind=40)


def test_a_planted_leak_is_found(learned: list[Question], held_out: list[Question]) -> None:
    def leaking(asked: list[Question]) -> list[Question]:
        return [replace(q, text=f"{q.text} {'indeed' if q.answer == 'yes' else 'perhaps'}") for q in asked]

    exists = [q for q in learned if q.kind == "exists"]
    control = fit(leaking(exists))
    asked = leaking([q for q in held_out if q.kind == "exists"])
    assert np.mean([control.right(q) for q in asked]) >= 0.9


def test_fair_questions_stay_near_chance(learned: list[Question], held_out: list[Question]) -> None:
    control = fit(learned)
    exists = [control.right(q) for q in held_out if q.kind == "exists"]
    assert len(exists) == 40
    assert 0.2 < np.mean(exists) < 0.8
    assert all(control.answer(q) in q.choices for q in held_out if q.choices)
    assert {control.answer(q) for q in held_out if q.kind == "find"} <= {"at", "never"}


def test_it_is_the_likelier_answer_by_hand() -> None:
    base = Question("exists", "exists.object", 0, 0, "red star", "yes", ("yes",), ("yes", "no"), ((1, 2),))
    no = replace(base, answer="no", accepted=("no",), moments=())
    control = fit([base, base, replace(no, text="blue star")])
    assert control.answer(replace(base, text="star")) == "yes"  # twice as often
    assert control.answer(replace(base, text="blue blue blue")) == "no"
    assert control.answer(replace(base, form="state.after", choices=("red", "blue"))) == "red"  # never seen
    with pytest.raises(ConfigError):
        fit([])


def test_it_learns_of_training_scenes_only() -> None:
    with pytest.raises(TestSeedError):
        training_questions(60, seed=TRAIN_SEEDS.stop - 10, scenes=48, worlds=1)
