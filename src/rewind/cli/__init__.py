"""The command line: one module a command group. Nothing heavy is imported before a command needs it."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from typing import Annotated

import typer

from rewind.cli import evaluate, models, store, worlds
from rewind.cli.arena import arena
from rewind.cli.ask import ask, find
from rewind.cli.chat import chat
from rewind.cli.ending import end_orderly, exit_code
from rewind.cli.group import RewindGroup, complain
from rewind.cli.train import train
from rewind.cli.watch import info, watch

__all__ = ["app", "main"]

HELP = """Ask anything of hours of video: rewind VIDEO "question".

Exit codes: 0 answered (absent is an answer), 1 not answerable, 2 wrong usage, 130 stopped by Ctrl-C,
143 and 129 by SIGTERM and SIGHUP, 141 whoever read the output is gone.
"""

app = typer.Typer(
    cls=RewindGroup, help=HELP, no_args_is_help=True, add_completion=False, rich_markup_mode=None,
    pretty_exceptions_enable=False, context_settings={"help_option_names": ["--help", "-h"]},
)  # fmt: skip


def _version(wanted: bool) -> None:
    if wanted:
        try:
            print(f"rewind {version('rewind-video')}")
        except PackageNotFoundError:
            print("rewind, not installed as a package")
        raise typer.Exit


@app.callback()
def _root(
    _wanted: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


for command in (ask, find, watch, info, chat):
    app.command()(command)
app.add_typer(worlds.app, name="worlds")
app.command()(train)
app.add_typer(models.app, name="models")
app.add_typer(store.app, name="store")
evaluate.register(app)
app.command()(arena)


def main() -> None:
    """What the console script calls."""
    end_orderly()
    try:
        app(prog_name="rewind")
    except KeyboardInterrupt as stop:  # before or after the command itself
        complain("stopped")
        raise SystemExit(exit_code(stop)) from None
