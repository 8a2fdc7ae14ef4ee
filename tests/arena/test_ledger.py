"""An arena's folder: what is still to be done in it, and how long that will take."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rewind.arena import ArenaPlan, chosen
from rewind.arena.ledger import Arena
from rewind.arena.plan import Rates, cost
from rewind.arena.report import projection

PLAN = ArenaPlan(short=40, long=10)
RATES = Rates({"rewind": (1.0, 2.0), "uniform": (0.5, 1.0)}, {"rewind": 0.04, "uniform": 0.02})
WHO = chosen(["rewind", "rewind-top-k", "uniform"])


@pytest.fixture
def arena(tmp_path: Path) -> Arena:
    return Arena(tmp_path, PLAN, PLAN, RATES, "nano", "0", "none", "")


def trained(arena: Arena, recipe: str, *, short: int, long: int) -> None:
    """Leave behind what a training of seed 0 has after so many steps, its last line half written."""
    place = arena.place(recipe, 0)
    place.mkdir(parents=True)
    steps = [*((0, n) for n in range(short)), *((1, n) for n in range(long))]
    rows = [json.dumps({"stage": stage, "step": step, "seconds": 0.5}) + "\n" for stage, step in steps]
    (place / "curve.jsonl").write_text("".join(rows) + '{"stage": 1, "st')
    (place / "state.pt").touch()


def test_nothing_done_takes_what_the_whole_does(arena: Arena) -> None:
    whole = cost(PLAN, WHO, RATES, seeds=2)
    left = arena.left(WHO, seeds=2)
    assert (left.train_s, left.test_s) == (pytest.approx(whole.train_s), pytest.approx(whole.test_s))


def test_steps_and_tests_that_are_done_take_nothing(arena: Arena) -> None:
    tests = arena.left(WHO, seeds=1).test_s
    trained(arena, "rewind", short=40, long=10)  # as taken with --weights
    trained(arena, "uniform", short=30, long=0)
    assert arena.left(WHO, seeds=1).train_s == 10 * 0.5 + 10 * 1.0
    assert arena.left(WHO, seeds=1).test_s == pytest.approx(tests)
    arena.add("rewind", 0, {"seed": 0}, [])
    top_k = RATES.testing_s(WHO[1], PLAN)
    assert 0 < top_k < RATES.testing_s(WHO[0], PLAN)
    assert arena.left(WHO, seeds=1).test_s == pytest.approx(top_k + RATES.testing_s(WHO[2], PLAN))
    for name in ("rewind-top-k", "uniform"):
        arena.add(name, 0, {"seed": 0}, [])
    assert arena.left(WHO, seeds=1).total_s == 0
    again = arena.left(WHO, seeds=2)
    assert again == cost(PLAN, WHO, RATES, seeds=1)
    assert "not done yet of 3 recipes asked for, 2 seeds" in projection(arena, again, WHO, 2)
    assert arena.train_seconds("uniform", 0) == 15.0


def test_a_curve_without_a_checkpoint_is_of_steps_to_be_taken_again(arena: Arena) -> None:
    trained(arena, "uniform", short=40, long=10)
    (arena.place("uniform", 0) / "state.pt").unlink()
    assert arena.left(chosen(["uniform"]), seeds=1).train_s == 40 * 0.5 + 10 * 1.0
