"""Who may write to a stored video, and who may remove it meanwhile."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest
from test_store import store
from typer.testing import CliRunner

from rewind.cli.store import app
from rewind.store import BusyError, list_store, lock, locked, prune_store, remove_stored
from rewind.store.lock import LOCK, is_locked

KEYS = ("aa" * 16, "bb" * 16)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for key in KEYS:
        store(tmp_path / key, [4])
    return tmp_path


def test_a_second_writer_waits_and_then_gives_up(tmp_path: Path) -> None:
    folder = tmp_path / "k"
    with locked(folder):
        assert is_locked(folder)
        with pytest.raises(BusyError, match="another process"), locked(folder, wait_s=0.3):
            pass
    assert not is_locked(folder)
    with locked(folder, wait_s=0):
        pass


@pytest.mark.skipif(sys.platform == "win32", reason="there is no shared lock")
def test_those_who_look_neither_see_each_other_nor_keep_a_writer_out(tmp_path: Path) -> None:
    folder = tmp_path / "k"
    with locked(folder):
        pass
    with (folder / LOCK).open("r+") as looking:
        assert lock._take(looking, shared=True)
        assert not is_locked(folder)
        done = threading.Timer(0.05, looking.close)
        done.start()
        with locked(folder, wait_s=0):
            assert looking.closed
        done.join()


def test_a_second_writer_that_waits_says_so_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    with locked(tmp_path / "k"):
        monkeypatch.setattr(lock, "SAID_AFTER_S", 60.0)
        with pytest.raises(BusyError), locked(tmp_path / "k", wait_s=0.1, waiting=lambda: said.append("short")):
            pass
        monkeypatch.setattr(lock, "SAID_AFTER_S", 0.05)
        with pytest.raises(BusyError), locked(tmp_path / "k", wait_s=1.0, waiting=lambda: said.append("long")):
            pass
    with locked(tmp_path / "k", waiting=lambda: said.append("free")):
        pass
    assert said == ["long"]


def test_what_is_being_watched_is_neither_removed_nor_pruned(root: Path) -> None:
    with locked(root / KEYS[0]):
        with pytest.raises(BusyError, match="is being watched") as caught:
            remove_stored(root, "aa")
        assert "\n" not in str(caught.value)
        assert [v.key for v in prune_store(root, max_bytes=0)] == [KEYS[1]]
        (left,) = list_store(root)
        assert (left.key, left.busy, left.finished) == (KEYS[0], True, True)
        said = CliRunner().invoke(app, ["prune", "--max-size", "0MB", "--store", str(root)]).stdout
        assert f"kept {KEYS[0][:12]}" in said
        assert "being watched" in said
    assert not list_store(root)[0].busy
    assert remove_stored(root, "aa").key == KEYS[0]
    assert not any(root.iterdir())


def test_a_lock_on_a_folder_that_was_removed_keeps_nobody_out_and_is_not_taken(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A writer that opened the lock file before it was removed must begin anew, not share the folder with the next."""
    folder, plain, opened = root / KEYS[0], Path.open, []

    def slow(self: Path, mode: str = "r", *args: object, **options: object) -> object:
        file = plain(self, mode, *args, **options)  # type: ignore[call-overload]
        if self.name == LOCK and mode == "w":
            opened.append(self)
            if len(opened) == 1:
                remove_stored(root, "aa")
        return file

    monkeypatch.setattr(Path, "open", slow)
    with locked(folder, wait_s=5):
        assert len(opened) >= 3  # the first try, the removal's, and the one that holds
        assert is_locked(folder)
        with pytest.raises(BusyError), locked(folder, wait_s=0):
            pass


def test_a_folder_that_others_begin_to_write_to_is_left_to_them(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from rewind.store import manage

    def begun_again(path: Path) -> None:
        plain(path)
        (path / "new").touch()

    plain = manage._empty
    monkeypatch.setattr(manage, "_empty", begun_again)
    remove_stored(root, "aa")
    assert [p.name for p in (root / KEYS[0]).iterdir()] == ["new"]


def test_the_package_is_imported_where_the_system_has_no_fcntl() -> None:
    script = "import sys; sys.modules['fcntl'] = None; import rewind, rewind.store, rewind.video; print(rewind.open)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=300)
    assert (done.returncode, done.stderr) == (0, "")
