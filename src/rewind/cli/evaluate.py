"""`rewind evaluate`: a predictions file against a benchmark's annotations, in the official figures."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from rewind.cli import options, output


def evaluate(
    benchmark: Annotated[
        str,
        typer.Argument(
            metavar="BENCHMARK", help="charades-sta, activitynet, qvhighlights, nextqa, nextgqa, moviechat or timechat."
        ),
    ],
    *,
    predictions: Annotated[Path, typer.Option("--predictions", metavar="FILE", help="What a model answered.")],
    annotations: Annotated[Path, typer.Option("--annotations", metavar="FILE", help="The benchmark's own file.")],
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of the bootstrap intervals.")] = 0,
    judge: Annotated[
        str | None,
        typer.Option(
            "--judge", metavar="URL", help="An OpenAI-compatible endpoint that marks open answers (moviechat)."
        ),
    ] = None,
    judge_model: Annotated[
        str | None,
        typer.Option("--judge-model", metavar="NAME", help="The model that judges; scores hold for it alone."),
    ] = None,
    judge_prompt: Annotated[
        Path | None,
        typer.Option("--judge-prompt", metavar="FILE", help="A prompt with {question}, {answer} and {prediction}."),
    ] = None,
    judge_record: Annotated[
        Path | None, typer.Option("--judge-record", metavar="FILE", help="Where every reply of the judge is kept.")
    ] = None,
    json: options.Json = False,
) -> None:
    """Score a predictions file with a benchmark's official figures. No answer counts as wrong."""
    from rewind.evaluate import score_predictions

    result = score_predictions(
        benchmark,
        predictions,
        annotations,
        seed=seed,
        judge=_judge(judge, judge_model, judge_prompt),
        record=judge_record,
    )
    if json:
        output.print_json(result)
    else:
        _show(result)


def register(app: typer.Typer) -> None:
    """Add the command to the `rewind` app."""
    app.command()(evaluate)


def _judge(url: str | None, model: str | None, prompt: Path | None) -> Any:
    from rewind.errors import ConfigError
    from rewind.evaluate import Judge
    from rewind.evaluate.files import read_text

    if url is None:
        if model or prompt:
            raise ConfigError("a judge without its address", do="give --judge URL")
        return None
    if model is None:
        raise ConfigError(
            "a judge without a name", allowed="scores that name their judge", do="give --judge-model NAME"
        )
    return Judge(url, model) if prompt is None else Judge(url, model, read_text(prompt))


def _show(result: dict[str, Any]) -> None:
    print(
        f"{result['benchmark']} · {result['n']:,} questions · {result['unparsed']:,} without an answer that can be read"
    )
    width = max(len(key) for key in result["metrics"])
    for key, value in result["metrics"].items():
        low, high = result["intervals_95"][key]
        print(f"   {key:<{width}}  {value:6.2f}   {low:.2f} – {high:.2f}")
    for note in result["notes"]:
        print(note)
