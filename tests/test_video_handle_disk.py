"""Disks that refuse: read-only, full, too small, gone. The answer is the same one, and what was lost is said."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import Fail

import rewind
from rewind import answering
from rewind.store import GoneError, list_store, prune_store, remove_stored
from test_video_handle import BIKES

QUESTION = "Is there a bicycle?"


def refuse_writes(monkeypatch: pytest.MonkeyPatch, below: Path) -> None:
    """A read-only medium: permissions alone would not stop a test that runs as root."""
    plain = Path.open

    def guarded(self: Path, mode: str = "r", *args: object, **options: object) -> object:
        if set(mode) & set("wax+") and below in self.parents:
            raise OSError(30, "Read-only file system")
        return plain(self, mode, *args, **options)  # type: ignore[call-overload]

    monkeypatch.setattr(Path, "open", guarded)


@pytest.fixture
def wanted(tmp_path: Path) -> str:
    return rewind.open(BIKES, store=tmp_path / "plain").ask(QUESTION).answer


def test_a_watched_video_is_asked_on_a_medium_that_refuses_writes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wanted: str
) -> None:
    rewind.open(BIKES, store=tmp_path / "plain").watch()
    refuse_writes(monkeypatch, tmp_path / "plain")
    for question in (QUESTION, "Is there a dog?"):
        answer = rewind.open(BIKES, store=tmp_path / "plain").ask(question)
        assert answer.seconds.encode == 0
        assert not any("cannot be written to" in d for d in answer.degradations)
        assert question != QUESTION or answer.answer == wanted


def test_a_video_not_watched_yet_goes_to_a_temporary_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wanted: str
) -> None:
    refuse_writes(monkeypatch, tmp_path / "refused")
    answer = rewind.open(BIKES, store=tmp_path / "refused").ask(QUESTION)
    assert answer.answer == wanted
    assert any("read-only file system" in d for d in answer.degradations)


def test_where_nothing_can_be_written_features_stay_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wanted: str
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "file" / "temporary"))
    video = rewind.open(BIKES, store=tmp_path / "file" / "store")
    answer = video.ask(QUESTION)
    assert answer.answer == wanted
    assert any("no temporary folder" in d for d in answer.degradations)
    assert video.watch().frames.read == 10


def test_a_disk_that_takes_no_memory_costs_only_the_walk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    video = rewind.open(BIKES, store=tmp_path)
    video.watch()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("rewind.store.tensors.replace_file", full)
    assert video.ask(QUESTION).answer
    assert not list(tmp_path.glob("*/memory-*"))


def test_a_damaged_memory_is_walked_again(tmp_path: Path) -> None:
    query = "Does a red star appear in the video?"
    first = rewind.open(BIKES, store=tmp_path).find(query)
    kept = next(tmp_path.glob("*/memory-*.safetensors"))
    whole = kept.read_bytes()
    kept.write_bytes(whole[:-1] + bytes([whole[-1] ^ 0x40]))
    assert rewind.open(BIKES, store=tmp_path).find(query).best_score == first.best_score
    assert kept.read_bytes() == whole


def test_a_store_that_is_removed_under_a_handle_is_made_anew(tmp_path: Path, wanted: str) -> None:
    video = rewind.open(BIKES, store=tmp_path / "store")
    first = video.find(QUESTION)
    remove_stored(tmp_path / "store", list_store(tmp_path / "store")[0].key)
    assert video.ask(QUESTION).answer == wanted
    assert list_store(tmp_path / "store")[0].finished
    prune_store(tmp_path / "store", max_bytes=0)
    assert video.watch().stored_bytes > 0
    assert list_store(tmp_path / "store")[0].finished
    prune_store(tmp_path / "store", max_bytes=0)
    again = video.find(QUESTION)
    assert again.moments == first.moments
    assert again.seconds.encode > 0


def test_a_store_that_another_process_is_making_anew_is_gone_not_damaged(tmp_path: Path) -> None:
    """Its manifest is there again, and does not name the shards of before yet."""
    video = rewind.open(BIKES, store=tmp_path / "store")
    first = video.find(QUESTION)
    key = list_store(tmp_path / "store")[0].key
    manifest = tmp_path / "store" / key / "manifest.json"
    data = json.loads(manifest.read_text())
    remove_stored(tmp_path / "store", key)
    manifest.parent.mkdir(exist_ok=True)
    manifest.write_text(json.dumps({**data, "shards": [], "finished": False}))
    assert video.find("a car").known
    assert video.find(QUESTION).moments == first.moments


def test_a_store_that_is_removed_during_a_question_is_made_anew_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wanted: str
) -> None:
    video, recollect, asked = rewind.open(BIKES, store=tmp_path / "store"), answering.recollect, []

    def removed(*args: Any, **options: Any) -> Any:
        asked.append(args)
        for stored in list_store(tmp_path / "store") if len(asked) <= times else ():
            remove_stored(tmp_path / "store", stored.key)
        return recollect(*args, **options)

    monkeypatch.setattr(answering, "recollect", removed)
    times = 1
    assert video.ask(QUESTION).answer == wanted
    assert len(asked) == 2
    times = 4
    with pytest.raises(GoneError, match="is gone: removed or pruned meanwhile") as caught:
        video.find("a red star")
    assert len(asked) == 4
    assert "store remove" not in str(caught.value)


@pytest.mark.slow
def test_a_limit_on_the_size_of_files_is_survived(tmp_path: Path, wanted: str) -> None:
    resource = pytest.importorskip("resource")
    script = (
        "import sys, rewind; answer = rewind.open(sys.argv[1], store=sys.argv[2]).ask(sys.argv[3]); "
        "print(answer.answer); print(*answer.degradations)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(BIKES), str(tmp_path / "store"), QUESTION],
        capture_output=True, text=True, check=True, timeout=120,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000)),
    )  # fmt: skip
    said, lost = done.stdout.splitlines()
    assert said == wanted
    assert "features of later frames are not stored: file too large" in lost
    assert not list((tmp_path / "store").glob("*/*.tmp"))
    assert not any(v.finished for v in list_store(tmp_path / "store"))


@pytest.mark.slow
def test_two_processes_that_watch_one_file_at_once_share_the_work(tmp_path: Path) -> None:
    script = (
        "import sys, rewind; report = rewind.open(sys.argv[1], store=sys.argv[2], fps=25).watch(); "
        "print(report.frames.read, report.resumed_frames)"
    )
    command = [sys.executable, "-c", script, str(BIKES), str(tmp_path)]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    said = sorted(process.communicate(timeout=120)[0].split() for process in both)
    assert [process.returncode for process in both] == [0, 0]
    assert said == [["250", "0"], ["250", "250"]]


def test_a_source_that_fails_half_way_is_answered_in_part_and_watched_on_next_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fail_at: Fail
) -> None:
    fail_at(monkeypatch, 200, OSError(5, "Input/output error"))
    part = rewind.open(BIKES, store=tmp_path, fps=10).watch()
    monkeypatch.undo()
    assert 64 < part.frames.read < 100
    assert any("stopped early" in d and "Input/output error" in d for d in part.degradations)
    assert not list_store(tmp_path)[0].finished
    rest = rewind.open(BIKES, store=tmp_path, fps=10).watch()
    assert (rest.frames.read, rest.resumed_frames) == (100, 64)
    assert not any("stopped early" in d for d in rest.degradations)
    assert list_store(tmp_path)[0].finished


def test_moments_end_where_the_question_does(tmp_path: Path) -> None:
    found = rewind.open(BIKES, store=tmp_path).find("bicycle", threshold=0.0, until_s=5.5, limit=50)
    assert max(m.end_s for m in found.moments) == 5.5
    assert found.frames.read == 6
