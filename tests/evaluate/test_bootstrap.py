"""Bootstrap intervals: seeded, centred, as wide as the normal theory says, and true for videos as for questions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rewind.errors import ConfigError
from rewind.evaluate.bootstrap import FEW, interval, interval_of_counts, remark


def test_the_width_is_that_of_the_normal_theory() -> None:
    values = (np.random.default_rng(1).random(2000) < 0.3).astype(float)
    low, high = interval(values)
    expected = 1.96 * values.std() / np.sqrt(len(values))
    assert (low + high) / 2 == pytest.approx(values.mean(), abs=0.002)
    assert (high - low) / 2 == pytest.approx(expected, rel=0.1)


def test_the_seed_decides() -> None:
    values = np.random.default_rng(0).random(50)
    assert interval(values, seed=3) == interval(values, seed=3)
    assert interval(values, seed=3) != interval(values, seed=4)


def test_values_that_agree_have_no_width() -> None:
    assert interval([1.0, 1.0, 1.0]) == (1.0, 1.0)


def test_nothing_to_average_is_refused() -> None:
    with pytest.raises(ConfigError):
        interval([])
    with pytest.raises(ConfigError):
        interval([1.0], level=1.0)
    with pytest.raises(ConfigError, match="1 groups for 2 values"):
        interval([1.0, 0.0], groups=["a"])


def test_videos_are_drawn_whole() -> None:
    """Two videos of other sizes: half the draws hold both, a quarter one of them twice."""
    values, groups = [1.0] * 3 + [0.0], ["a", "a", "a", "b"]
    ends = [interval(values, groups=groups, level=level) for level in (0.95, 0.4)]
    assert ends == [(0.0, 1.0), (0.75, 0.75)]
    assert interval(values, groups=["b", "b", "b", "a"], level=0.4) == (0.75, 0.75)
    counts = np.array([[1.0, 1.0], [1.0, 1.0], [1.0, 1.0], [0.0, 1.0]])
    assert interval_of_counts(counts, lambda s: s[:, 0] / s[:, 1], groups=groups) == (0.0, 1.0)


def test_one_video_says_nothing_of_others() -> None:
    values = np.random.default_rng(0).random(50)
    assert interval(values, groups=["a"] * 50) == interval(values)
    assert "one video" in remark(1)
    assert f"{FEW - 1} are few" in remark(FEW - 1)
    assert remark(FEW) == ""


def test_it_is_that_of_plain_resampling_of_videos() -> None:
    rng = np.random.default_rng(3)
    groups = rng.integers(0, 25, 200)
    values = rng.random(200) + groups % 3
    low, high = interval(values, groups=[f"v{g}" for g in groups])
    parts = [values[groups == g] for g in np.unique(groups)]
    means = [np.concatenate([parts[i] for i in rng.integers(0, len(parts), len(parts))]).mean() for _ in range(4000)]
    assert (low, high) == pytest.approx(tuple(np.quantile(means, [0.025, 0.975])), abs=0.03)


def test_what_says_95_of_100_holds_as_often_where_videos_differ() -> None:
    """40 videos of 13 questions each, as MovieChat-1K's: resampled questions hold less than 85 of 100 times."""
    rng, held, held_of_questions = np.random.default_rng(0), 0, 0
    groups = np.repeat(np.arange(40), 13).astype(str).tolist()
    for _ in range(200):
        right = rng.random((40, 13)) < rng.beta(2.6, 2.6, 40)[:, None]
        low, high = interval(right.ravel(), groups=groups, resamples=300)
        held += low <= 0.5 <= high
        low, high = interval(right.ravel(), resamples=300)
        held_of_questions += low <= 0.5 <= high
    assert held >= 180
    assert held_of_questions < 170


@given(st.lists(st.tuples(st.floats(0, 1), st.sampled_from("abcde")), min_size=1, max_size=40))
@settings(max_examples=50, deadline=None)
def test_the_mean_lies_between_the_ends_of_a_wide_interval(rows: list[tuple[float, str]]) -> None:
    values, groups = [v for v, _ in rows], [g for _, g in rows]
    low, high = interval(values, groups=groups, level=0.9999)
    assert min(values) - 1e-9 <= low <= np.mean(values) + 1e-9
    assert np.mean(values) - 1e-9 <= high <= max(values) + 1e-9
