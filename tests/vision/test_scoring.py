"""Evidence joined and smoothed, beside the plainest way to do it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rewind.vision.scoring import BEHIND, KEPT, join_evidence, smooth


def plain(values: list[float], rows: int) -> list[float]:
    """The mean of the best of the values around each one, the ends repeated."""
    rows += 1 - rows % 2
    reach, keep = rows // 2, max(1, round(KEPT * rows))
    around = [
        [values[min(max(k, 0), len(values) - 1)] for k in range(i - reach, i + reach + 1)] for i in range(len(values))
    ]
    return [sum(sorted(window)[-keep:]) / keep for window in around]


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(-9, 9, width=32), min_size=1, max_size=40), st.integers(2, 15))
def test_smoothing_is_the_mean_of_the_best_around(values: list[float], rows: int) -> None:
    np.testing.assert_allclose(smooth(np.array(values, np.float32), rows=rows), plain(values, rows), atol=1e-4)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 3), st.integers(1, 30))
def test_a_readout_takes_away_and_never_gives(seed: int, offered: int, frames: int) -> None:
    evidence = np.random.default_rng(seed).normal(size=(frames, offered, 2)).astype(np.float32)
    found = join_evidence(evidence, rows=5)
    alone = smooth(evidence[..., 0].max(1), rows=5)
    assert (found <= alone + 1e-5).all()
    lost = []
    for one in evidence.transpose(1, 0, 2):
        best = max(plain(list(one[:, 1]), 5))
        lost.append([mass + BEHIND * min(0, leaning - best) for mass, leaning in one])
    np.testing.assert_allclose(found, plain([max(frame) for frame in zip(*lost, strict=True)], 5), atol=1e-4)


def test_where_all_lean_alike_the_evidence_stays() -> None:
    evidence = np.zeros((12, 1, 2), np.float32)
    evidence[4:9, 0, 0], evidence[:, 0, 1] = 1, 3.5
    np.testing.assert_allclose(join_evidence(evidence, rows=5), smooth(evidence[:, 0, 0], rows=5), atol=1e-6)


@pytest.mark.parametrize("offered", [1, 2])
def test_nothing_gives_nothing(offered: int) -> None:
    assert join_evidence(np.empty((0, offered, 2), np.float32), rows=5).shape == (0,)
