"""The processes that train one model together, one a device: each takes its share of every batch.

`torchrun --nproc-per-node 4 --no-python rewind train nano` starts them, as `accelerate launch` does; a process that
was started alone is a team of one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

import torch
from torch import nn

from rewind.errors import ConfigError
from rewind.train.stage import Stage

if TYPE_CHECKING:
    from accelerate import Accelerator

_PATIENCE = timedelta(hours=3)  # while the first process makes a bank, or calibrates
_RANKS = 2**16  # no stage has such a number: draws of different processes never meet


@dataclass(frozen=True)
class Team:
    """This process's place, `rank` of `size`, and its device; without an accelerator it is alone."""

    device: torch.device
    rank: int = 0
    size: int = 1
    accelerator: Accelerator | None = None

    @property
    def leads(self) -> bool:
        """One process alone writes files and tells how far it is."""
        return self.rank == 0

    def share(self, stage: Stage) -> Stage:
        """What this process does of a stage: as many steps, its part of every batch, which grows where it does not
        divide evenly: all parts weigh the same."""
        return replace(stage, batch=-(-stage.batch // self.size))

    def draws(self, seed: int) -> tuple[int, ...]:
        """What this process's draws begin with: of the first one, or of one alone, the seed itself."""
        return (seed,) if self.leads else (seed, _RANKS + self.rank)

    def average(self, parameters: Sequence[nn.Parameter]) -> None:
        """Every gradient becomes its mean over all processes; one that no process has stays None."""
        if self.accelerator is None:
            return
        there = torch.tensor([float(p.grad is not None) for p in parameters], device=self.device)
        flat = torch.cat([there, *((torch.zeros_like(p) if p.grad is None else p.grad).flatten() for p in parameters)])
        flat = torch.as_tensor(self.accelerator.reduce(flat, reduction="mean"))
        parts = flat[len(parameters) :].split([p.numel() for p in parameters])
        for parameter, some, mean in zip(parameters, flat[: len(parameters)].tolist(), parts, strict=True):
            parameter.grad = mean.view_as(parameter) if some else None

    def any(self, flag: bool) -> bool:
        """Whether it holds for some process: they must stop together."""
        if self.accelerator is None:
            return flag
        given = torch.tensor(float(flag), device=self.device)
        return bool(torch.as_tensor(self.accelerator.reduce(given, reduction="sum")) > 0)

    @contextmanager
    def lead_first(self) -> Iterator[None]:
        """The first process goes through alone, the others after it: to find what it made."""
        if self.accelerator is None:
            yield
            return
        with self.accelerator.main_process_first():
            yield

    def end(self) -> None:
        """Waits until all are here and ends the group. A process must not end without it: the group's threads hold the
        tensors of its last reduction for a moment longer, and one that lets go of a tensor while the interpreter shuts
        down aborts it. To wait alone, as before, made that rarer."""
        if self.accelerator is not None:
            self.accelerator.wait_for_everyone()
            self.accelerator.end_training()


def join() -> Team:
    """The team that this process was started in, on a GPU each where there is one.

    Raises: ConfigError where accelerate is not installed.
    """
    try:
        from accelerate import Accelerator, InitProcessGroupKwargs
    except ImportError as error:
        raise ConfigError(
            "training without accelerate", allowed="an installation with it", do="pip install 'rewind-video[train]'"
        ) from error
    accelerator = Accelerator(
        cpu=not torch.cuda.is_available(), kwargs_handlers=[InitProcessGroupKwargs(timeout=_PATIENCE)]
    )
    if accelerator.num_processes == 1:
        return Team(accelerator.device)
    return Team(accelerator.device, accelerator.process_index, accelerator.num_processes, accelerator)
