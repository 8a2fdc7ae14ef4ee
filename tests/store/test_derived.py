"""What is derived of a shard: made once, kept beside it, made anew where it is damaged or of other weights."""

from __future__ import annotations

from pathlib import Path

import torch

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


def test_other_weights_drop_what_was_kept_of_the_first(tmp_path: Path) -> None:
    make = Counted()
    for name in ("a", "b"):
        derived(tmp_path, name, make, shard="0.safetensors", rows=4)
    assert [p.name for p in tmp_path.iterdir()] == ["derived-b-0.safetensors"]


def test_nowhere_to_keep_it_costs_only_time(tmp_path: Path) -> None:
    make = Counted()
    for folder in (None, tmp_path / "missing"):
        assert len(derived(folder, "a", make, shard="0.safetensors", rows=4)) == 4
    assert make.calls == 2
