"""Where features go: under their key, to a temporary folder, or nowhere; what was given up is said."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import pytest
from test_store import CLOCK, RECIPE, features

from rewind.errors import StoreError
from rewind.store import Shelf, lock, locked
from rewind.store.features import StoredFeatures
from rewind.store.keys import Recipe
from rewind.store.shards import MANIFEST
from rewind.values import FrameCount


def shelf(folder: Path, *, recipe: Recipe = RECIPE, live: bool = False) -> Shelf:
    film = folder / "film.mp4"
    if not film.exists():
        film.write_bytes(b"not looked into")
    return Shelf(film, folder / "store", recipe=recipe, live=live)


def fill(stored: StoredFeatures, count: int) -> None:
    stored.add(features(0, count), first=0, stop=count)
    stored.finish(frames=FrameCount(count, count, 0), degradations=(), read_s=0.0, encode_s=0.0)


def test_what_is_finished_is_found_again_and_another_recipe_is_another_place(tmp_path: Path) -> None:
    first = shelf(tmp_path)
    assert not first.finished()
    with first.opened(CLOCK) as stored:
        fill(stored, 3)
    assert first.finished()
    assert shelf(tmp_path).finished()
    with shelf(tmp_path).opened(CLOCK) as again:
        assert (len(again), again.manifest.finished, again.folder) == (3, True, stored.folder)
    other = shelf(tmp_path, recipe=Recipe("2", "exact", "fp16", "plain", "plain"))
    assert not other.finished()
    with other.opened(CLOCK) as empty:
        assert len(empty) == 0
    assert first.notes == []


def test_what_has_no_key_goes_to_a_folder_that_does_not_outlive_it(tmp_path: Path) -> None:
    live = shelf(tmp_path, live=True)
    with live.opened(CLOCK) as stored:
        fill(stored, 2)
        folder = stored.folder
    assert folder.is_dir()
    assert not live.finished()
    assert not (tmp_path / "store").exists()
    del live
    assert not folder.exists()


def test_a_store_that_cannot_be_made_costs_the_keeping_and_says_so(tmp_path: Path) -> None:
    (tmp_path / "store").write_text("a file where the folder should be")
    blocked = shelf(tmp_path)
    blocked.root = tmp_path / "store" / "below"
    with blocked.opened(CLOCK) as stored:
        fill(stored, 2)
        assert (stored.folder / MANIFEST).is_file()
    assert "features are kept for this run only" in blocked.notes[0]


def test_a_manifest_of_another_recipe_under_this_key_is_refused(tmp_path: Path) -> None:
    mine = shelf(tmp_path)
    with mine.opened(CLOCK) as stored:
        fill(stored, 2)
    text = (stored.folder / MANIFEST).read_text()
    (stored.folder / MANIFEST).write_text(text.replace('"exact"', '"fast"'))
    with pytest.raises(StoreError, match="another recipe"), mine.opened(CLOCK):
        pass


def test_who_waits_for_another_process_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock, "SAID_AFTER_S", 0.0)
    mine = shelf(tmp_path)
    with mine.opened(CLOCK) as stored:
        folder = stored.folder
    said: list[str] = []
    with ExitStack() as other:
        other.enter_context(locked(folder))

        def waiting() -> None:
            said.append("waiting")
            other.close()

        with shelf(tmp_path).opened(CLOCK, waiting=waiting) as stored:
            assert stored.folder == folder
    assert said == ["waiting"]
