"""Shots begin at hard cuts, however the frames come, and nothing is smoothed over them."""

from __future__ import annotations

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.functional import normalize

from rewind.vision.shots import CUT, looks, shot_starts


def film(*lengths: int, seed: int = 0) -> torch.Tensor:
    """Looks of shots of some lengths: frames of one are alike, those of two have next to nothing in common."""
    made = torch.Generator().manual_seed(seed)
    scenes = torch.randn(len(lengths), 64, generator=made)
    scenes = torch.linalg.qr(scenes.T).Q.T
    frames = scenes.repeat_interleave(torch.tensor(lengths), 0)
    return normalize(frames + 0.02 * torch.randn(frames.shape, generator=made), dim=-1)


@settings(max_examples=30, deadline=None)
@given(lengths=st.lists(st.integers(1, 9), min_size=1, max_size=12), size=st.integers(1, 20))
def test_shots_begin_where_scenes_do_however_the_frames_come(lengths: list[int], size: int) -> None:
    frames = film(*lengths)
    expected = tuple(sum(lengths[:k]) for k in range(1, len(lengths)))
    assert shot_starts(frames.split(size)) == expected


def test_a_slow_change_is_no_cut() -> None:
    first, last = film(1, 1)
    share = torch.linspace(0, 1, 12)[:, None]
    assert shot_starts([normalize((1 - share) * first + share * last, dim=-1)]) == ()
    assert shot_starts([torch.stack([first, last])]) == (1,)
    assert shot_starts([]) == ()


def test_looks_are_the_unit_mean_of_patches() -> None:
    deep = torch.rand(3, 49, 8, generator=torch.Generator().manual_seed(0))
    expected = [torch.stack([*frame]).mean(0) / torch.stack([*frame]).mean(0).norm() for frame in deep]
    torch.testing.assert_close(looks(deep.half()), torch.stack(expected), atol=2e-3, rtol=0)
    assert 0 < CUT < 1
