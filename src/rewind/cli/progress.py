"""Bars on stderr while work goes on: how far it is, at what pace, how long it will take."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator

from rewind.cli.words import countdown, pace

Progress = Callable[[int, "int | None"], None]
_PACE_AFTER_S = 1.0
_COUNT, _BAR, _PACE = 13, 28, 28
"""Characters that the columns of a bar take: 5530/86400, the bar itself, 31 frames/s  1:04:12 left."""


@contextlib.contextmanager
def bar(verb: str, *, quiet: bool, unit: str = "frame") -> Iterator[Progress]:
    """A progress bar on stderr, drawn from the first report on; silent where stderr is no terminal."""
    if quiet or not sys.stderr.isatty():
        yield lambda _done, _total: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, ProgressColumn, Task, TextColumn
    from rich.progress import Progress as Bar
    from rich.table import Column
    from rich.text import Text

    def one_line() -> Column:
        return Column(no_wrap=True)

    class Pace(ProgressColumn):
        """31 frames/s  0:42 left; nothing at first, when what comes at once would be taken for the pace."""

        def render(self, task: Task) -> Text:
            if not task.speed or (task.elapsed or 0) < _PACE_AFTER_S:
                return Text("")
            left = "" if task.time_remaining is None else f"  {countdown(task.time_remaining)} left"
            return Text(pace(task.speed, unit) + left)

    console = Console(stderr=True)
    # Of a line that is wider than the terminal every report would leave a part behind: what does not fit is left out.
    room = console.width - len(verb) - _COUNT
    columns: list[ProgressColumn] = [TextColumn("{task.description}", table_column=one_line())]
    columns += [BarColumn(_BAR)] if room >= _BAR + _PACE else []
    columns += [MofNCompleteColumn(table_column=one_line())]
    columns += [Pace(table_column=one_line())] if room >= _PACE else []
    shown = Bar(*columns, console=console)
    task = None

    def report(done: int, total: int | None) -> None:
        nonlocal task
        if task is None:
            shown.start()
            task = shown.add_task(verb, total=total, completed=done)  # what was there already is no pace of ours
        shown.update(task, completed=done, total=total)

    try:
        yield report
    finally:
        if task is not None:
            shown.stop()


class Bars:
    """A bar for each piece of the work in turn; `unit` tells what a piece counts, by its name."""

    def __init__(self, *, quiet: bool, unit: Callable[[str], str]) -> None:
        self._quiet = quiet
        self._unit = unit
        self._stack = contextlib.ExitStack()
        self._piece: str | None = None
        self._report: Progress | None = None

    def __enter__(self) -> Bars:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def __call__(self, piece: str, done: int, total: int | None, _numbers: object = None) -> None:
        """Piece `piece` is at `done` of `total`."""
        if piece != self._piece or self._report is None:
            self._stack.close()
            self._report = self._stack.enter_context(bar(piece, quiet=self._quiet, unit=self._unit(piece)))
            self._piece = piece
        self._report(done, total)
