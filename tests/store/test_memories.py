"""Kept memories: round trips, another shape or a flipped bit is none at all, the oldest go."""

from __future__ import annotations

import os
import time
from pathlib import Path

import torch

from rewind.store.memories import KEPT, keep_memory, load_memory, memory_file

TOKENS = torch.randn(1, 6, 2, 8, generator=torch.Generator().manual_seed(0))


def test_what_was_kept_comes_back(tmp_path: Path) -> None:
    path = memory_file(tmp_path, "weights", "a question", "6")
    assert load_memory(path, (1, 6, 2, 8)) is None
    keep_memory(path, TOKENS)
    again = load_memory(path, (1, 6, 2, 8))
    assert again is not None
    assert torch.equal(again, TOKENS)
    assert load_memory(path, (1, 7, 2, 8)) is None


def test_a_flipped_bit_is_no_memory(tmp_path: Path) -> None:
    path = memory_file(tmp_path, "q")
    keep_memory(path, TOKENS)
    data = bytearray(path.read_bytes())
    for at in (len(data) - 1, len(data) // 2, 3):
        harmed = bytearray(data)
        harmed[at] ^= 0x10
        path.write_bytes(harmed)
        assert load_memory(path, (1, 6, 2, 8)) is None
    path.write_bytes(data)
    assert load_memory(path, (1, 6, 2, 8)) is not None


def test_each_part_of_what_was_said_makes_another_file(tmp_path: Path) -> None:
    names = {memory_file(tmp_path, *said) for said in (("a", "b"), ("ab",), ("a", "c"), ("b", "a"))}
    assert len(names) == 4


def test_the_memories_used_longest_ago_go(tmp_path: Path) -> None:
    paths = [memory_file(tmp_path, str(n)) for n in range(KEPT + 2)]
    for age, path in enumerate(paths):
        keep_memory(path, TOKENS)
        os.utime(path, (1000 + age, 1000 + age))
    load_memory(paths[2], (1, 6, 2, 8))  # used: it is now the newest
    keep_memory(memory_file(tmp_path, "one more"), TOKENS)
    left = set(tmp_path.iterdir())
    assert len(left) == KEPT
    assert paths[2] in left
    assert not {paths[0], paths[1], paths[3]} & left


def test_what_a_killed_process_left_half_written_goes_after_an_hour(tmp_path: Path) -> None:
    old, young = (tmp_path / f"memory-{n}.safetensors.{n}.tmp" for n in ("aa", "bb"))
    for path, age_s in ((old, 3700), (young, 3500)):
        path.write_bytes(b"half")
        os.utime(path, (time.time() - age_s,) * 2)
    keep_memory(memory_file(tmp_path, "q"), TOKENS)
    assert (old.exists(), young.exists()) == (False, True)
