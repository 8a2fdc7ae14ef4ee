"""What is derived of a shard: made once, kept beside it, made anew where it is damaged or of other weights."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from test_store import store

from rewind.store import Manifest, StoredFeatures
from rewind.store.derived import derived


class Counted:
    def __init__(self) -> None:
        self.calls = 0

    def __call__(self) -> torch.Tensor:
        self.calls += 1
        return torch.arange(12.0).view(4, 3)


def test_it_is_made_once(tmp_path: Path) -> None:
    make = Counted()
    one, two = (derived(tmp_path, "a", make, shard="00000000.safetensors", rows=4) for _ in range(2))
    assert make.calls == 1
    assert one.dtype == torch.float16
    assert torch.equal(one, two)


def test_a_damaged_file_is_made_anew(tmp_path: Path) -> None:
    make = Counted()
    want = derived(tmp_path, "a", make, shard="0.safetensors", rows=4)
    (path,) = tmp_path.glob("derived-*")
    data = bytearray(path.read_bytes())
    data[-1] ^= 0xFF
    path.write_bytes(bytes(data))
    assert torch.equal(derived(tmp_path, "a", make, shard="0.safetensors", rows=4), want)
    assert make.calls == 2


def test_two_names_are_kept_and_a_third_drops_the_one_written_first(tmp_path: Path) -> None:
    make = Counted()
    for name in ("b", "a", "b", "a"):
        derived(tmp_path, name, make, shard="0.safetensors", rows=4)
        for age, kept in enumerate(("a", "b")):
            with suppress(FileNotFoundError):
                os.utime(tmp_path / f"derived-{kept}-0.safetensors", (1000 - age, 1000 - age))
    assert make.calls == 2
    for shard in ("0.safetensors", "64.safetensors"):
        derived(tmp_path, "c", make, shard=shard, rows=4)
    left = {"derived-a-0.safetensors", "derived-c-0.safetensors", "derived-c-64.safetensors"}
    assert {p.name for p in tmp_path.iterdir()} == left


def test_what_a_killed_process_left_half_written_goes_after_an_hour(tmp_path: Path) -> None:
    old, young, other = (tmp_path / f"{n}.tmp" for n in ("derived-a-0.x", "derived-a-1.x", "00000000.safetensors.x"))
    for path, age_s in ((old, 3700), (young, 3500), (other, 9999)):
        path.write_bytes(b"half")
        os.utime(path, (time.time() - age_s,) * 2)
    derived(tmp_path, "a", Counted(), shard="2.safetensors", rows=4)
    assert [path.exists() for path in (old, young, other)] == [False, True, True]


def test_nowhere_to_keep_it_costs_only_time(tmp_path: Path) -> None:
    make = Counted()
    for folder in (None, tmp_path / "missing"):
        assert len(derived(folder, "a", make, shard="0.safetensors", rows=4)) == 4
    assert make.calls == 2


def test_what_was_kept_of_fewer_rows_is_made_anew(tmp_path: Path) -> None:
    make = Counted()
    derived(tmp_path, "a", lambda: make()[:2], shard="0.safetensors", rows=2)
    assert len(derived(tmp_path, "a", make, shard="0.safetensors", rows=4)) == 4
    assert make.calls == 2


def test_a_disk_that_refuses_costs_only_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("rewind.store.tensors.replace_file", full)
    make = Counted()
    for _ in range(2):
        assert torch.equal(derived(tmp_path, "a", make, shard="0.safetensors", rows=4), make().half())
    assert list(tmp_path.iterdir()) == []


def joined(deep: torch.Tensor, fine: torch.Tensor) -> torch.Tensor:
    """Frame by frame, as a neck is: (n, 4, 6) and (n, 16, 5) → (n, 4, 2)."""
    return torch.cat([deep.sum(2, keepdim=True), fine.amax((1, 2))[:, None, None].expand(-1, 4, 1)], dim=2)


@settings(max_examples=20, deadline=None)
@given(sizes=st.lists(st.integers(1, 9), min_size=1, max_size=4), clip=st.integers(1, 7), share=st.floats(0, 1))
def test_clips_of_what_is_derived_never_see_the_borders_of_shards(
    tmp_path_factory: pytest.TempPathFactory, sizes: list[int], clip: int, share: float
) -> None:
    stored, want = store(tmp_path_factory.mktemp("s") / "k", sizes)
    rows = max(1, round(share * sum(sizes)))
    clips = list(stored.stretch(0, rows).derived_clips(clip, joined, name="w"))
    assert all(len(c) == clip for c in clips[:-1])
    assert torch.equal(torch.cat(clips), joined(want.deep.half(), want.fine.half())[:rows])


def test_shards_are_derived_once_and_again_for_other_weights(tmp_path: Path) -> None:
    store(tmp_path / "k", [5, 3])
    seen: list[int] = []

    def make(deep: torch.Tensor, fine: torch.Tensor) -> torch.Tensor:
        seen.append(len(deep))
        return joined(deep, fine)

    for name in ("one", "one", "other", "one"):
        again = StoredFeatures(tmp_path / "k", Manifest.load(tmp_path / "k"))
        assert sum(len(c) for c in again.stretch().derived_clips(4, make, name=name)) == 8
    assert seen == [5, 3, 5, 3]
    assert len(list((tmp_path / "k").glob("derived-*"))) == 4
    # What is derived is no shard: the store is as whole as before.
    assert len(StoredFeatures(tmp_path / "k", Manifest.load(tmp_path / "k"))) == 8
