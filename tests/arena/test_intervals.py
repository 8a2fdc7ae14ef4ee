"""Intervals of an arena's figures: parts whose mean is the figure, questions paired, folders that kept no question."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.arena.conftest import TINY, bank_of, run
from tests.arena.test_arena import marked

from rewind.arena.encoder import Encoder
from rewind.arena.intervals import difference, interval_of, parts_of
from rewind.arena.questions import draw_questions
from rewind.arena.run import Banks
from rewind.arena.table import rows, text
from rewind.arena.trial import Marked, figures, lines
from rewind.worlds import KINDS
from rewind.worlds.splits import VALIDATION_SEEDS


@pytest.fixture(scope="module")
def tried() -> list[Marked]:
    """A test with results drawn at random: the later the kind, the more is right; absence is told mostly right."""
    rng = np.random.default_rng(0)
    examples = draw_questions(bank_of(VALIDATION_SEEDS.start, 12), frames=60, per_kind=24, seed=0)
    return [
        Marked(
            e, bool(rng.random() < 0.2 + 0.1 * KINDS.index(e.question.kind)),
            rng.random(60) ** 9 * (0.5 if bool(e.question.moments) == (i % 6 == 0) else 1.0),
            bool(rng.random() < 0.5) if e.relevant.any() else None, 64, 60,
        )
        for i, e in enumerate(examples)
    ]  # fmt: skip


def mean(parts: dict[Any, float]) -> float:
    return float(np.mean(list(parts.values())))


def test_the_mean_of_a_figures_parts_is_the_figure(tried: list[Marked]) -> None:
    shown, parts = figures(tried, threshold=0.5), parts_of(lines(tried, threshold=0.5))
    assert 0 < shown["absent_f1"] < 1
    want = {**shown["find"], **{name: shown[name] for name in ("accuracy", "absent_f1", "hit")}}
    want |= {kind: of["accuracy"] for kind, of in shown["kinds"].items() if of["n"]}
    want |= {f"hit {kind}": of["hit"] for kind, of in shown["kinds"].items() if of["hit"] is not None}
    assert parts.keys() == want.keys()
    for name, figure in want.items():
        assert mean(parts[name]) == pytest.approx(figure, abs=6e-5), name


def test_an_interval_is_as_wide_as_drawing_each_kind_anew_makes_it(tried: list[Marked]) -> None:
    rng = np.random.default_rng(1)
    right = [np.array([m.right for m in tried if m.example.question.kind == kind], float) for kind in KINDS]
    right = [of for of in right if len(of)]
    drawn = [np.mean([rng.choice(of, len(of)).mean() for of in right]) for _ in range(4000)]
    ends = interval_of([parts_of(lines(tried, threshold=0.5))["accuracy"]])
    assert ends == pytest.approx(np.quantile(drawn, [0.025, 0.975]), abs=0.02)


def test_the_interval_of_f1_is_that_of_questions_drawn_anew(tried: list[Marked]) -> None:
    rng = np.random.default_rng(2)
    finds = [m for m in tried if m.example.question.kind == "find"] * 8
    finds = [replace(m, example=replace(m.example, rows=m.example.rows + i)) for i, m in enumerate(finds)]
    counts = np.array([[m.called_absent(0.5), not m.example.question.moments] for m in finds], float)
    drawn = []
    for _ in range(2000):
        said, true = counts[rng.integers(0, len(counts), len(counts))].T
        drawn.append(2 * (said * true).sum() / (said + true).sum())
    ends = interval_of([parts_of(lines(finds, threshold=0.5))["absent_f1"]])
    assert ends == pytest.approx(np.quantile(drawn, [0.025, 0.975]), abs=0.03)  # of a width of 0.25


def test_a_difference_is_taken_question_by_question() -> None:
    """Two recipes that nearly agree: the difference is surer than either."""
    rng = np.random.default_rng(3)
    keys = [(str(i), f"find-{i}", "?") for i in range(200)]
    one = dict(zip(keys, (rng.random(200) < 0.6).astype(float), strict=True))
    other = {k: 1.0 if i < 10 else v for i, (k, v) in enumerate(one.items())}
    apart = difference({0: other, 1: other}, {0: one})
    assert apart is not None
    assert apart["seeds"] == [0]
    assert apart["mean"] == pytest.approx(mean(other) - mean(one), abs=1e-4)
    low, high = apart["interval"]
    alone = interval_of([one])
    assert alone is not None
    assert high - low < 0.5 * (alone[1] - alone[0])
    assert difference({0: one}, {1: one}) is None
    assert difference({0: one}, {0: dict(list(other.items())[1:])}) is None
    assert interval_of([one, dict(list(one.items())[1:])]) is None


def test_lines_tell_what_was_asked_and_what_came_of_it() -> None:
    made = lines([marked([0, 0.9, 0.8, 0.1, 0], ((1, 3),)), marked([0.1, 0.2, 0.1], ())], threshold=0.5)
    assert [(x["present"], x["called_absent"], x["iou"]) for x in made] == [(True, False, 1.0), (False, True, None)]
    assert len({x["id"] for x in made}) == len({x["video"] for x in made}) == 2
    assert json.loads(json.dumps(made)) == made


def test_a_recipe_whose_questions_were_not_kept_has_no_intervals(tried: list[Marked]) -> None:
    of = {"video_frames": 60, "budget": 64}
    result = {"train_seconds": 1.0, "steps": [4, 4], "cells": [{**of, "seconds": 0.1, **figures(tried, threshold=0.5)}]}
    kept = [{**of, **line} for line in lines(tried, threshold=0.5)]
    results = {"rewind": {0: result}, "uniform": {0: result, 1: result}}
    best, other = rows(results, {"rewind": {0: kept}, "uniform": {0: kept, 1: kept}})
    assert best["accuracy"]["interval"] == other["accuracy"]["interval"]
    assert all(other["cells"][0][name]["interval"] for name in ("accuracy", "mIoU"))
    assert other["kinds"]["find"]["hit"]["interval"] == best["kinds"]["find"]["hit"]["interval"] is not None
    assert best["accuracy_less_rewind"] is None
    assert other["accuracy_less_rewind"] == {"mean": 0.0, "interval": [0.0, 0.0], "seeds": [0]}
    best, other = rows(results, {"rewind": {0: kept}, "uniform": {0: kept, 1: []}})
    assert best["accuracy"]["interval"]
    assert other["accuracy"]["interval"] is other["accuracy_less_rewind"] is None
    assert other["cells"][0]["mIoU"]["interval"] is None
    table = text({"rows": [best, other], "notes": []}).splitlines()
    low, high = best["accuracy"]["interval"]
    assert f"{low:.3f} to {high:.3f}".replace("0.", ".") in table[1]
    assert "to" not in table[2]


def test_answers_lie_beside_results(tiny_encoder: Encoder, banks: Banks, tmp_path: Path) -> None:
    first = run(tiny_encoder, banks, tmp_path, "question-only")
    path = tmp_path / "question-only" / "seed-0" / "answers.jsonl"
    kept = [json.loads(line) for line in path.read_text().splitlines()]
    row = first["rows"][0]
    assert len(kept) == sum(cell["n"] for cell in row["cells"])
    main = [x for x in kept if (x["video_frames"], x["budget"]) == (TINY.frames, TINY.tokens)]
    assert len(main) == row["n"]
    right = [x["right"] for x in main if x["kind"] == "exists"]
    assert row["kinds"]["exists"]["accuracy"]["mean"] == pytest.approx(np.mean(right), abs=1e-4)
    assert all(cell["accuracy"]["interval"] for cell in row["cells"])
    path.unlink()  # as an arena of an earlier version is
    again = run(tiny_encoder, banks, tmp_path, "question-only")
    assert again["rows"][0]["accuracy"] == {**row["accuracy"], "interval": None}
