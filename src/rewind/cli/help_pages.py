"""`python -m rewind.cli.help_pages > docs/cli.md`: the documentation of every command, from its own help."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import typer.main

from rewind.cli import app

WIDTH = 100
HEAD = """# Command line

Written by `python -m rewind.cli.help_pages > docs/cli.md`; a test holds the two equal.
"""


def pages() -> Iterator[tuple[str, str]]:
    """(command, help) of the root and of every command under it, in the order of the help."""
    yield from _under(typer.main.get_command(app), "rewind", None)


def markdown() -> str:
    """The whole page."""
    parts = [HEAD]
    for name, text in pages():
        parts.append(f"## {name}\n\n```text\n{text}\n```\n")
    return "\n".join(parts)


def _under(command: Any, name: str, parent: Any) -> Iterator[tuple[str, str]]:
    context = command.context_class(
        command, info_name=name.rpartition(" ")[2], parent=parent, terminal_width=WIDTH, max_content_width=WIDTH,
        help_option_names=["--help", "-h"],
    )  # fmt: skip
    yield name, "\n".join(line.rstrip() for line in command.get_help(context).strip().splitlines())
    for child, sub in getattr(command, "commands", {}).items():
        yield from _under(sub, f"{name} {child}", context)


if __name__ == "__main__":
    print(markdown(), end="")
