"""Key frames: candidates, the reserve, the controls."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from rewind.config import Selector
from rewind.errors import ConfigError
from rewind.selection.choose import choose_frames
from rewind.selection.density_peaks import density_peaks


def drawn(frames: int, *, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(frames, generator=generator), torch.randn(frames, 16, generator=generator)


@given(
    st.integers(1, 90),
    st.integers(1, 10),
    st.integers(0, 10),
    st.sampled_from(["density_peaks", "top_k", "uniform", "random"]),
)
@settings(max_examples=60, deadline=None)
def test_always_so_many_different_frames_in_time_order(
    frames: int, keep: int, reserve: int, selector: Selector
) -> None:
    scores, features = drawn(frames)
    options: dict[str, Any] = {"candidates": 12, "keep": keep, "reserve": min(reserve, keep)}
    rows = choose_frames(scores, features, selector=selector, **options)
    assert len(rows) == min(keep, frames)
    assert list(rows) == sorted(set(rows))
    assert all(0 <= row < frames for row in rows)
    assert rows == choose_frames(scores, features, selector=selector, **options)


def test_published_way_is_density_peaks_of_the_best_64() -> None:
    scores, features = drawn(300)
    pool = scores.topk(64).indices.sort().values
    expected = pool[density_peaks(features[pool], keep=8).rows].tolist()
    assert list(choose_frames(scores, features)) == expected


def test_reserve_keeps_the_needle_that_density_peaks_drop() -> None:
    """A needle much like a frame of a denser crowd has little ρ: density peaks alone lose it."""
    generator = torch.Generator().manual_seed(4)
    features = torch.randn(60, 32, generator=generator) * 0.8
    features[3:7] = features[3] + torch.randn(4, 32, generator=generator) * 1e-3
    features[7] = features[3] + 0.01
    scores = torch.full((60,), 0.5)
    scores[7] = 0.99
    assert 7 not in choose_frames(scores, features, keep=8)
    kept = choose_frames(scores, features, keep=8, reserve=1)
    assert 7 in kept
    assert len(kept) == 8


def test_frames_outside_the_candidates_are_never_chosen() -> None:
    scores, features = drawn(200)
    allowed = set(scores.topk(20).indices.tolist())
    assert set(choose_frames(scores, features, candidates=20, keep=8, reserve=3)) <= allowed


def test_ties_break_by_time() -> None:
    features = torch.randn(30, 8, generator=torch.Generator().manual_seed(0))
    assert choose_frames(torch.zeros(30), features, keep=3, selector="top_k") == (0, 1, 2)


def test_uniform_takes_the_middles() -> None:
    scores, features = drawn(80)
    assert choose_frames(scores, features, keep=8, selector="uniform") == (5, 15, 25, 35, 45, 55, 65, 75)


def test_random_follows_its_seed() -> None:
    scores, features = drawn(100)
    draws = {choose_frames(scores, features, selector="random", seed=s) for s in range(5)}
    assert len(draws) == 5


@pytest.mark.parametrize(
    "options",
    [{"keep": 0}, {"reserve": 9}, {"candidates": 4}, {"reserve": -1}],
)
def test_counts_that_contradict_are_refused(options: dict[str, Any]) -> None:
    scores, features = drawn(100)
    with pytest.raises(ConfigError, match="allowed"):
        choose_frames(scores, features, **options)


def test_scores_that_are_no_numbers_are_refused() -> None:
    scores, features = drawn(10)
    scores[3] = torch.nan
    with pytest.raises(ConfigError, match="finite"):
        choose_frames(scores, features)
    with pytest.raises(ConfigError, match=r"\(9,\)"):
        choose_frames(scores[:9], features)
