"""Density peaks against the definition written out frame by frame."""

from __future__ import annotations

import importlib
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from rewind.errors import ConfigError
from rewind.selection.density_peaks import density_peaks


def by_definition(features: list[list[float]], *, keep: int, neighbours: int) -> tuple[list[int], list[float]]:
    """The kept rows in time order and σ·ρ of every frame, one video, plain numbers."""
    frames = len(features)
    width = len(features[0])
    squares = [[sum((x - y) ** 2 for x, y in zip(a, b, strict=True)) / width for b in features] for a in features]
    d = [[math.sqrt(square) for square in row] for row in squares]
    sigma = []
    for row in squares:
        near = sorted(row)[:neighbours]
        sigma.append(math.exp(-sum(near) / len(near)))
    furthest = max(max(row) for row in d)
    strength = []
    for i in range(frames):
        denser = [j for j in range(frames) if sigma[j] > sigma[i] or (sigma[j] == sigma[i] and j < i)]
        strength.append(sigma[i] * min((d[i][j] for j in denser), default=furthest))
    best = sorted(range(frames), key=lambda i: (-strength[i], i))[:keep]
    return sorted(best), strength


@pytest.mark.parametrize(("frames", "keep", "neighbours"), [(1, 8, 5), (3, 8, 5), (4, 2, 5), (40, 8, 5), (40, 8, 1)])
def test_equals_the_definition(frames: int, keep: int, neighbours: int) -> None:
    features = torch.randn(frames, 16, dtype=torch.float64, generator=torch.Generator().manual_seed(frames))
    rows, strength = by_definition(features.tolist(), keep=keep, neighbours=neighbours)
    got = density_peaks(features, keep=keep, neighbours=neighbours)
    assert got.rows.tolist() == rows
    torch.testing.assert_close(got.strength.exp(), torch.tensor(strength, dtype=torch.float64))


# Whole numbers in a width of 4: distances are exact in floating point, so ties are real ties on both sides.
@given(
    st.lists(st.lists(st.integers(0, 3), min_size=4, max_size=4), min_size=1, max_size=14),
    st.sampled_from([1, 2, 4, 8]),
)
@settings(max_examples=100, deadline=None)
def test_equals_the_definition_with_duplicates_and_ties(features: list[list[int]], neighbours: int) -> None:
    rows = [[float(v) for v in row] for row in features]
    _, strength = by_definition(rows, keep=8, neighbours=neighbours)
    got = density_peaks(torch.tensor(rows), keep=8, neighbours=neighbours)
    torch.testing.assert_close(got.strength.exp(), torch.tensor(strength), atol=1e-5, rtol=1e-5)
    assert not got.strength.isnan().any()


def test_a_batch_with_padding_equals_each_video_alone() -> None:
    generator = torch.Generator().manual_seed(3)
    lengths = [1, 2, 7, 12, 30]
    videos = [torch.randn(n, 24, generator=generator) for n in lengths]
    padded = torch.full((5, 30, 24), math.nan)
    valid = torch.zeros(5, 30, dtype=torch.bool)
    for i, video in enumerate(videos):
        padded[i, : len(video)] = video
        valid[i, : len(video)] = True
    together = density_peaks(padded, keep=6, valid=valid)
    for i, video in enumerate(videos):
        alone = density_peaks(video, keep=6)
        n = len(alone.rows)
        assert together.rows[i, :n].tolist() == alone.rows.tolist()
        assert together.rows[i, n:].tolist() == [-1] * (6 - n)
        torch.testing.assert_close(together.strength[i, : len(video)], alone.strength, atol=1e-4, rtol=1e-4)
    assert together.strength[~valid].eq(-math.inf).all()


def test_blocks_of_rows_equal_one_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    features = torch.randn(90, 8, generator=torch.Generator().manual_seed(5))
    features[40] = features[11]
    whole = density_peaks(features, keep=10)
    monkeypatch.setattr(importlib.import_module("rewind.selection.density_peaks"), "_BLOCK", 90 * 7)
    parts = density_peaks(features, keep=10)
    assert parts.rows.tolist() == whole.rows.tolist()
    torch.testing.assert_close(parts.strength, whole.strength, atol=1e-5, rtol=1e-5)


def test_blocks_shared_among_threads_equal_one_after_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.import_module("rewind.selection.density_peaks"), "_BLOCK", 2 * 12 * 12)
    features = torch.randn(15, 12, 8, generator=torch.Generator().manual_seed(6))  # eight blocks, the last of one video
    threads, got = torch.get_num_threads(), []
    try:
        for team in (1, 3, 16):
            torch.set_num_threads(team)
            got.append(density_peaks(features, keep=5).strength)
            assert torch.get_num_threads() == team
    finally:
        torch.set_num_threads(threads)
    alone = torch.stack([density_peaks(video, keep=5).strength for video in features])
    torch.testing.assert_close(got[0], alone, atol=1e-5, rtol=1e-5)
    for strength in got[1:]:
        assert torch.equal(strength, got[0])


def test_of_duplicates_the_earliest_is_kept() -> None:
    generator = torch.Generator().manual_seed(7)
    scenes = torch.randn(4, 64, generator=generator)
    features = scenes.repeat_interleave(16, dim=0)  # 64 frames, 4 different ones
    assert density_peaks(features, keep=4).rows.tolist() == [0, 16, 32, 48]


def test_a_video_that_stands_still_gives_its_first_frames_and_no_nan() -> None:
    got = density_peaks(torch.full((2, 20, 8), 1e4), keep=3)
    assert got.rows.tolist() == [[0, 1, 2], [0, 1, 2]]
    assert not got.strength.isnan().any()


def test_a_large_mean_takes_no_precision_from_small_differences() -> None:
    small = torch.randn(50, 32, generator=torch.Generator().manual_seed(2)).mul(8).round() / 8
    assert density_peaks(small + 1000.0).rows.tolist() == density_peaks(small).rows.tolist()


def test_far_apart_frames_do_not_underflow() -> None:
    features = torch.randn(30, 8, generator=torch.Generator().manual_seed(1)) * 1e3
    strength = density_peaks(features).strength
    assert strength.isfinite().all()
    assert len(strength.unique()) == 30


def test_two_thousand_frames_equal_the_definition() -> None:
    features = torch.randn(2000, 16, generator=torch.Generator().manual_seed(0))
    rows = by_definition_in_torch(features, keep=8)
    assert density_peaks(features).rows.tolist() == rows


def by_definition_in_torch(features: torch.Tensor, *, keep: int) -> list[int]:
    d = torch.cdist(features.double(), features.double()) / math.sqrt(features.shape[1])
    mean = d.sort(dim=1).values[:, :5].square().mean(1)
    apart = torch.where(mean[None] < mean[:, None], d, torch.inf).amin(1)
    apart[apart.isinf()] = d.max()
    strength = torch.exp(-mean) * apart
    return sorted(strength.topk(keep).indices.tolist())


@pytest.mark.parametrize(
    "bad",
    [
        lambda x: density_peaks(x, keep=0),
        lambda x: density_peaks(x, neighbours=0),
        lambda x: density_peaks(x[0, 0]),
        lambda x: density_peaks(x[:, :0]),
        lambda x: density_peaks(x, valid=torch.ones(2, 3, dtype=torch.bool)),
    ],
)
def test_what_does_not_fit_is_refused(bad: object) -> None:
    with pytest.raises(ConfigError):
        bad(torch.zeros(2, 4, 3))  # type: ignore[operator]
