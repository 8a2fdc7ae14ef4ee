"""Features on disk: round trips, rows and clips, damage refused with its reason, a full disk survived, pruning."""

from __future__ import annotations

import json
import os
import time
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from rewind.errors import StoreError
from rewind.store import (
    Manifest,
    Recipe,
    StoredFeatures,
    file_hash,
    find_stored,
    list_store,
    locked,
    prune_store,
    remove_stored,
    replace_file,
    row_bytes,
)
from rewind.store import features as features_module
from rewind.store.shards import MANIFEST
from rewind.timeline import Clock, Timeline
from rewind.values import Features, FrameCount

CLOCK = Clock(0, Fraction(1, 1000), Fraction(1))
RECIPE = Recipe("1", "exact", "fp16", "fake", "hash")


def features(first: int, count: int, *, seed: int = 0) -> Features:
    made = torch.Generator().manual_seed(seed + first)
    index = np.arange(first, first + count, dtype=np.int64)
    deep, fine = torch.randn(count, 4, 6, generator=made), torch.randn(count, 16, 5, generator=made)
    posterior = torch.rand(count, 2, 7, generator=made)
    return Features(Timeline(CLOCK, index, index * 1000), deep, fine, posterior)


def store(folder: Path, sizes: list[int], *, dtype: str = "fp16") -> tuple[StoredFeatures, Features]:
    folder.mkdir(parents=True, exist_ok=True)
    stored = StoredFeatures(folder, Manifest({"path": "film.mp4"}, replace(RECIPE, dtype=dtype), CLOCK))
    parts, at = [], 0
    for size in sizes:
        parts.append(features(at, size))
        stored.add(parts[-1], first=at, stop=at + size)
        at += size
    stored.finish(frames=FrameCount(at, at, 0), degradations=("a note",), read_s=1.0, encode_s=2.0)
    return stored, Features.join(parts)


def test_what_was_stored_comes_back(tmp_path: Path) -> None:
    _, want = store(tmp_path / "k", [5, 8, 3])
    again = StoredFeatures(tmp_path / "k", Manifest.load(tmp_path / "k"))
    assert len(again) == 16
    assert again.manifest.finished
    assert again.manifest.degradations == ("a note",)
    deep, fine, posterior = (torch.cat(p) for p in zip(*again.by_shard("deep", "fine", "posterior"), strict=True))
    assert torch.equal(deep, want.deep.half())
    assert torch.equal(fine, want.fine.half())
    assert torch.equal(posterior, want.posterior.half())
    assert again.timeline().pts.tolist() == want.timeline.pts.tolist()


@settings(max_examples=25, deadline=None)
@given(
    sizes=st.lists(st.integers(1, 9), min_size=1, max_size=5),
    clip=st.integers(1, 7),
    share=st.floats(0, 1),
    data=st.data(),
)
def test_clips_and_rows_never_see_the_borders_of_shards(
    tmp_path_factory: pytest.TempPathFactory, sizes: list[int], clip: int, share: float, data: st.DataObject
) -> None:
    stored, want = store(tmp_path_factory.mktemp("s") / "k", sizes)
    rows = max(1, round(share * sum(sizes)))
    clips = [c for (c,) in stored.stretch(0, rows).clips(clip, "deep")]
    assert all(len(c) == clip for c in clips[:-1])
    assert torch.equal(torch.cat(clips), want.deep[:rows].half())
    first = data.draw(st.integers(0, rows - 1))
    part = stored.stretch(first, rows)
    assert torch.equal(torch.cat([c for (c,) in part.clips(clip, "deep")]), want.deep[first:rows].half())
    assert torch.equal(torch.cat(list(part.part("posterior"))), want.posterior[first:rows].half())
    assert torch.equal(
        part.rows("fine", [0, len(part) - 1][: len(part)]), want.fine[[first, rows - 1][: len(part)]].half()
    )
    assert len({stored.stretch(*s).name for s in ((first, rows), (0, rows), (first, None))}) >= 1 + (first > 0)
    picked = sorted(data.draw(st.sets(st.integers(0, sum(sizes) - 1), min_size=1)))
    assert torch.equal(stored.rows("fine", picked), want.fine[picked].half())


def test_int8_takes_about_half_and_says_how_far_it_is_off(tmp_path: Path) -> None:
    stored, want = store(tmp_path / "k", [64], dtype="int8")
    deep = torch.cat([d for (d,) in stored.by_shard("deep")]).float()
    assert (deep - want.deep).abs().max() <= want.deep.abs().max() / 127
    shape = ((49, 320), (196, 112), (5, 1011))
    assert row_bytes(*shape, dtype="int8") < 0.6 * row_bytes(*shape, dtype="fp16")


@pytest.mark.parametrize("harm", ["flip", "cut", "gone"])
def test_a_damaged_shard_is_refused_in_one_line(tmp_path: Path, harm: str) -> None:
    store(tmp_path / "k", [6])
    path = next((tmp_path / "k").glob("*.safetensors"))
    data = bytearray(path.read_bytes())
    if harm == "flip":
        data[-3] ^= 1
        path.write_bytes(data)
    elif harm == "cut":
        path.write_bytes(data[:-10])
    else:
        path.unlink()
    with pytest.raises(StoreError, match="rewind store remove k") as caught:
        StoredFeatures(tmp_path / "k", Manifest.load(tmp_path / "k"))
    assert "\n" not in str(caught.value)


