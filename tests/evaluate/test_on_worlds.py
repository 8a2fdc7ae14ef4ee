"""A run on worlds: refused where the model may have seen them, stopped and gone on with to the same figures."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rewind.errors import ConfigError
from rewind.evaluate import on_worlds
from rewind.evaluate.ledger import Ledger
from rewind.evaluate.on_worlds import WorldRun, evaluate_worlds
from rewind.evaluate.question_only import training_questions
from rewind.worlds.splits import TEST_SEEDS, TRAIN_SEEDS, VALIDATION_SEEDS

SEED = VALIDATION_SEEDS.start + 400


@pytest.fixture(autouse=True)
def _small_control(monkeypatch: pytest.MonkeyPatch) -> None:
    def small(seconds: int, **options: Any) -> Any:
        return training_questions(seconds, scenes=48, worlds=1, per_kind=4, **options)

    monkeypatch.setattr(on_worlds, "training_questions", small)


@pytest.fixture
def run(model: str, tmp_path: Path) -> WorldRun:
    return WorldRun(seed=SEED, minutes=0.5, videos=2, per_kind=1, model=model, direct=True, work=tmp_path / "work")


@pytest.mark.parametrize(
    ("options", "line"),
    [
        ({"seed": 5}, "seed 5 is of the training range.*allowed: test seeds 2000000–2099999, validation"),
        ({"seed": TRAIN_SEEDS.stop - 1, "videos": 2}, "training range"),
        ({"seed": 1_500_000}, "seed 1500000"),
        ({"seed": VALIDATION_SEEDS.stop - 1, "videos": 2}, "seed 1100000"),
        ({"seed": TEST_SEEDS.start, "minutes": 0.2}, "0.2 minutes; allowed: 0.5 to 1440"),
        ({"videos": 0}, "allowed: 1 or more"),
    ],
)
def test_worlds_that_training_saw_are_refused(options: dict[str, Any], line: str) -> None:
    with pytest.raises(ConfigError, match=line):
        WorldRun(**options)


def test_a_run_that_stopped_goes_on_to_the_same_figures(run: WorldRun, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = evaluate_worlds(replace(run, work=run.folder.with_name("whole")))
    assert whole["questions"] == sum(kind["n"] for kind in whole["kinds"].values()) >= 8
    assert whole["features"] == "drawn"
    assert any("--direct" in note for note in whole["notes"])
    add, rows = Ledger.add, 0

    def stops(ledger: Ledger, row: Any) -> None:
        nonlocal rows
        rows += 1
        if rows == 5:
            raise KeyboardInterrupt
        add(ledger, row)

    monkeypatch.setattr(Ledger, "add", stops)
    with pytest.raises(KeyboardInterrupt):
        evaluate_worlds(run)
    monkeypatch.setattr(Ledger, "add", add)
    answers = run.folder / "answers.jsonl"
    kept = answers.read_text()
    assert kept.count("\n") == 4
    answers.write_text(kept + '{"id": "10004')
    stages: list[str] = []
    again = evaluate_worlds(run, progress=lambda name, done, total: stages.append(name))
    assert answers.read_text().startswith(kept)
    assert {**again, "work": ""} == {**whole, "work": ""}
    assert "answering" in stages
    assert not (run.folder / "features").exists()
    monkeypatch.setattr(on_worlds, "make_world", lambda *_, **__: pytest.fail("made again"))
    assert evaluate_worlds(run) == again


def test_more_videos_of_a_run_go_on_in_its_folder(
    run: WorldRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    one = replace(run, videos=1, work=None)
    evaluate_worlds(one)
    kept = (one.folder / "answers.jsonl").read_bytes()
    two = evaluate_worlds(replace(one, videos=2))
    assert two["videos"] == 2
    assert [str(p) for p in Path().iterdir()] == [two["work"]]
    assert (Path(two["work"]) / "answers.jsonl").read_bytes().startswith(kept)
    assert replace(one, per_kind=2).folder != one.folder


def test_answers_that_lost_their_end_are_asked_again(run: WorldRun) -> None:
    """The ledger of finished worlds may have reached the disk when the one of answers had not."""
    one = replace(run, videos=1)
    whole = evaluate_worlds(one)
    answers = run.folder / "answers.jsonl"
    kept = answers.read_bytes()
    answers.write_bytes(kept[: len(kept) // 2])
    assert evaluate_worlds(one) == whole
    assert len(Ledger(answers).rows) == kept.count(b"\n")


def test_another_run_never_mixes_in(run: WorldRun) -> None:
    one = replace(run, videos=1)
    evaluate_worlds(one)
    with pytest.raises(ConfigError, match=r"holds another run \(per_kind differ\).*--work"):
        evaluate_worlds(replace(one, per_kind=2))
    mine = json.loads((run.folder / "run.json").read_text())
    (run.folder / "run.json").write_text(json.dumps({**mine, "model": "elsewhere/tiny"}))
    evaluate_worlds(one)
    (run.folder / "run.json").write_text(json.dumps({**mine, "weights": "0123"}))
    with pytest.raises(ConfigError, match=r"holds another run \(weights differ\)"):
        evaluate_worlds(one)


def test_features_kept_in_bytes_are_another_run(run: WorldRun, tmp_path: Path) -> None:
    one = replace(run, videos=1, features=tmp_path / "features")
    bytes_ = replace(one, dtype="int8")
    assert bytes_.folder == one.folder
    assert replace(bytes_, work=None).folder != replace(one, work=None).folder
    drawn = evaluate_worlds(one)
    with pytest.raises(ConfigError, match=r"holds another run \(features differ\)"):
        evaluate_worlds(bytes_)
    kept = evaluate_worlds(replace(bytes_, work=tmp_path / "bytes"))
    assert (drawn["features"], kept["features"]) == ("drawn", "drawn, int8")
    assert kept["questions"] == drawn["questions"]
    sizes = [sum(f.stat().st_size for f in p.rglob("*.safetensors")) for p in sorted(one.features.iterdir())]
    assert len(sizes) == 2
    assert min(sizes) < 0.6 * max(sizes)


@pytest.mark.slow
def test_through_a_file_and_back(run: WorldRun, tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    through = replace(run, videos=1, direct=False, work=tmp_path / "file", features=shared)
    result = evaluate_worlds(through)
    assert result["features"] == "file"
    assert (shared / f"world-{SEED}-30s.mp4").is_file()
    drawn = evaluate_worlds(replace(run, videos=1))
    assert drawn["questions"] == result["questions"]
    assert drawn["all"]["question_only"] == result["all"]["question_only"]
