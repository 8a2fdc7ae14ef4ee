"""`rewind evaluate`: which command is meant, what is refused, what is printed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

from rewind.evaluate import on_benchmark, on_worlds
from rewind.evaluate.figures import summarise

Run = Callable[..., Result]
FIGURES = {
    "metrics": {"R1@0.5": 50.0}, "n": 2, "videos": 2, "unparsed": 1, "intervals_95": {"R1@0.5": [0.0, 100.0]},
    "notes": ["!"],
}  # fmt: skip


@pytest.fixture
def truth(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "truth.txt"
    path.write_text("one 0.0 10.0##a red star\none 4.0 6.0##a dog\n")
    return path


def test_a_predictions_file_is_scored(run: Run, truth: Path) -> None:
    Path("p.json").write_text('{"0": [0, 10]}')
    result = run("evaluate", "charades-sta", "--predictions", "p.json", "--annotations", str(truth))
    assert result.exit_code == 0, result.stderr
    counts = "charades-sta · 2 questions on 1 video · 1 without an answer that can be read"
    assert result.stdout.splitlines()[0] == counts
    data = json.loads(
        run("evaluate", "charades-sta", "--predictions", "p.json", "--annotations", str(truth), "--json").stdout
    )
    assert set(data) == {"benchmark", "metrics", "n", "videos", "unparsed", "intervals_95", "notes"}
    assert (data["n"], data["videos"]) == (2, 1)
    assert data["metrics"]["R1@0.7"] == 50.0


def test_predictions_may_be_percent(run: Run, truth: Path) -> None:
    Path("p.json").write_text('{"0": "from 0 to 50"}')
    given = ["evaluate", "charades-sta", "--predictions", "p.json", "--annotations", str(truth), "--bare", "percent"]
    refused = run(*given)
    assert refused.exit_code == 1
    assert "durations of 2 of 2 queries' videos are not known" in refused.stderr
    assert refused.stderr.count("\n") == 1
    Path("Charades_v1_test.csv").write_text("id,length\none,20\n")
    data = json.loads(run(*given, "--json").stdout)
    assert data["metrics"]["R1@0.7"] == 50.0
    assert any("(--bare percent)" in note for note in data["notes"])
    assert run(*given[:-1], "frames").exit_code == 2


def test_a_model_runs_where_videos_are_given(run: Run, truth: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []

    def fake(given: Any, *, seed: int, progress: Any) -> dict[str, Any]:
        seen.append(given)
        progress("answering", 1, 2)
        return {"benchmark": "charades-sta", **FIGURES, "predictions": str(given.file), "model": given.model}

    monkeypatch.setattr(on_benchmark, "evaluate_benchmark", fake)
    result = run("evaluate", "charades-sta", "--videos", ".", "--annotations", str(truth))
    assert result.exit_code == 0, result.stderr
    assert (seen[0].model, str(seen[0].videos)) == ("nano", ".")
    assert result.stdout.splitlines()[-1] == "answers: predictions-charades-sta-nano.jsonl"


JUDGE = ["--predictions", "p.json", "--judge", "http://x/v1"]


@pytest.mark.parametrize(
    ("benchmark", "options", "line"),
    [
        ("foo", ["--predictions", "p.json"], "benchmark 'foo'; allowed: charades-sta, "),
        ("charades-sta", [], "neither --videos nor --predictions"),
        ("charades-sta", ["--predictions", "p.json", "--model", "nano"], "--model nano without --videos"),
        ("charades-sta", ["--predictions", "p.json", "--image-text", "hub:."], "--image-text hub:. without --videos"),
        ("charades-sta", ["--videos", ".", "--model", "nope"], "'nope'; allowed: nano, a folder with config.json"),
        ("charades-sta", ["--videos", ".", "--predictions", "p.json"], "allowed: a name that ends in .jsonl"),
        ("charades-sta", [*JUDGE, "--judge-model", "m"], "a judge for moviechat only"),
        ("charades-sta", ["--videos", ".", *JUDGE[2:], "--judge-model", "m"], "a judge for moviechat only"),
        ("moviechat", JUDGE, "--judge without --judge-model"),
        ("moviechat", [*JUDGE[:3], "ftp://x", "--judge-model", "m"], "judge 'ftp://x'; allowed: an http(s) address"),
        ("moviechat", [*JUDGE[:2], "--judge-model", "m"], "--judge-model without --judge"),
        ("moviechat", [*JUDGE[:2], "--judge-prompt", "p.txt"], "--judge-prompt without --judge"),
        ("moviechat", [*JUDGE[:2], "--judge-record", "r.jsonl"], "--judge-record without --judge"),
        ("charades-sta", ["--videos", ".", "--judge-record", "r.jsonl"], "--judge-record without --judge"),
        ("charades-sta", ["--videos", ".", "--bare", "percent"], "--bare percent with --videos; allowed: seconds"),
        (
            "qvhighlights",
            [*JUDGE[:2], "--bare", "percent"],
            "--bare percent for qvhighlights; allowed: it for charades",
        ),
    ],
)
def test_contradictions_are_wrong_usage(run: Run, truth: Path, benchmark: str, options: list[str], line: str) -> None:
    result = run("evaluate", benchmark, "--annotations", str(truth), *options)
    assert_refused(result, truth, line, code=2)
    assert result.stderr.rstrip().endswith("see: rewind evaluate benchmark --help")


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (["--videos", ".", "--predictions", "no/p.jsonl"], "no such folder"),
        (["--videos", "none"], "--videos none: no such folder"),
        (["--predictions", "p.json"], "p.json: not there"),
    ],
)
def test_files_that_do_not_fit_are_one_line(run: Run, truth: Path, options: list[str], line: str) -> None:
    assert_refused(run("evaluate", "charades-sta", "--annotations", str(truth), *options), truth, line, code=1)


def assert_refused(result: Result, truth: Path, line: str, *, code: int) -> None:
    assert result.exit_code == code, result.stderr
    assert line in result.stderr
    assert result.stderr.count("\n") == 1
    assert sorted(p.name for p in truth.parent.iterdir()) == ["truth.txt"]


def test_usage(run: Run, truth: Path) -> None:
    assert run("evaluate", "charades-sta", "--videos", ".").exit_code == 2
    assert run("evaluate", "--annotations", str(truth)).exit_code == 2
    assert "worlds" in run("evaluate", "--help").stdout
    assert "--per-kind" in run("evaluate", "worlds", "--help").stdout
    assert "--annotations" in run("evaluate", "nextqa", "--help").stdout
    assert "OPENAI_API_KEY" in run("evaluate", "nextqa", "--help").stdout


def test_worlds_are_passed_on_and_printed(run: Run, truth: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []

    def fake(given: on_worlds.WorldRun, *, progress: Any) -> dict[str, Any]:
        seen.append(given)
        head = {"seed": given.seed, "videos": given.videos, "minutes": given.minutes, "split": "test", "model": "m"}
        return {**head, **summarise([], {}), "notes": ["n"], "work": "w"}

    monkeypatch.setattr(on_worlds, "evaluate_worlds", fake)
    result = run("evaluate", "worlds", "--seed", "2000007", "--minutes", "1", "--videos", "2", "--direct")
    assert result.exit_code == 0, result.stderr
    assert (seen[0].seed, seen[0].seconds, seen[0].videos, seen[0].per_kind) == (2_000_007, 60, 2, 20)
    assert seen[0].direct
    assert str(seen[0].folder) == "evaluate-worlds-2000007-1min-20each-nano-direct"
    assert result.stdout.splitlines()[0] == "worlds 2000007–2000008 (test) · 1 min each · 0 questions · m"
    assert result.stdout.splitlines()[-1] == "answers: w"


def test_a_training_seed_is_refused_in_one_line(run: Run, truth: Path) -> None:
    result = run("evaluate", "worlds", "--seed", "5")
    assert_refused(result, truth, "seed 5 is of the training range", code=2)
