"""Merging rules against references written in the plainest way."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from rewind.arena.bridge import scene_cuts
from rewind.arena.merging import compress, consolidate, extents, means, merge_adjacent
from rewind.errors import ConfigError


def cosine(a: np.ndarray, b: np.ndarray) -> float:
    return float(a @ b / (np.linalg.norm(a) * np.linalg.norm(b)))


def plain_merge(groups: list[list[int]], frames: np.ndarray, keep: int) -> list[list[int]]:
    """Frames (T, W, D) in groups: the most alike neighbours become one until `keep` are left."""
    groups = [list(g) for g in groups]
    while len(groups) > keep:
        held = [np.mean([frames[i] for i in g], axis=0) for g in groups]
        alike = [
            np.mean([cosine(a, b) for a, b in zip(held[i], held[i + 1], strict=True)]) for i in range(len(held) - 1)
        ]
        at = int(np.argmax(alike))
        groups[at : at + 2] = [groups[at] + groups[at + 1]]
    return groups


def plain_moviechat(frames: np.ndarray, *, short: int, into: int, keep: int) -> list[list[int]]:
    buffer: list[int] = []
    long: list[list[int]] = []
    for number in range(len(frames)):
        if len(buffer) == short:
            long += plain_merge([[i] for i in buffer], frames, into)
            long = plain_merge(long, frames, keep - short)
            buffer = []
        buffer.append(number)
    return [*long, *([i] for i in buffer)]


def plain_bank(frames: np.ndarray, keep: int) -> list[list[int]]:
    """One slot's frames (T, D): after every frame that is too many, the most alike neighbours become one."""
    groups: list[list[int]] = []
    for number in range(len(frames)):
        groups.append([number])
        groups = plain_merge(groups, frames[:, None], keep)
    return groups


@pytest.mark.parametrize("frames", [3, 8, 9, 30, 61])
def test_moviechat_merges_as_the_plain_rule_does(frames: int) -> None:
    x = np.random.default_rng(frames).standard_normal((frames, 3, 5))
    want = plain_moviechat(x, short=8, into=4, keep=20)
    got = consolidate(torch.from_numpy(x), short=8, into=4, keep=20)
    assert got.tolist() == [len(g) for g in want]
    assert int(got.sum()) == frames
    assert len(got) <= 20


@pytest.mark.parametrize("frames", [3, 7, 8, 25])
def test_the_bank_compresses_each_slot_as_the_plain_rule_does(frames: int) -> None:
    x = np.random.default_rng(frames).standard_normal((2, frames, 3, 5))
    counts = compress(torch.from_numpy(x), keep=7)
    for video in range(2):
        for slot in range(3):
            want = [len(g) for g in plain_bank(x[video, :, slot], 7)]
            assert counts[video, :, slot].tolist() == want


def test_merged_entries_are_means_of_their_frames_and_keep_their_extent() -> None:
    x = torch.randn(1, 10, 2, 3)
    counts = torch.tensor([[[3, 1], [1, 4], [6, 5]]])
    start, end = extents(counts)
    assert start[0].tolist() == [[0, 0], [3, 1], [4, 5]]
    assert end[0].tolist() == [[3, 1], [4, 5], [10, 10]]
    got = means(x, counts)
    torch.testing.assert_close(got[0, 0, 0], x[0, :3, 0].mean(0))
    torch.testing.assert_close(got[0, 1, 1], x[0, 1:5, 1].mean(0))


def test_merging_weighs_by_frames() -> None:
    x = torch.tensor([[[1.0, 0.0]], [[1.0, 0.2]], [[-1.0, 0.0]]])
    merged, counts = merge_adjacent(x, torch.tensor([3, 1, 1]), keep=2)
    torch.testing.assert_close(merged[0, 0], torch.tensor([1.0, 0.05]))
    assert counts.tolist() == [4, 1]


def test_sizes_that_contradict_each_other_are_refused() -> None:
    with pytest.raises(ConfigError, match="into"):
        consolidate(torch.randn(9, 1, 2), short=4, into=5, keep=8)


def test_scenes_are_cut_where_frames_change_and_a_static_video_is_not() -> None:
    torch.manual_seed(0)
    scenes = torch.randn(4, 1, 16)
    video = (scenes + 0.02 * torch.randn(4, 20, 16)).flatten(0, 1)
    assert scene_cuts(video, most=16) == [19, 39, 59, 79]
    still = torch.ones(80, 16) + 1e-3 * torch.randn(80, 16)
    assert scene_cuts(still, most=16) == [79]
    assert len(scene_cuts(torch.randn(80, 16), most=5)) <= 5
