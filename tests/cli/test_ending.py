"""Real processes that are told to end, or whose streams go: one line, the exit code, and nothing left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from rewind.cli.ending import end_orderly

_SLOW = """
import signal, sys, tempfile, time, rewind
sys.path.insert(0, {folder!r})
from cli.conftest import FakeVideo
class Slow(FakeVideo):
    def watch(self, **options):
        print("begun", flush=True)
        time.sleep(60)
class Holding(FakeVideo):
    def watch(self, **options):
        with tempfile.TemporaryDirectory() as folder:
            print(folder, flush=True)
            time.sleep(60)
class Wordy(FakeVideo):
    def find(self, query, **options):
        for _ in range(20000):
            print("x" * 100)
        return super().find(query, **options)
rewind.open = lambda source, **options: {kind}()
# A shell starts what it puts in the background with interrupts ignored, nohup without hang-ups; a test run may come
# from there.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_IGN if {ignoring!r} else signal.SIG_DFL)
sys.argv = ["rewind", *{words!r}]
from rewind.cli import main
main()
"""


def _started(kind: str, words: list[str], *, ignoring: bool = False) -> subprocess.Popen[str]:
    code = _SLOW.format(folder=str(Path(__file__).parents[1]), kind=kind, words=words, ignoring=ignoring)
    return subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ}
    )


def test_ctrl_c_ends_a_real_process_with_one_line() -> None:
    process = _started("Slow", ["watch", "match.mp4", "--quiet"])
    assert process.stdout is not None
    assert process.stdout.readline() == "begun\n"
    time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert err == "rewind: stopped; what was watched is kept, and the same command goes on from there\n"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_word_to_end_is_followed_as_ctrl_c_is(number: signal.Signals) -> None:
    process = _started("Holding", ["watch", "match.mp4", "--quiet"])
    assert process.stdout is not None
    folder = Path(process.stdout.readline().strip())
    assert folder.is_dir()
    process.send_signal(number)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 128 + number
    assert err == "rewind: stopped; what was watched is kept, and the same command goes on from there\n"
    assert not folder.exists()


def test_a_hang_up_that_is_ignored_stays_so() -> None:
    process = _started("Holding", ["watch", "match.mp4", "--quiet"], ignoring=True)
    assert process.stdout is not None
    assert process.stdout.readline()
    process.send_signal(signal.SIGHUP)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)
    assert process.returncode == 128 + signal.SIGTERM


@pytest.mark.parametrize(("name", "number"), [("SIGTERM", 15), ("SIGHUP", 1), ("SIGINT", 2)])
@pytest.mark.parametrize("place", ["rewind.cli.group.RewindGroup.parse_args", "rewind.cli.group.quiet_hub"])
def test_who_is_told_to_end_before_a_command_begins_ends_as_in_it(place: str, name: str, number: int) -> None:
    holder, _, attribute = place.rpartition(".")
    code = (
        "import os, pkgutil, signal, sys, time\n"
        "import rewind.cli\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "signal.signal(signal.SIGHUP, signal.SIG_DFL)\n"
        "def told(*_, **__):\n"
        f"    os.kill(os.getpid(), signal.{name})\n"
        "    time.sleep(10)\n"
        f"setattr(pkgutil.resolve_name({holder!r}), {attribute!r}, told)\n"
        "sys.argv = ['rewind', 'store', 'list']\n"
        "rewind.cli.main()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (128 + number, "", "rewind: stopped\n")


def test_beside_the_main_thread_signals_are_left_alone() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with ThreadPoolExecutor(1) as pool:
        pool.submit(end_orderly).result()
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_reader_that_left_is_no_error() -> None:
    process = _started("Wordy", ["find", "match.mp4", "a car", "--quiet"])
    assert process.stdout is not None
    assert process.stdout.readline()
    process.stdout.close()
    assert process.stderr is not None
    err = process.stderr.read()
    process.stderr.close()
    assert process.wait(timeout=60) == 141
    assert err == ""


def test_streams_that_the_caller_closed_go_nowhere() -> None:
    """Neither does what is printed land in a file that is opened later."""
    code = _SLOW.format(
        folder=str(Path(__file__).parents[1]), kind="FakeVideo", words=["find", "match.mp4", "a car"], ignoring=False
    )
    closed = (
        "import os, sys\nfor n in (0, 1): os.close(n)\nos.execv(sys.executable, [sys.executable, '-c', sys.argv[1]])"
    )
    done = subprocess.run(
        [sys.executable, "-c", closed, code], capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("match.mp4 ")


def test_who_is_told_once_more_after_a_while_ends_at_once() -> None:
    """The first word may have been lost where Python swallows exceptions, or tidying up hangs."""
    code = (
        "import os, signal, time\n"
        "from rewind.cli import ending\n"
        "ending.PATIENCE_S = 0.1\n"
        "ending.end_orderly()\n"
        "for wait in (0, 0, 0.3):\n"
        "    time.sleep(wait)\n"
        "    try:\n"
        "        os.kill(os.getpid(), signal.SIGTERM)\n"
        "        time.sleep(0.01)\n"
        "    except ending.Ended:\n"
        "        print('told', flush=True)\n"
        "print('alive')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (-signal.SIGTERM, "told\n")
