"""`rewind chat`: many questions on one video; its features are made once and kept."""

from __future__ import annotations

import contextlib
import io
import re
import sys
from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

import typer

from rewind.cli import engine, options, output
from rewind.cli.ask import check_part
from rewind.cli.ending import Ended
from rewind.cli.group import NOT_ANSWERABLE, complain, resumable, usage
from rewind.cli.options import Opening
from rewind.cli.progress import bar
from rewind.cli.refusals import os_refusal
from rewind.errors import ConfigError, RewindError, is_text

if TYPE_CHECKING:
    from rewind.video_handle import Video

_QUIT = {"/quit", "/exit"}
_COMMAND = re.compile(r"/[a-z?]*")
_HELP = """\
/find WORDS   moments that show WORDS: /find a red car
/help         these lines
/quit         the end
Any other line is a question."""


def chat(
    video: options.Video,
    *,
    since: options.From = None,
    until: options.Until = None,
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
    """Ask many questions of one video.

    They come from a prompt, or from standard input, one a line. /find WORDS lists moments instead, /help names all
    commands. With --json each question gives one JSON object on a line of its own.
    """
    if video == "-":
        raise usage("chat reads questions from standard input; give the video as a file or a URL")
    check_part(since, until)
    handle = engine.open_video(video, Opening(fps, reading, model, image_text, store, dtype, threads), quiet=quiet)
    output.announce(handle.info, handle.estimate, fps, quiet=quiet)
    with resumable(engine.when_stopped(handle)), bar("watching", quiet=quiet) as progress:
        lost = handle.watch(progress=progress).degradations
    output.print_notes(lost, quiet=quiet or json)
    failed = False
    for line in _lines(prompt=not (quiet or json)):
        try:
            _reply(handle, line, since=since, until=until, json=json, quiet=quiet, told=() if quiet else lost)
        except RewindError as error:
            failed = True
            complain(str(error))
        except BrokenPipeError:
            raise
        except OSError as error:
            failed = True
            complain(os_refusal(error))
    if failed and not sys.stdin.isatty():
        raise typer.Exit(NOT_ANSWERABLE)


def _reply(
    handle: Video, line: str, *, since: float | None, until: float | None, json: bool, quiet: bool, told: Sequence[str]
) -> None:  # fmt: skip
    if not is_text(line):
        raise ConfigError("a question that is not UTF-8 text", allowed="UTF-8, as the input's encoding should be")
    command, _, words = line.partition(" ")
    command = command.lower()
    if command == "/help":
        print(_HELP, file=sys.stderr if json else sys.stdout, flush=True)
        return
    if command == "/find":
        if not words.strip():
            raise ConfigError("/find without words", allowed="what to look for", do="type: /find a red car")
        found = handle.find(words.strip(), from_s=since, until_s=until)
        if json:
            output.print_json(found.to_json())
        else:
            output.print_found(found, quiet=quiet, told=told)
        return
    if _COMMAND.fullmatch(command):
        raise ConfigError(f"no command {command}", allowed="/find WORDS, /help, /quit", do="type: /help")
    answer = handle.ask(line, from_s=since, until_s=until)
    if json:
        output.print_json(answer.to_json())
    else:
        output.print_answer(answer, quiet=quiet, told=told)


def _lines(*, prompt: bool) -> Iterator[str]:
    """Questions until the input ends; blank lines are passed over."""
    if isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(errors="surrogateescape")  # a line that is no text is refused as one line, not as the end
    at_terminal = sys.stdin.isatty()
    mark = "> " if prompt and sys.stdout.isatty() else ""
    if at_terminal:
        with contextlib.suppress(ImportError):
            import readline  # noqa: F401  (gives input() its history and editing)
    while True:
        try:
            line = input(mark) if at_terminal else sys.stdin.readline()
        except Ended:
            raise
        except (EOFError, KeyboardInterrupt):
            print(file=sys.stderr)
            return
        if not at_terminal and not line:
            return
        line = " ".join(line.split())
        if line.lower() in _QUIT or (at_terminal and f"/{line.lower()}" in _QUIT):
            return
        if line:
            yield line
