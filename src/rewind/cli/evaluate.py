"""`rewind evaluate`: a model, or the predictions that it left, in a benchmark's figures; or a model on fresh worlds."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from typer.core import TyperGroup

from rewind.cli import options, output, scores
from rewind.cli.group import as_usage, resumable, usage
from rewind.cli.places import parse_image_text, parse_model, parse_path
from rewind.cli.progress import Bars

BENCHMARK = "benchmark"
_UNITS = {"answering": "question", "question-only control": "step"}
"""What stages count; all others count frames."""


class EvaluateGroup(TyperGroup):
    """A group whose unnamed command is `benchmark`: `rewind evaluate charades-sta …`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args and args[0] not in self.commands and args[0] not in ("--help", "-h"):
            args = [BENCHMARK, *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=EvaluateGroup, no_args_is_help=True, rich_markup_mode=None,
    help="""Score a model: on a benchmark's videos, from a predictions file, or on fresh worlds.

    `rewind evaluate BENCHMARK …` is `rewind evaluate benchmark BENCHMARK …`.
    """,
)  # fmt: skip


@app.command(BENCHMARK)
def benchmark(
    benchmark: Annotated[
        str,
        typer.Argument(
            metavar="BENCHMARK", help="charades-sta, activitynet, qvhighlights, nextqa, nextgqa, moviechat or timechat."
        ),
    ],
    *,
    annotations: Annotated[
        Path, typer.Option("--annotations", parser=parse_path, metavar="FILE", help="The benchmark's own file.")
    ],
    predictions: Annotated[
        Path | None,
        typer.Option(
            "--predictions",
            parser=parse_path,
            metavar="FILE",
            show_default=False,
            help="What a model answered; with --videos, where its answers go and where they go on from (.jsonl).",
        ),
    ] = None,
    videos: Annotated[
        Path | None,
        typer.Option(
            "--videos",
            parser=parse_path,
            metavar="DIR",
            show_default=False,
            help="Run the model on these videos first, found by name.",
        ),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(
            "--model",
            parser=parse_model,
            metavar="NAME|PATH",
            show_default=False,
            help="The model that runs: a bundled one (nano), a folder, or hub:NAME.",
        ),
    ] = None,
    image_text: Annotated[
        str | None,
        typer.Option(
            "--image-text",
            parser=parse_image_text,
            metavar="hub:NAME",
            show_default=False,
            help="The CLIP or SigLIP model that finds things for it, in place of the bundled classifier.",
        ),
    ] = None,
    store: options.Store = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of the bootstrap intervals.")] = 0,
    bare: Annotated[
        Literal["seconds", "percent"],
        typer.Option(
            "--bare", help="What predicted numbers without a unit are; percent is 0 to 100 for the whole video."
        ),
    ] = "seconds",
    judge: Annotated[
        str | None,
        typer.Option(
            "--judge",
            metavar="URL",
            help="An OpenAI-compatible endpoint that marks open answers (moviechat); its key is taken from "
            "OPENAI_API_KEY.",
        ),
    ] = None,
    judge_model: Annotated[
        str | None,
        typer.Option("--judge-model", metavar="NAME", help="The model that judges; scores hold for it alone."),
    ] = None,
    judge_prompt: Annotated[
        Path | None,
        typer.Option(
            "--judge-prompt",
            parser=parse_path,
            metavar="FILE",
            help="A prompt with {question}, {answer} and {prediction} to be filled in; other braces stay.",
        ),
    ] = None,
    judge_record: Annotated[
        Path | None,
        typer.Option(
            "--judge-record", parser=parse_path, metavar="FILE", help="Where every reply of the judge is kept."
        ),
    ] = None,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Score with a benchmark's official figures. No answer counts as wrong."""
    from rewind.evaluate.score import benchmark_named, check_bare, score_predictions

    with as_usage():
        name = benchmark_named(benchmark)
        check_bare(name, bare)
    if bare != "seconds" and videos is not None:
        raise usage(f"--bare {bare} with --videos; allowed: seconds, which the model that runs answers in")
    marks = _judge(name, judge, judge_model, judge_prompt, judge_record)
    if videos is None:
        if predictions is None:
            raise usage(
                "neither --videos nor --predictions; give --videos DIR to run a model on, or --predictions FILE"
            )
        for option, given in (("--model", model), ("--image-text", image_text)):
            if given is not None:
                raise usage(f"{option} {given} without --videos; give --videos DIR to run it")
        result = score_predictions(
            benchmark, predictions, annotations, seed=seed, judge=marks, record=judge_record, bare=bare
        )
    else:
        from rewind.evaluate.on_benchmark import BenchmarkRun, evaluate_benchmark

        if predictions is not None and predictions.suffix != ".jsonl":
            raise usage(f"--predictions {predictions}; allowed: a name that ends in .jsonl: answers are lines")
        run = BenchmarkRun(
            benchmark, annotations, videos, model=model or "nano", image_text=image_text, predictions=predictions,
            store=store, judge=marks, judge_record=judge_record,
        )  # fmt: skip
        with (
            resumable("answers are kept, and the same command goes on from there"),
            Bars(quiet=quiet, unit=_unit) as progress,
        ):
            result = evaluate_benchmark(run, seed=seed, progress=progress)
    if json:
        output.print_json(result)
    else:
        scores.print_scores(result)


@app.command("worlds")
def worlds(
    *,
    seed: Annotated[
        int, typer.Option("--seed", min=0, metavar="N", help="Of the first world; held-out seeds only.")
    ] = 2_000_000,
    minutes: Annotated[
        float, typer.Option("--minutes", min=0.5, max=1440.0, metavar="N", help="Length of each world.")
    ] = 10.0,
    videos: Annotated[int, typer.Option("--videos", min=1, metavar="N", help="How many worlds.")] = 3,
    per_kind: Annotated[
        int, typer.Option("--per-kind", min=1, metavar="N", help="Questions of each kind on each world.")
    ] = 20,
    direct: Annotated[
        bool, typer.Option("--direct", help="Draw pictures straight into the encoder, without a video file: faster.")
    ] = False,
    dtype: options.DtypeOption = "fp16",
    model: options.Model = "nano",
    work: Annotated[
        Path | None,
        typer.Option(
            "--work",
            parser=parse_path,
            metavar="DIR",
            show_default=False,
            help="Where answers are kept, so that it goes on. Default: a folder here that is named after the run.",
        ),
    ] = None,
    features: Annotated[
        Path | None,
        typer.Option(
            "--features",
            parser=parse_path,
            metavar="DIR",
            show_default=False,
            help="Keep the worlds' files and features there, for other runs. Default: removed when a world is done.",
        ),
    ] = None,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Ask a model about fresh worlds, whose truth is known exactly."""
    from rewind.evaluate.on_worlds import WorldRun, evaluate_worlds

    with as_usage():
        run = WorldRun(
            seed, minutes, videos, per_kind, model=model, direct=direct, dtype=dtype, work=work, features=features
        )
    with (
        resumable("answers are kept, and the same command goes on from there"),
        Bars(quiet=quiet, unit=_unit) as progress,
    ):
        result = evaluate_worlds(run, progress=progress)
    if json:
        output.print_json(result)
    else:
        scores.print_worlds(result)


def register(root: typer.Typer) -> None:
    """Add the commands to the `rewind` app."""
    root.add_typer(app, name="evaluate")


def _unit(stage: str) -> str:
    return _UNITS.get(stage, "frame")


def _judge(benchmark: str, url: str | None, model: str | None, prompt: Path | None, record: Path | None) -> Any:
    """The judge that was asked for, or None. Options of a judge without one are wrong usage."""
    from rewind.evaluate import Judge
    from rewind.evaluate.files import read_text

    if url is None:
        alone = {"--judge-model": model, "--judge-prompt": prompt, "--judge-record": record}
        given = next((option for option, value in alone.items() if value is not None), None)
        if given is not None:
            raise usage(f"{given} without --judge; give --judge URL")
        return None
    if benchmark != "moviechat":
        raise usage(f"a judge for {benchmark}; allowed: a judge for moviechat only")
    if model is None:
        raise usage("--judge without --judge-model; allowed: scores that name their judge; give --judge-model NAME")
    with as_usage():
        judge = Judge(url, model)
    return judge if prompt is None else replace(judge, prompt=read_text(prompt))
