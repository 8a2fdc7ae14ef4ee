"""Processes that train together: the mean of their gradients, one that writes, one end."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from rewind.train.loop import Run
from rewind.train.stage import Stage
from rewind.train.team import Team, join

STAGE = Stage("one", steps=5, batch=6, frames=1, rate=1e-2, warm_up=2)
SCRIPT = """
import sys
import time
from pathlib import Path

import numpy as np
import torch
from torch import nn

from rewind.train.loop import Run
from rewind.train.stage import Stage
from rewind.train.team import join

team, out = join(), Path(sys.argv[1])
stage = Stage("one", steps=5, batch=6, frames=1, rate=1e-2, warm_up=2)
mine = team.share(stage)
torch.manual_seed(0)
model, spare = nn.Linear(5, 1), nn.Linear(2, 1)
run = Run(out, (model, spare), team=team)

def step(number):
    x = np.random.default_rng([*team.draws(7), number]).standard_normal((mine.batch, 5))
    x = torch.from_numpy(x).float()
    loss = (model(x) - x.sum(1, keepdim=True)).square().mean()
    if team.rank == 1:  # a part that only one process has a use for in this step
        loss = loss + spare.weight.sum()
    return loss, {}

stopped = Run(out / "late", (nn.Linear(5, 1),), team=team)
done = stopped.run(0, stage, step, stop_at=time.monotonic() + 60 * (team.rank == 0), progress=lambda *_: None)
assert not done and stopped.step == 1
model.load_state_dict(torch.load(out / "first.pt", weights_only=True))
run.run(0, stage, step, stop_at=None, progress=lambda *_: None)
torch.save([p.detach() for p in run.modules.parameters()], out / f"rank-{team.rank}.pt")
team.end()
"""


@pytest.mark.slow
def test_two_processes_take_the_steps_of_their_mean_gradient(tmp_path: Path) -> None:
    torch.manual_seed(0)
    model, spare = nn.Linear(5, 1), nn.Linear(2, 1)
    torch.save(model.state_dict(), tmp_path / "first.pt")
    (tmp_path / "script.py").write_text(SCRIPT)
    launch = ["-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]
    launch = [sys.executable, *launch, str(tmp_path / "script.py"), str(tmp_path)]
    done = subprocess.run(launch, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr[-2000:]

    alone, other = Team(torch.device("cpu")), Team(torch.device("cpu"), rank=1, size=2)
    run = Run(tmp_path / "reference", (model, spare))

    def step(number: int) -> tuple[torch.Tensor, dict[str, float]]:
        total = spare.weight.sum()
        for team in (alone, other):
            x = np.random.default_rng([*team.draws(7), number]).standard_normal((STAGE.batch // 2, 5))
            x = torch.from_numpy(x).float()
            total = total + (model(x) - x.sum(1, keepdim=True)).square().mean()
        return total / 2, {}

    run.run(0, STAGE, step, stop_at=None, progress=lambda *_: None)
    want = [p.detach() for p in run.modules.parameters()]
    for rank in range(2):
        got = torch.load(tmp_path / f"rank-{rank}.pt", weights_only=True)
        for ours, theirs in zip(got, want, strict=True):
            torch.testing.assert_close(ours, theirs)
    rows = [json.loads(line) for line in (tmp_path / "curve.jsonl").read_text().splitlines()]
    assert [r["step"] for r in rows] == list(range(STAGE.steps))


def test_a_process_alone_is_a_team_of_one() -> None:
    team = join()
    assert (team.rank, team.size, team.leads) == (0, 1, True)
    assert team.share(STAGE) == STAGE
    assert team.draws(3) == (3,)
    assert team.any(True) is True
    assert team.any(False) is False
    weight = nn.Parameter(torch.ones(2))
    weight.grad = torch.full((2,), 3.0)
    team.average([weight])
    assert weight.grad.tolist() == [3.0, 3.0]


def test_shares_and_draws_differ_by_process() -> None:
    teams = [Team(torch.device("cpu"), rank=r, size=3) for r in range(3)]
    assert {t.share(STAGE).batch for t in teams} == {2}
    assert len({t.draws(0) for t in teams}) == 3
    # A batch that does not divide evenly grows: every process's part weighs the same.
    assert Team(torch.device("cpu"), size=4).share(STAGE).batch == 2
    assert Team(torch.device("cpu"), size=7).share(STAGE).batch == 1
