"""One training loop for every stage: steps drawn by (seed, step), checkpoints, resume to the same curve."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from rewind.errors import WeightsError
from rewind.evaluate.ledger import JsonLines
from rewind.store import replace_file
from rewind.train.stage import Stage
from rewind.train.team import Team

Progress = Callable[[str, int, int, dict[str, float]], None]
Step = Callable[[int], tuple[Tensor, dict[str, float]]]

CHECKPOINT, CURVE = "state.pt", "curve.jsonl"


class Run:
    """A training run in a folder: what was trained (`modules`), how far it is, and its curve.

    The folder holds `state.pt` (tensors and numbers only, read with weights_only) and `curve.jsonl`, written by the
    team's first process.
    """

    def __init__(
        self, folder: Path, modules: Iterable[nn.Module], *, slow: Iterable[nn.Module] = (), every_s: float = 120.0,
        team: Team | None = None,
    ) -> None:  # fmt: skip
        self._team = team or Team(torch.device("cpu"))
        self._slow = {id(p) for module in slow for p in module.parameters()}
        self.folder = folder
        self.modules = nn.ModuleList(modules)
        self.every_s = every_s
        self.stage, self.step = 0, 0
        self.optimiser = self._new_optimiser()
        folder.mkdir(parents=True, exist_ok=True)

    def resume(self) -> bool:
        """Go on where the folder's checkpoint stands; False where there is none. The curve is cut back to it."""
        path, curve = self.folder / CHECKPOINT, self.folder / CURVE
        if not path.is_file():
            if self._team.leads:
                curve.unlink(missing_ok=True)  # of steps before the first checkpoint, to be taken again
            return False
        try:
            kept = torch.load(path, weights_only=True, map_location="cpu")
            self.modules.load_state_dict(kept["modules"])
            self.optimiser.load_state_dict(kept["optimiser"])
        except Exception as error:  # torch raises several kinds for a damaged or foreign file
            raise WeightsError(
                f"{path}: {error}", allowed="a checkpoint of this run", do="remove it, to begin anew"
            ) from error
        self.stage, self.step = kept["stage"], kept["step"]
        if self._team.leads and curve.is_file():
            rows = [r for r in read_curve(curve) if (r["stage"], r["step"]) < (self.stage, self.step)]
            replace_file(curve, "".join(json.dumps(r) + "\n" for r in rows).encode())
        return True

    def run(self, index: int, stage: Stage, step: Step, *, stop_at: float | None, progress: Progress) -> bool:
        """Run one stage to its end; a stage that the checkpoint is past is skipped.

        Args:
            step: called with the step number; gives the loss and the numbers for the curve. It must draw all that is
                random from (seed, step), so that a resumed run takes the same steps.
            stop_at: `time.monotonic()` at which to save and stop.

        Returns: False where the time ran out first.
        """
        if index < self.stage:
            return True
        if index > self.stage:
            self.stage, self.step, self.optimiser = index, 0, self._new_optimiser()
        saved = time.monotonic()
        parameters = [p for p in self.modules.parameters() if p.requires_grad]
        while self.step < stage.steps:
            for group in self.optimiser.param_groups:
                group["lr"] = stage.rate_at(self.step) * (stage.slow if group["slow"] else 1.0)
            began = time.monotonic()
            loss, numbers = step(self.step)
            loss.backward()
            self._team.average(parameters)
            norm = nn.utils.clip_grad_norm_(parameters, 1.0)
            if torch.isfinite(norm):
                self.optimiser.step()
            self.optimiser.zero_grad(set_to_none=True)
            numbers = {"loss": float(loss.detach()), "norm": float(norm), **numbers}
            numbers["seconds"] = time.monotonic() - began
            self._log(index, stage, numbers)
            self.step += 1
            progress(stage.name, self.step, stage.steps, numbers)
            now = time.monotonic()
            late = stop_at is not None and self._team.any(now > stop_at)
            if late or now - saved > self.every_s:
                self.save()
                saved = now
            if late:
                return False
        self.save()
        return True

    def save(self) -> None:
        if not self._team.leads:
            return
        kept = {
            "modules": self.modules.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "stage": self.stage,
            "step": self.step,
        }
        temporary = self.folder / f"{CHECKPOINT}.tmp"
        torch.save(kept, temporary)
        temporary.replace(self.folder / CHECKPOINT)

    def _log(self, index: int, stage: Stage, numbers: dict[str, float]) -> None:
        if not self._team.leads:
            return
        row = {"stage": index, "name": stage.name, "step": self.step, **{k: round(v, 5) for k, v in numbers.items()}}
        with (self.folder / CURVE).open("a") as file:
            file.write(json.dumps(row) + "\n")

    def _new_optimiser(self) -> torch.optim.AdamW:
        parameters = [p for p in self.modules.parameters() if p.requires_grad]
        groups = [
            {
                "params": [p for p in parameters if (p.ndim >= 2) == matrix and (id(p) in self._slow) == slow],
                "weight_decay": 0.02 * matrix,
                "slow": slow,
            }
            for matrix in (True, False)
            for slow in (False, True)
        ]
        groups = [group for group in groups if group["params"]]
        return torch.optim.AdamW(groups, lr=1e-3, betas=(0.9, 0.98))


def read_curve(path: Path) -> Sequence[Mapping[str, Any]]:
    """The steps of a curve, in order; a last line that broke off is left out.

    Raises: ConfigError for a file that is no curve.
    """
    return JsonLines(path, allowed="a training curve: one JSON object a line").values


def plot_curve(folder: Path) -> Path | None:
    """Draw the run's curve to `curve.png`; None where matplotlib is not installed."""
    try:
        import matplotlib

        matplotlib.use("Agg")
        from matplotlib import pyplot
    except ImportError:
        return None
    rows = read_curve(folder / CURVE)
    names = [n for n in ("loss", "answer", "relevance", "correct") if any(n in r for r in rows)]
    figure, axes = pyplot.subplots(len(names), 1, figsize=(9, 2.4 * len(names)), sharex=True, squeeze=False)
    for axis, name in zip(axes[:, 0], names, strict=True):
        for stage in sorted({r["name"] for r in rows}, key=[r["name"] for r in rows].index):
            points = [(i, r[name]) for i, r in enumerate(rows) if r["name"] == stage and name in r]
            if points:
                x, y = zip(*points, strict=True)
                smooth = torch.tensor(y).unfold(0, min(25, len(y)), 1).mean(1).tolist()
                axis.plot(x[-len(smooth) :], smooth, label=stage)
        axis.set_ylabel(name)
    axes[0, 0].legend()
    axes[-1, 0].set_xlabel("step")
    figure.tight_layout()
    path = folder / "curve.png"
    figure.savefig(path)
    pyplot.close(figure)
    return path