def test_foreign_and_outdated_manifests_are_refused(tmp_path: Path) -> None:
    store(tmp_path / "k", [6])
    path = tmp_path / "k" / MANIFEST
    data = json.loads(path.read_text())
    data["recipe"]["format"] = 99
    path.write_text(json.dumps(data))
    with pytest.raises(StoreError, match="has format 99; allowed: format 3"):
        Manifest.load(tmp_path / "k")
    path.write_text("{")
    with pytest.raises(StoreError, match="is no manifest"):
        Manifest.load(tmp_path / "k")


def test_a_full_disk_keeps_the_rest_in_memory_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "k"
    folder.mkdir()
    stored = StoredFeatures(folder, Manifest({}, RECIPE, CLOCK))
    stored.add(features(0, 4), first=0, stop=4)

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(features_module, "write_shard", full)
    stored.add(features(4, 4), first=4, stop=8)
    assert stored.trouble is not None
    assert "no space left" in stored.trouble
    want = Features.join([features(0, 4), features(4, 4)])
    assert torch.equal(torch.cat([d for (d,) in stored.by_shard("deep")]), want.deep.half())
    assert torch.equal(stored.rows("fine", [3, 4]), want.fine[3:5].half())
    assert len(stored.timeline()) == 8
    assert len(StoredFeatures(folder, Manifest.load(folder))) == 4
    monkeypatch.setattr(features_module, "IN_MEMORY_BYTES", 100)
    with pytest.raises(StoreError, match="free some space or give --store"):
        stored.add(features(8, 4), first=8, stop=12)


def test_a_files_hash_is_remembered_until_the_file_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    film, folder = tmp_path / "film.mp4", tmp_path / "store"
    film.write_bytes(b"one")
    first = file_hash(film, folder)
    monkeypatch.setattr("rewind.store.keys.file_sha256", lambda path: pytest.fail("hashed again"))
    assert file_hash(film, folder) == first
    monkeypatch.undo()
    film.write_bytes(b"two!")
    assert file_hash(film, folder) != first


def test_what_a_killed_process_left_in_the_stores_root_goes_after_an_hour(tmp_path: Path) -> None:
    film, folder = tmp_path / "film.mp4", tmp_path / "store"
    film.write_bytes(b"one")
    folder.mkdir()
    old, young = (folder / f"files.json.{n}.tmp" for n in ("aa", "bb"))
    for path, age_s in ((old, 3700), (young, 3500)):
        path.write_bytes(b"half")
        os.utime(path, (time.time() - age_s,) * 2)
    file_hash(film, folder)
    assert sorted(p.name for p in folder.iterdir()) == ["files.json", young.name]


def test_two_processes_of_one_number_never_write_to_one_temporary_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Machines that share a disk count their processes each for itself."""
    names: list[str] = []
    plain = Path.replace
    monkeypatch.setattr(Path, "replace", lambda self, to: names.append(self.name) or plain(self, to))  # type: ignore[func-returns-value]
    for _ in range(2):
        replace_file(tmp_path / "a.json", b"x")
    assert len(set(names)) == 2


def test_keys_follow_everything_that_changes_features() -> None:
    keys = {
        RECIPE.key("a"), RECIPE.key("b"), replace(RECIPE, fps="2").key("a"), replace(RECIPE, reading="fast").key("a"),
        replace(RECIPE, dtype="int8").key("a"), replace(RECIPE, weights="other").key("a"),
    }  # fmt: skip
    assert len(keys) == 6


def test_list_remove_and_prune(tmp_path: Path) -> None:
    for age, key in enumerate(("aaaa", "bbbb", "cccc")):
        store(tmp_path / key, [4])
        os.utime(tmp_path / key / MANIFEST, (1000 - age, 1000 - age))
    assert [v.key for v in list_store(tmp_path)] == ["aaaa", "bbbb", "cccc"]
    assert list_store(tmp_path / "none") == []
    with pytest.raises(StoreError, match="not a folder; allowed: a store's folder"):
        list_store(tmp_path / "aaaa" / "manifest.json")
    assert find_stored(tmp_path, "bb").frames == 4
    with pytest.raises(StoreError, match="see: rewind store list"):
        find_stored(tmp_path, "zz")
    size = list_store(tmp_path)[0].size_bytes
    assert [v.key for v in prune_store(tmp_path, max_bytes=2 * size)] == ["cccc"]
    remove_stored(tmp_path, "aa")
    assert [v.key for v in list_store(tmp_path)] == ["bbbb"]
    assert list_store(tmp_path / "nowhere") == []


def test_one_file_stored_in_several_ways_is_told_apart(tmp_path: Path) -> None:
    store(tmp_path / "aaaa", [4])
    store(tmp_path / "bbbb", [4], dtype="int8")
    ways = {v.key: (v.fps, v.reading, v.dtype) for v in list_store(tmp_path)}
    assert ways == {"aaaa": ("1", "exact", "fp16"), "bbbb": ("1", "exact", "int8")}


def test_what_a_kill_left_behind_is_listed_and_cleared(tmp_path: Path) -> None:
    folder = tmp_path / ("ab" * 16)
    folder.mkdir()
    left = folder / "00000000.safetensors.77.tmp"
    left.write_bytes(bytes(1000))
    (tmp_path / "not-ours").mkdir()
    (video,) = list_store(tmp_path)
    assert (video.size_bytes, video.frames, video.trouble) == (1000, 0, "no frame is stored yet")
    with locked(folder):
        assert not left.exists()
    left.write_bytes(bytes(1000))
    assert [v.key for v in prune_store(tmp_path, max_bytes=500)] == [folder.name]
    assert not folder.exists()


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.json"
    replace_file(path, b"old")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        replace_file(path, b"new")
    assert [(p.name, p.read_bytes()) for p in tmp_path.iterdir()] == [("a.json", b"old")]
