"""The training loop: a run that was stopped and resumed takes the same steps to the same weights."""

from __future__ import annotations

import json
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from rewind.errors import ConfigError, WeightsError
from rewind.train.loop import Run, plot_curve, read_curve
from rewind.train.stage import Stage

STAGES = (
    Stage("one", steps=6, batch=4, frames=1, rate=1e-2, warm_up=2),
    Stage("two", steps=5, batch=4, frames=1, rate=1e-3),
)


def problem() -> nn.Linear:
    torch.manual_seed(0)
    return nn.Linear(5, 1)


def train(folder: Path, *, stop_after: int | None = None) -> nn.Linear:
    model = problem()
    run = Run(folder, (model,))
    run.resume()
    taken = 0

    def quiet(name: str, done: int, total: int, numbers: dict[str, float]) -> None:
        nonlocal taken
        taken += 1

    for index, stage in enumerate(STAGES):

        def step(number: int, index: int = index, stage: Stage = stage) -> tuple[Tensor, dict[str, float]]:
            rng = np.random.default_rng([7, index, number])
            x = torch.from_numpy(rng.standard_normal((stage.batch, 5))).float()
            if stop_after is not None and taken >= stop_after:
                raise KeyboardInterrupt
            return (model(x) - x.sum(1, keepdim=True)).square().mean(), {"extra": float(number)}

        run.run(index, stage, step, stop_at=None, progress=quiet)
    return model


def test_a_stopped_run_goes_on_to_the_same_weights(tmp_path: Path) -> None:
    want = train(tmp_path / "whole")
    run = Run(tmp_path / "parts", (problem(),))
    run.save()
    for stop in (3, 4):
        with pytest.raises(KeyboardInterrupt):
            train(tmp_path / "parts", stop_after=stop)
    got = train(tmp_path / "parts")
    torch.testing.assert_close(got.weight, want.weight)


def test_steps_before_the_first_checkpoint_leave_no_trace(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path, stop_after=3)
    assert (tmp_path / "curve.jsonl").is_file()
    assert not (tmp_path / "state.pt").is_file()
    train(tmp_path)
    rows = [json.loads(line) for line in (tmp_path / "curve.jsonl").read_text().splitlines()]
    assert [(r["stage"], r["step"]) for r in rows] == [(i, n) for i, s in enumerate(STAGES) for n in range(s.steps)]


def test_running_out_of_time_saves_and_resumes(tmp_path: Path) -> None:
    want = train(tmp_path / "whole")
    stage = STAGES[0]
    for _ in range(stage.steps):
        model = problem()
        run = Run(tmp_path / "timed", (model,))
        run.resume()

        def step(number: int, model: nn.Linear = model) -> tuple[Tensor, dict[str, float]]:
            x = torch.from_numpy(np.random.default_rng([7, 0, number]).standard_normal((4, 5))).float()
            return (model(x) - x.sum(1, keepdim=True)).square().mean(), {}

        run.run(0, stage, step, stop_at=time.monotonic(), progress=lambda *_: None)
    again = train(tmp_path / "timed")
    torch.testing.assert_close(again.weight, want.weight)
    rows = [json.loads(line) for line in (tmp_path / "timed" / "curve.jsonl").read_text().splitlines()]
    assert [(r["stage"], r["step"]) for r in rows] == [(0, i) for i in range(6)] + [(1, i) for i in range(5)]


def test_the_rate_rises_then_falls() -> None:
    stage = Stage("s", steps=100, batch=1, frames=1, rate=1.0, warm_up=10, teacher=(1.0, 0.0))
    rates = [stage.rate_at(i) for i in range(100)]
    assert rates[:10] == sorted(rates[:10])
    assert rates[10:] == sorted(rates[10:], reverse=True)
    assert max(rates) == pytest.approx(1.0)
    assert stage.teacher_at(0) == 1.0
    assert stage.teacher_at(99) == 0.0


def test_slow_modules_move_at_their_share_of_the_rate(tmp_path: Path) -> None:
    fast, slow = problem(), problem()
    run = Run(tmp_path, (fast, slow), slow=[slow])
    stage = Stage("s", steps=1, batch=1, frames=1, rate=1e-2, warm_up=1, slow=0.25)
    before = fast.weight.detach().clone()

    def step(number: int) -> tuple[Tensor, dict[str, float]]:
        return fast.weight.sum() + slow.weight.sum() + fast.bias.sum() + slow.bias.sum(), {}

    assert run.run(0, stage, step, stop_at=None, progress=lambda *_: None)
    torch.testing.assert_close(slow.weight - before, 0.25 * (fast.weight - before), atol=1e-6, rtol=1e-3)
    assert {group["slow"] for group in run.optimiser.param_groups} == {True, False}


def test_a_damaged_checkpoint_is_one_line(tmp_path: Path) -> None:
    run = Run(tmp_path, (problem(),))
    run.save()
    (tmp_path / "state.pt").write_bytes(b"not a checkpoint")
    with pytest.raises(WeightsError, match="allowed: a checkpoint of this run"):
        Run(tmp_path, (problem(),)).resume()


def test_a_curve_that_broke_off_is_gone_on_with(tmp_path: Path) -> None:
    """A process that is killed leaves half a line, and a checkpoint that is whole."""
    want = train(tmp_path / "whole")
    run = Run(tmp_path / "parts", (problem(),))
    run.save()
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path / "parts", stop_after=8)  # the first stage's end is saved
    curve = tmp_path / "parts" / "curve.jsonl"
    with curve.open("a") as file:
        file.write('{"stage": 1, "na')
    assert plot_curve(tmp_path / "parts") is not None
    assert len(read_curve(curve)) == 8
    torch.testing.assert_close(train(tmp_path / "parts").weight, want.weight)
    rows = [json.loads(line) for line in curve.read_text().splitlines()]
    assert [(r["stage"], r["step"]) for r in rows] == [(i, n) for i, s in enumerate(STAGES) for n in range(s.steps)]
    assert not list(tmp_path.rglob("*.tmp"))
    curve.write_text("no curve\n" + curve.read_text())
    with pytest.raises(ConfigError, match="line 1: no JSON; allowed: a training curve"):
        Run(tmp_path / "parts", (problem(),)).resume()


def test_the_curve_is_drawn(tmp_path: Path) -> None:
    train(tmp_path)
    path = plot_curve(tmp_path)
    assert path is not None
    assert path.read_bytes()[:4] == b"\x89PNG"
