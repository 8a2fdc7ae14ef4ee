"""`rewind arena`: memory systems trained and tested side by side."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from rewind.cli import options, output
from rewind.cli.group import as_usage, resumable, usage
from rewind.cli.places import parse_model, parse_path, try_folder
from rewind.cli.progress import Bars

_UNITS = {"": 60.0, "s": 1.0, "m": 60.0, "h": 3600.0}


def parse_duration(text: str) -> float:
    """Seconds from 90s, 20m, 8h, 1.5h; a bare number is minutes."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([smh]?)(?:in|r)?", text.strip().lower())
    if match is None or float(match[1]) <= 0:
        raise typer.BadParameter(f"{text!r}; allowed: a time such as 90s, 20m or 8h")
    return float(match[1]) * _UNITS[match[2]]


def parse_decoder(name: str) -> str:
    """A model that is there, or none."""
    return name if name == "none" else parse_model(name)


def arena(
    *,
    out: Annotated[
        Path,
        typer.Option("--out", parser=parse_path, metavar="DIR", help="The arena's folder; it goes on there."),
    ] = Path("arena"),
    recipes: Annotated[
        str | None,
        typer.Option("--recipes", metavar="A,B", show_default=False, help="Only these; --list names them."),
    ] = None,
    full: Annotated[bool, typer.Option("--full", help="The costly ones too: bank and bridge.")] = False,
    choices: Annotated[
        bool, typer.Option("--choices", help="ReWind with one choice that the paper leaves open changed, each, too.")
    ] = False,
    listed: Annotated[bool, typer.Option("--list", help="Name the recipes and do nothing.")] = False,
    show: Annotated[bool, typer.Option("--show", help="Print what the folder holds already and do nothing.")] = False,
    seeds: Annotated[int, typer.Option("--seeds", min=1, metavar="N", help="Trainings of each recipe.")] = 3,
    minutes: Annotated[
        float, typer.Option("--minutes", min=0.25, max=60.0, metavar="N", help="Length of the test videos.")
    ] = 2.0,
    tokens: Annotated[
        int,
        typer.Option(
            "--tokens", min=64, metavar="N", help="Visual tokens for the decoder, alike for all: multiples of 64."
        ),
    ] = 256,
    questions: Annotated[
        int, typer.Option("--questions", min=8, metavar="N", help="Test questions of each kind.")
    ] = 200,
    short: Annotated[int, typer.Option("--short", min=4, metavar="N", help="Training steps on 16 s.")] = 600,
    long: Annotated[int, typer.Option("--long", min=4, metavar="N", help="Training steps on 96 s.")] = 250,
    split: Annotated[
        Literal["validation", "test"], typer.Option("--split", help="Scenes to test on; training sees neither.")
    ] = "validation",
    budget: Annotated[
        str | None,
        typer.Option(
            "--budget", metavar="TIME", show_default=False,
            help="Wall time, such as 20m or 8h: steps are cut to it, for all alike; stops there, saved.",
        ),
    ] = None,
    encoder: Annotated[
        str, typer.Option("--encoder", metavar="NAME|DIR", help="A model or a training run whose encoder all share.")
    ] = "nano",
    decoder: Annotated[
        str,
        typer.Option(
            "--decoder",
            parser=parse_decoder,
            metavar="NAME|none",
            help="A model whose language all begin with, or none.",
        ),
    ] = "nano",
    bank: Annotated[
        Path | None,
        typer.Option(
            "--bank", parser=parse_path, metavar="DIR", show_default=False,
            help="A scene bank of `rewind train` to use.",
        ),
    ] = None,
    weights: Annotated[
        Path | None,
        typer.Option(
            "--weights", parser=parse_path, metavar="DIR", show_default=False,
            help="An arena with another test, to take what it trained.",
        ),
    ] = None,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:  # fmt: skip
    """Train and test memory systems on the same encoder, decoder, data, steps and tokens. Stopped, it goes on."""
    from rewind.allocator import keep_freed_memory
    from rewind.arena import CONTENDERS, ArenaPlan, chosen, run_arena
    from rewind.arena.encoder import encoder_file
    from rewind.arena.plan import scenes_to_test
    from rewind.arena.report import kept_report
    from rewind.arena.run import Where
    from rewind.arena.table import text

    if listed and json:
        output.print_json(
            {"recipes": [{"name": c.name, "about": c.about, "group": c.group} for c in CONTENDERS.values()]}
        )
        return
    if listed:
        widest = max(map(len, CONTENDERS))
        for c in CONTENDERS.values():
            print(f"{c.name:{widest}}  {c.about}{'' if c.group == 'core' else f' (with --{c.group})'}")
        return
    if show:
        report = kept_report(out)
        output.print_json(report) if json else print(text(report))
        return
    names = None if recipes is None else [n.strip() for n in recipes.split(",") if n.strip()]
    if names == []:
        raise usage("--recipes without a name; allowed: names with commas between; --list names them")
    with as_usage():
        plan = ArenaPlan(
            minutes=minutes, tokens=tokens, split=split, per_kind=questions, short=short, long=long,
            test_scenes=scenes_to_test(minutes),
        )  # fmt: skip
        contenders = chosen(names, full=full, choices=choices)
    if encoder_file(encoder) is None:
        raise usage(f"--encoder {encoder!r}; allowed: a bundled model, a model's folder or a training run's folder")
    seconds = None if budget is None else parse_duration(budget)
    try_folder(out)
    keep_freed_memory()

    def say(line: str) -> None:
        if not quiet:
            print(line, file=sys.stderr, flush=True)

    with resumable("the same command goes on from the last checkpoint"), Bars(quiet=quiet, unit=_unit) as progress:
        report = run_arena(
            plan, contenders, where=Where(out, bank, weights), seeds=seeds, encoder=encoder, decoder=decoder,
            budget_s=seconds, say=say, progress=progress,
        )  # fmt: skip
    if json:
        output.print_json(report)
    else:
        print(text(report))


def _unit(piece: str) -> str:
    return "scene" if piece.endswith("scenes") else "step"
