"""The bar on terminals of several widths: it stays on one line, and tells no pace before there is one."""

from __future__ import annotations

import contextlib
import os
import re
import time
from collections.abc import Callable, Iterator

import pytest

from rewind.cli import progress

pytest.importorskip("termios", reason="there are no pseudo-terminals on Windows")
Draw = Callable[..., list[str]]


@pytest.fixture
def draw(monkeypatch: pytest.MonkeyPatch) -> Draw:
    """What a bar shows on a terminal of so many columns after `seconds`, a line for each time that it is drawn."""

    def drawn(columns: int, *, seconds: float = 0.0, verb: str = "watching") -> list[str]:
        monkeypatch.setenv("COLUMNS", str(columns))
        monkeypatch.setenv("LINES", "24")
        monkeypatch.setenv("TERM", "xterm")
        ours, theirs = os.openpty()
        with open(theirs, "w", encoding="utf-8") as terminal, monkeypatch.context() as patch:
            patch.setattr("sys.stderr", terminal)
            with progress.bar(verb, quiet=False) as report:
                for done in range(8):
                    report(done + 1, 5530)
                time.sleep(seconds)
                report(9, 5530)
        shown = b""
        with open(ours, "rb", buffering=0) as screen, contextlib.suppress(OSError):  # the end of a terminal is an error
            while part := screen.read(1 << 16):
                shown += part
        lines = re.split(r"[\r\n]+", re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown.decode()))
        return [line for line in lines if line.strip()]

    return drawn


@pytest.mark.parametrize("columns", [24, 30, 50, 80, 120])
def test_a_bar_is_one_line(draw: Draw, columns: int) -> None:
    lines = draw(columns)
    assert all(line.startswith("watching ") and "/5530" in line for line in lines)
    assert all(len(line) <= columns for line in lines)
    assert any("━" in line for line in lines) == (columns >= 80)


def test_a_long_name_is_one_line_too(draw: Draw) -> None:
    assert all(len(line) <= 20 and line.startswith("q") for line in draw(20, verb="question-only control"))


def test_no_pace_is_told_before_there_is_one(draw: Draw, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "_PACE_AFTER_S", 600.0)
    assert not any("frames/s" in line for line in draw(100, seconds=0.1))
    monkeypatch.setattr(progress, "_PACE_AFTER_S", 0.05)
    assert re.search(r"frames?/s +\d+:\d\d", draw(100, seconds=0.1)[-1])


def test_each_piece_has_a_bar_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[tuple[str, str, int, int | None]] = []

    @contextlib.contextmanager
    def bar(verb: str, *, quiet: bool, unit: str) -> Iterator[progress.Progress]:
        assert not quiet
        yield lambda done, total: drawn.append((verb, unit, done, total))
        drawn.append((verb, "closed", 0, None))

    monkeypatch.setattr(progress, "bar", bar)
    with progress.Bars(quiet=False, unit=lambda piece: "scene" if piece == "bank" else "step") as report:
        report("bank", 1, 2)
        report("bank", 2, 2, {"loss": 1.0})
        report("align", 1, 9)
    assert drawn == [
        ("bank", "scene", 1, 2), ("bank", "scene", 2, 2), ("bank", "closed", 0, None),
        ("align", "step", 1, 9), ("align", "closed", 0, None),
    ]  # fmt: skip
