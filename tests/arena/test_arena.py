"""The arena as a whole: plans that fit a budget, resume to the same result, projected hours, a tiny run end to end."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.arena.conftest import TINY, run
from typer.testing import CliRunner

from rewind.arena import ArenaPlan, chosen
from rewind.arena.encoder import Encoder, load_encoder
from rewind.arena.ledger import require_same_training
from rewind.arena.plan import LEAST_STEPS, Rates, cost, fit, scenes_to_test
from rewind.arena.questions import chance, draw_questions
from rewind.arena.report import kept_report
from rewind.arena.run import Banks
from rewind.arena.table import rows, spread, text
from rewind.arena.trial import Marked, absent_f1, grounding, seen_from
from rewind.cli import app
from rewind.cli.arena import parse_duration
from rewind.errors import ConfigError, WeightsError
from rewind.train.examples import Example
from rewind.worlds.plan import plan_scene
from rewind.worlds.question import Question
from rewind.worlds.splits import VALIDATION_SEEDS

RATES = Rates({"rewind": (1.0, 2.0), "uniform": (0.5, 1.0)}, {"rewind": 0.04, "uniform": 0.04})


def stripped(report: dict[str, Any]) -> Any:
    """A report without what a clock says or where it lies."""
    clean = json.loads(json.dumps(report))
    for row in clean["rows"]:
        del row["seconds"], row["train_seconds"]
    del clean["projected_hours"], clean["out"]
    return clean


def test_a_budget_cuts_questions_then_steps_alike() -> None:
    plan, who = ArenaPlan(short=100, long=50), chosen(["rewind", "uniform"])
    whole = cost(plan, who, RATES, seeds=2)
    assert whole.train_s == 2 * (100 * 1.5 + 50 * 3)
    assert fit(plan, who, RATES, seeds=2, budget_s=10 * whole.total_s) == plan
    cut = fit(plan, who, RATES, seeds=2, budget_s=300)
    assert cut.per_kind < plan.per_kind
    assert cut.short / cut.long == pytest.approx(2, rel=0.1)
    assert cost(cut, who, RATES, seeds=2).total_s <= 300
    with pytest.raises(ConfigError, match="or more for these recipes"):
        fit(plan, who, RATES, seeds=2, budget_s=20)
    assert cut.long > LEAST_STEPS


def test_plans_that_make_no_sense_are_refused() -> None:
    for wrong in ({"minutes": 0.1}, {"tokens": 100}, {"split": "train"}, {"per_kind": 0}, {"minutes": 60}):
        with pytest.raises(ConfigError):
            ArenaPlan(**wrong)


def test_an_hour_has_the_scenes_that_it_needs() -> None:
    assert scenes_to_test(2) == scenes_to_test(10) == ArenaPlan().test_scenes
    scenes = scenes_to_test(60)
    lengths = [plan_scene(VALIDATION_SEEDS.start + i, 0).duration_s for i in range(scenes)]
    assert sum(lengths) > 2 * 3600
    assert ArenaPlan(minutes=60, test_scenes=scenes).frames == 3600


def test_a_tiny_arena_end_to_end_says_its_hours_first(tiny_encoder: Encoder, banks: Banks, tmp_path: Path) -> None:
    said: list[str] = []
    report = run(tiny_encoder, banks, tmp_path, "rewind", "rewind-top-k", "uniform", "question-only", said=said)
    at = next(i for i, line in enumerate(said) if line.startswith("projected:"))
    assert "hours" in said[at]
    assert not any("trained" in line for line in said[:at] if not line.startswith("projected"))
    assert report["finished"]
    assert [r["recipe"] for r in report["rows"]] == ["rewind", "rewind-top-k", "uniform", "question-only"]
    assert report["rows"][1]["weights_of"] == "rewind"
    assert all(r["tokens_most"] <= TINY.tokens for r in report["rows"])
    assert report["rows"][3]["tokens_most"] == 0
    assert json.loads((tmp_path / "results.json").read_text()) == report
    table = (tmp_path / "table.txt").read_text()
    assert "rewind-top-k*" in table
    assert "chance" in table
    assert (tmp_path / "arena.png").stat().st_size > 5000
    assert not list(tmp_path.rglob("*.tmp"))
    best = max((r["accuracy"] for r in report["rows"]), key=lambda a: a["mean"])
    low, high = best["interval"]
    assert low < best["mean"] < high
    assert f"{low:.3f} to {high:.3f}".replace("0.", ".") in table
    assert report["rows"][0]["accuracy_less_rewind"] is None
    apart = report["rows"][2]["accuracy"]["mean"] - report["rows"][0]["accuracy"]["mean"]
    assert report["rows"][2]["accuracy_less_rewind"]["mean"] == pytest.approx(apart, abs=2e-4)
    for weights in tmp_path.rglob("state.pt"):  # results can be handed on without them
        weights.unlink()
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert kept_report(tmp_path) == report
    shown = CliRunner().invoke(app, ["arena", "--out", str(tmp_path), "--show"])
    assert (shown.exit_code, shown.stdout) == (0, table)
    assert json.loads(CliRunner().invoke(app, ["arena", "--out", str(tmp_path), "--show", "--json"]).stdout) == report
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize(
    ("held", "line"),
    [(None, "no arena.json there"), ("{}", "allowed: an arena of this version"), ("[", "allowed: a JSON file")],
)
def test_a_folder_without_an_arena_shows_none(tmp_path: Path, held: str | None, line: str) -> None:
    if held is not None:
        (tmp_path / "arena.json").write_text(held)
    shown = CliRunner().invoke(app, ["arena", "--out", str(tmp_path), "--show"])
    assert shown.exit_code == 1
    assert line in shown.stderr
    assert shown.stderr.count("\n") == 1


def test_a_stopped_arena_goes_on_to_the_same_result(tiny_encoder: Encoder, banks: Banks, tmp_path: Path) -> None:
    want = run(tiny_encoder, banks, tmp_path / "whole", "uniform", "question-only")
    plan = json.loads((tmp_path / "whole" / "arena.json").read_text())
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "arena.json").write_text(json.dumps(plan))
    stopped = [run(tiny_encoder, banks, tmp_path / "parts", "uniform", "question-only", stop_at=time.monotonic())]
    for wait in (0.3, 0.6, 1.0, 1.5):
        stop = time.monotonic() + wait
        stopped.append(run(tiny_encoder, banks, tmp_path / "parts", "uniform", "question-only", stop_at=stop))
    assert not stopped[0]["finished"]
    assert "goes on" in stopped[0]["notes"][-1]
    got = run(tiny_encoder, banks, tmp_path / "parts", "uniform", "question-only")
    assert stripped(got) == stripped(want)


def test_a_folder_that_holds_another_arena_is_refused(tiny_encoder: Encoder, banks: Banks, tmp_path: Path) -> None:
    run(tiny_encoder, banks, tmp_path, "question-only")
    with pytest.raises(ConfigError, match="another tokens"):
        run(tiny_encoder, banks, tmp_path, "question-only", plan=replace(TINY, tokens=128))
    plan = json.loads((tmp_path / "arena.json").read_text())
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "arena.json").write_text(json.dumps({**plan, "decoder_sha256": "0"}))
    with pytest.raises(ConfigError, match="another decoder"):
        run(tiny_encoder, banks, tmp_path / "other", "question-only")
    for damaged in ("[", "[]", '{"a": 1}'):
        (tmp_path / "other" / "arena.json").write_text(damaged)
        with pytest.raises(ConfigError, match=r"arena\.json"):
            run(tiny_encoder, banks, tmp_path / "other", "question-only")
        with pytest.raises(ConfigError, match=r"arena\.json"):
            require_same_training(tmp_path / "other", TINY, encoder="0", decoder="0")
    more = run(tiny_encoder, banks, tmp_path, "question-only", seeds=2)
    assert more["rows"][0]["seeds"] == [0, 1]
    assert more["rows"][0]["accuracy"]["sd"] is not None


def test_another_test_takes_what_was_trained(tiny_encoder: Encoder, banks: Banks, tmp_path: Path) -> None:
    longer, said = replace(TINY, minutes=0.75), list[str]()
    want = run(tiny_encoder, banks, tmp_path / "anew", "uniform", "question-only", plan=longer)
    run(tiny_encoder, banks, tmp_path / "first", "uniform")
    curve = (tmp_path / "first" / "uniform" / "seed-0" / "curve.jsonl").read_text()
    got = run(
        tiny_encoder, banks, tmp_path / "second", "uniform", "question-only", plan=longer, weights=tmp_path / "first",
        said=said,
    )  # fmt: skip
    assert any(line.startswith("1 recipes taken from ") for line in said)
    assert (tmp_path / "second" / "uniform" / "seed-0" / "curve.jsonl").read_text() == curve
    assert stripped(got) == stripped(want)
    assert not list(tmp_path.rglob("*.tmp"))
    for name, other, why in (
        ("steps", replace(TINY, short=5), "another short;"), ("none", TINY, "no arena.json there"),
    ):  # fmt: skip
        source = tmp_path / ("first" if name == "steps" else "nowhere")
        with pytest.raises(ConfigError, match=why):
            run(tiny_encoder, banks, tmp_path / name, "uniform", plan=other, weights=source)


def marked(scores: list[float], moments: tuple[tuple[int, int], ...], *, kind: str = "find") -> Marked:
    q = Question(kind, "find.object", 0, 0, "when?", "", (), (), moments)  # type: ignore[arg-type]
    relevant = np.zeros((len(scores), 2), dtype=bool)
    return Marked(Example(np.arange(len(scores)), q, relevant), True, np.array(scores), None, 0, len(scores))


def test_the_best_moment_is_measured_and_absence_has_its_threshold() -> None:
    found = [marked([0, 0.9, 0.8, 0.1, 0], ((1, 3),)), marked([0, 0, 0, 0.3, 0], ((0, 2),))]
    figures = grounding(found)
    assert figures == {"R@1 IoU 0.3": 0.5, "R@1 IoU 0.5": 0.5, "R@1 IoU 0.7": 0.5, "mIoU": 0.5}
    absent = [marked([0.1, 0.2, 0.1], ()), marked([0.6, 0.2, 0.1], ())]
    threshold = seen_from([*found, *absent])
    assert 0.2 < threshold < 0.3 or 0.6 < threshold < 0.9
    assert absent_f1([*found, *absent], threshold=0.25) == pytest.approx(2 / 3, abs=1e-3)
    assert absent_f1([], threshold=0.5) is None


def test_questions_are_the_same_each_time_and_hold_every_kind(banks: Banks) -> None:
    first, again = (draw_questions(banks.test, frames=60, per_kind=3, seed=0) for _ in range(2))
    assert [e.question.text for e in first] == [e.question.text for e in again]
    kinds = {e.question.kind for e in first}
    assert {"needle", "exists", "order", "breakpoint", "state", "find"} <= kinds
    assert all(len(e.rows) == 60 == len(e.relevant) for e in first)
    assert 0 < chance([e for e in first if e.question.kind == "exists"]) <= 0.5


def test_spread_and_table_hold_for_one_seed_and_for_none() -> None:
    assert spread([None]) is None
    assert spread([0.5]) == {"mean": 0.5, "sd": None, "interval": None, "seeds": [0.5]}
    assert spread([0.4, 0.6])["sd"] == pytest.approx(0.1414, abs=1e-4)
    assert rows({}, {}) == []
    assert "no recipe" in text({"rows": [], "notes": []})


def test_an_encoder_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="training run"):
        load_encoder(str(tmp_path / "none"))


def test_the_command_names_recipes_and_reads_times() -> None:
    said = CliRunner().invoke(app, ["arena", "--list"]).stdout
    assert "rewind-no-instruction" in said
    assert "bridge" in said
    assert [parse_duration(t) for t in ("90s", "20m", "8h", "1.5h", "5")] == [90, 1200, 28800, 5400, 300]
    with pytest.raises(Exception, match="allowed"):
        parse_duration("soon")
