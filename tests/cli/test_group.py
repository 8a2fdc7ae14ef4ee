"""The default command, usage hints, exit codes, and failures as one line."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

from .conftest import FakeVideo, make_info

Run = Callable[..., Result]


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["match.mp4"], 'no question; type: rewind match.mp4 "what happens?"; to watch only: rewind watch match.mp4'),
        (
            ["match.mp4", "when", "does", "it", "end?"],
            'put the question in quotes: rewind match.mp4 "when does it end?"',
        ),
        (["find", "match.mp4", "red", "car"], 'put the query in quotes: rewind find match.mp4 "red car"'),
        (["what happens?", "match.mp4"], 'the video comes first: rewind match.mp4 "what happens?"'),
        (["find", "a car", "match.mp4"], 'the video comes first: rewind find match.mp4 "a car"'),
        (["fnd", "match.mp4", "a car"], "no command or file 'fnd'; did you mean: rewind find …"),
        (
            ["wach", "match.mp4"],
            "'wach'; did you mean: rewind watch match.mp4, or as a question: rewind match.mp4 \"wach\"",
        ),
        (["find", "cat", "match.mp4"], 'the video comes first: rewind find match.mp4 "cat"'),
        (["aren"], "or did you mean: rewind arena …"),
        (["--json", "find", "match.mp4", "a car"], "options come after the command: rewind find VIDEO … OPTIONS"),
        (["find", "match.mp4"], 'no query; type: rewind find match.mp4 "a red car"'),
        (["match.mp4", " "], "an empty question; allowed: at least one word"),
        (["match.mp4", "caf\udce9?"], "a question that is not UTF-8 text"),
        (["watch"], "Missing argument 'VIDEO'"),
        (["match.mp4", "q", "--until", "1:x"], "'1:x'; allowed: seconds such as 72.5"),
        (["match.mp4", "q", "--fps", "0"], "'0'; allowed: a rate above 0"),
        (["match.mp4", "q", "--fps", "1000"], "'1000'; allowed: a rate above 0, up to 240"),
        (["match.mp4", "q", "--fps", "1e-9"], "'1e-9'; allowed: a rate above 0, up to 240"),
        (["match.mp4", "q", "--fps", "1/0"], "'1/0'; allowed: a rate"),
        (["match.mp4", "q", "--fps", "1e30000000"], "'1e30000000'; allowed: a rate"),
        (["match.mp4", "q", "--fps", "1e3_0000000"], "'1e3_0000000'; allowed: a rate"),
        (["match.mp4", "q", "--fps", "9" * 400], "9'; allowed: a rate"),
        (["match.mp4", "q", "--until", "9" * 400], "9'; allowed: seconds"),
        (["store", "prune", "--max-size", "9" * 400], "9'; allowed: a size"),
        (["match.mp4", "q", "--reading", "slow"], "'exact', 'fast', 'keyframes'"),
        (["match.mp4", "q", "--dtype", "fp64"], "'fp16', 'int8'"),
        (["match.mp4", "q", "--fps"], "'--fps' requires an argument; see: rewind ask --help"),
        (["worlds", "make", "--rate"], "see: rewind worlds make --help"),
        (["find", "match.mp4", "q", "--threshold", "2"], "'--threshold': '2'; allowed: a number from 0 to 1;"),
        (["find", "match.mp4", "q", "--threshold", "nan"], "'--threshold': 'nan'; allowed: a number from 0 to 1;"),
        (["find", "match.mp4", "q", "--threshold="], "'--threshold': ''; allowed: a number from 0 to 1;"),
        (["find", "match.mp4", "q", "--limit", "0"], "'--limit': '0'; allowed: a whole number, 1 or more;"),
        (["find", "match.mp4", "q", "--limit", "7", "--limit", "x"], "'--limit': 'x'; allowed: a whole number, 1"),
        (["match.mp4", "q", "--threads", "0"], "'--threads': '0'; allowed: a whole number, 1 or more;"),
        (["worlds", "make", "w", "--minutes", "nan"], "'--minutes': 'nan'; allowed: a number from 0.5 to 1440;"),
        (["worlds", "make", "w", "--seed", "9" * 23], "allowed: train 0–999999, validation"),
        (["worlds", "show", "--seed", "1500000"], "seed 1500000; allowed: train 0–999999, validation"),
        (["worlds", "make", ""], "''; allowed: a path, such as ./ for the current folder"),
        (["evaluate", "worlds", "--videos", "0"], "'--videos': '0'; allowed: a whole number, 1 or more;"),
        (["train", "nano", "--seed", "2000000"], "seed 2000000 is of the test range"),
        (["train", "nano", "--seed", "900000"], "allowed: 0 to 885600"),
        (["train", "huge"], "size 'huge'; allowed: nano or small"),
        (["train", "--out", ""], "''; allowed: a path"),
        (["arena", "--out", ""], "''; allowed: a path"),
        (["evaluate", "worlds", "--features", ""], "''; allowed: a path"),
        (["evaluate", "qvhighlights", "--annotations", ""], "''; allowed: a path"),
        (["match.mp4", "q", "--store", ""], "''; allowed: a path"),
        (["match.mp4", "q", "--evidence", " "], "' '; allowed: a path"),
        (["match.mp4", "q", "--clips="], "''; allowed: a path"),
        (["match.mp4", "q", "--model", "nope"], "'nope'; allowed: nano, a folder with config.json, or hub:NAME"),
        (["match.mp4", "q", "--model", "hub:"], "'hub:'; allowed: a name after hub:"),
        (["match.mp4", "q", "--image-text", "hub:"], "'hub:'; allowed: a name after hub:"),
        (["match.mp4", "q", "--image-text", "clip"], "'clip'; allowed: hub:OWNER/MODEL or hub:FOLDER of CLIP"),
        (["models", "show", "nope"], "'nope'; allowed: nano, a folder"),
        (["match.mp4", "q", "--nonsense"], "No such option: --nonsense"),
        (["-", "q", "--evidence", "seen"], "standard input can be read only once"),
        (["chat", "-"], "chat reads questions from standard input"),
        (["store", "prune"], "--max-size"),
        (["store", "prune", "--max-size", "many"], "'many'; allowed: a size such as 500MB"),
        (["store", "nothing"], "No such command 'nothing'"),
    ],
)
def test_wrong_usage_is_one_line_that_says_what_to_type(
    video: FakeVideo, run: Run, words: list[str], hint: str
) -> None:
    result = run(*words)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert hint in result.stderr
    assert result.stderr.startswith("rewind: ")
    assert result.stderr.count("\n") == 1
    assert video.calls == []


def test_a_question_longer_than_a_file_name_may_be(video: FakeVideo, run: Run) -> None:
    result = run("missing.mp4", "what " * 1000)
    assert "name too long" not in result.stderr.lower()


def test_a_file_named_like_a_command(video: FakeVideo, run: Run, tmp_path: Path) -> None:
    (tmp_path / "find").write_bytes(b"not read")
    assert "a file named find is written ./find" in run("find", "what happens?").stderr
    assert run("./find", "what happens?").exit_code == 0
    assert video.opened["source"] == "./find"


def test_a_file_whose_name_begins_with_a_dash(video: FakeVideo, run: Run, tmp_path: Path) -> None:
    (tmp_path / "-clip.mp4").write_bytes(b"not read")
    assert "is written ./-clip.mp4" in run("-clip.mp4", "what happens?").stderr
    assert run("./-clip.mp4", "what happens?").exit_code == 0
    assert run("--", "-clip.mp4", "what happens?").exit_code == 0
    assert video.opened["source"] == "-clip.mp4"


def test_a_dash_is_standard_input(video: FakeVideo, run: Run) -> None:
    assert run("-", "what happens?").exit_code == 0
    assert video.opened["source"] == "-"


@pytest.mark.parametrize(
    ("fault", "line"),
    [
        (OSError(28, "No space left on device"), "rewind: no space left on device; allowed: a disk with room; free"),
        (
            PermissionError(13, "Permission denied", "/kept"),
            "rewind: /kept: permission denied; allowed: what you may read and write; check its permissions",
        ),
        (OSError(5, "Input/output error", "/kept"), "rewind: /kept: input/output error\n"),
        (MemoryError(), "rewind: not enough memory\n"),
        (KeyError("x"), "rewind: unexpected KeyError: 'x' (a fault of rewind; REWIND_DEBUG=1 shows where)\n"),
        (RuntimeError("two\nlines"), "rewind: unexpected RuntimeError: two lines (a fault"),
    ],
)
def test_a_failure_is_one_line_and_exit_code_1(video: FakeVideo, run: Run, fault: Exception, line: str) -> None:
    video.fault = fault
    result = run("match.mp4", "what happens?", "--quiet")
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr.startswith(line)
    assert result.stderr.count("\n") == 1


def test_debug_shows_where(video: FakeVideo, run: Run) -> None:
    video.fault = KeyError("x")
    result = run("match.mp4", "what happens?", env={"REWIND_DEBUG": "1"})
    assert isinstance(result.exception, KeyError)


@pytest.mark.parametrize("command", ["ask", "find", "watch"])
def test_stopping_says_that_it_goes_on(video: FakeVideo, run: Run, command: str) -> None:
    video.fault = KeyboardInterrupt()
    words = ["what happens?"] if command != "watch" else []
    result = run(command, "match.mp4", *words, "--quiet")
    assert result.exit_code == 130
    assert result.stderr == "rewind: stopped; what was watched is kept, and the same command goes on from there\n"


def test_stopping_a_pipe_promises_nothing(video: FakeVideo, run: Run) -> None:
    video.fault, video.info = KeyboardInterrupt(), make_info("-", live=True)
    assert "nothing is kept" in run("-", "what happens?", "--quiet").stderr


def test_without_arguments_the_help_is_shown(run: Run) -> None:
    result = run()
    assert result.exit_code == 2
    assert "rewind VIDEO" in result.stderr


def test_version(run: Run) -> None:
    result = run("--version")
    assert result.exit_code == 0
    assert result.stdout.startswith("rewind 0.")


def _python(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (["--help"], "rewind VIDEO"),
        (["--version"], "rewind"),
        (["match.mp4", "q", "--from", "5", "--until", "3"], "a part that ends after it begins"),
        (["chat", "match.mp4", "--from", "5", "--until", "5"], "a part that ends after it begins"),
    ],
)
def test_help_and_a_refused_part_import_nothing_heavy(given: list[str], told: str) -> None:
    done = _python(
        f"import sys; sys.argv = ['rewind', *{given!r}]\n"
        "from rewind.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "heavy = [m for m in ('torch', 'transformers', 'av', 'numpy', 'PIL', 'rich') if m in sys.modules]\n"
        "sys.exit(f'imported {heavy}' if heavy else 0)"
    )
    assert done.returncode == 0, done.stderr
    assert told in done.stdout + done.stderr


def test_a_missing_file_is_one_line_in_a_real_process(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "rewind", str(tmp_path / "no.mp4"), "what happens?"],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert "no.mp4" in done.stderr
    assert "Traceback" not in done.stderr
