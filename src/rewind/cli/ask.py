"""`rewind ask` and `rewind find`: one video, one question."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Annotated

import typer

from rewind.cli import engine, options, output
from rewind.cli.group import resumable, usage
from rewind.cli.options import Opening, Output
from rewind.cli.progress import bar
from rewind.errors import ConfigError

Question = Annotated[
    list[str] | None,
    typer.Argument(metavar="QUESTION", help='In quotes: "when does the bus come?"', show_default=False),
]
Query = Annotated[
    list[str] | None, typer.Argument(metavar="QUERY", help='In quotes: "a red car".', show_default=False)
]  # fmt: skip


def ask(
    video: options.Video,
    question: Question = None,
    *,
    since: options.From = None,
    until: options.Until = None,
    evidence: options.Evidence = None,
    clips: options.Clips = None,
    fps: options.Fps = Fraction(1),
    reading: options.ReadingOption = "exact",
    model: options.Model = "nano",
    image_text: options.ImageText = None,
    store: options.Store = None,
    dtype: options.DtypeOption = "fp16",
    threads: options.Threads = None,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Answer a question, with the moments that prove it.

    A question may name a part of the video: "what happens at 2:30?", "… in the last minute?".

    `rewind VIDEO "question"` does the same.
    """
    text = engine.one_question(video, question or (), command="ask", noun="question")
    check_part(since, until)
    shown = Output(json, quiet, evidence, clips)
    engine.check_folders(video, shown)
    handle = engine.open_video(video, Opening(fps, reading, model, image_text, store, dtype, threads), quiet=quiet)
    cost = handle.estimate_for(text, from_s=since, until_s=until)
    output.announce(handle.info, cost, fps, quiet=quiet)
    with (
        resumable(engine.when_stopped(handle, part=cost is not handle.estimate)),
        bar("watching", quiet=quiet) as progress,
    ):
        answer = handle.ask(text, from_s=since, until_s=until, progress=progress)
    answer, files = engine.write_files(handle, video, answer, answer.key_frames, shown, title=text)
    if json:
        output.print_json({**answer.to_json(), **_names(files)})
        return
    output.print_answer(answer, quiet=quiet)
    for what, paths in files.items():
        output.print_files(what, paths, quiet=quiet)


def find(
    video: options.Video,
    query: Query = None,
    *,
    threshold: options.Threshold = None,
    limit: options.Limit = 5,
    since: options.From = None,
    until: options.Until = None,
    evidence: options.Evidence = None,
    clips: options.Clips = None,
    fps: options.Fps = Fraction(1),
    reading: options.ReadingOption = "exact",
    model: options.Model = "nano",
    image_text: options.ImageText = None,
    store: options.Store = None,
    dtype: options.DtypeOption = "fp16",
    threads: options.Threads = None,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """List the moments that show something, or say it is absent."""
    text = engine.one_question(video, query or (), command="find", noun="query")
    check_part(since, until)
    shown = Output(json, quiet, evidence, clips)
    engine.check_folders(video, shown)
    handle = engine.open_video(video, Opening(fps, reading, model, image_text, store, dtype, threads), quiet=quiet)
    cost = handle.estimate_for(text, from_s=since, until_s=until)
    output.announce(handle.info, cost, fps, quiet=quiet)
    with (
        resumable(engine.when_stopped(handle, part=cost is not handle.estimate)),
        bar("watching", quiet=quiet) as progress,
    ):
        found = handle.find(text, from_s=since, until_s=until, threshold=threshold, limit=limit, progress=progress)
    found, files = engine.write_files(handle, video, found, engine.key_frames_of(found), shown, title=text)
    if json:
        output.print_json({**found.to_json(), **_names(files)})
        return
    output.print_found(found, quiet=quiet)
    for what, paths in files.items():
        output.print_files(what, paths, quiet=quiet)


def check_part(since: float | None, until: float | None) -> None:
    """Refuse a part that ends before it begins, by the names of the options, before anything heavy is loaded."""
    from rewind.scope import check_order

    try:
        check_order(since, until)
    except ConfigError as error:
        raise usage(f"--from {since:g} s --until {until:g} s; allowed: {error.allowed}") from None


def _names(files: dict[str, list[Path]]) -> dict[str, list[str]]:
    return {what: [str(p) for p in paths] for what, paths in files.items()}
