"""Bootstrap intervals: seeded, centred, as wide as the normal theory says."""

from __future__ import annotations

import numpy as np
import pytest

from rewind.errors import ConfigError
from rewind.evaluate.bootstrap import interval


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
