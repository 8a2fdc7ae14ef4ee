"""`rewind train`: a model from nothing but a seed."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from rewind.cli import options, output
from rewind.cli.group import as_usage, resumable
from rewind.cli.places import parse_path, try_folder
from rewind.cli.progress import Bars


def train(
    size: Annotated[str, typer.Argument(metavar="SIZE", help="nano or small.")] = "nano",
    *,
    out: Annotated[
        Path,
        typer.Option("--out", parser=parse_path, metavar="DIR", help="The run's folder: checkpoint, curve, model."),
    ] = Path("run"),
    seed: Annotated[int, typer.Option("--seed", min=0, help="Fixes scenes, questions and first weights.")] = 0,
    bank: Annotated[
        Path | None,
        typer.Option(
            "--bank",
            parser=parse_path,
            metavar="DIR",
            show_default=False,
            help="Scenes to train on: made there where they are not, cards beside them. Runs may share one.",
        ),
    ] = None,
    minutes: Annotated[
        float | None, typer.Option("--minutes", min=0.0, show_default=False, help="Stop, saved, after so long.")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume/--fresh", help="Go on from the folder's checkpoint, or start anew.")
    ] = True,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Train memory, selection and decoder on worlds. Stopped, the same command goes on."""
    from rewind.allocator import keep_freed_memory
    from rewind.train import require_trainable, run

    with as_usage():
        require_trainable(size, seed=seed, bank=bank)
    if os.environ.get("RANK", "0") == "0":  # processes that try it together would take it from each other
        for wanted in (out, *([] if bank is None else [bank])):
            try_folder(wanted)
    keep_freed_memory()
    again = "the same command goes on from the last checkpoint" if resume else "without --fresh it goes on from there"

    def say(line: str) -> None:
        if not quiet:
            print(line, file=sys.stderr, flush=True)

    with resumable(again), Bars(quiet=quiet, unit=_unit) as progress:
        folder = run(size, out=out, seed=seed, bank=bank, minutes=minutes, resume=resume, progress=progress, say=say)
    if json:
        output.print_json(
            {"finished": folder is not None, "model": None if folder is None else str(folder), "run": str(out)}
        )
    elif folder is None:
        print(f"out of time, saved in {out}; {again}")
    else:
        print(f'trained: {folder}; try it: rewind VIDEO "question" --model {folder}')


def _unit(stage: str) -> str:
    return "scene" if stage in ("cards", "bank", "validation bank") else "step"
