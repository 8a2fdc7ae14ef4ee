"""Rates of sampling: exact, bounded, and refused in one line."""

from __future__ import annotations

from fractions import Fraction

import pytest

from rewind.errors import ConfigError
from rewind.sampling import MOST_FPS, read_rate


@pytest.mark.parametrize(
    ("fps", "rate"),
    [(1, Fraction(1)), (0.5, Fraction(1, 2)), ("1/3", Fraction(1, 3)), ("30000/1001", Fraction(30000, 1001))],
)
def test_a_rate_is_exact(fps: float | str, rate: Fraction) -> None:
    assert read_rate(fps) == rate
    assert read_rate(MOST_FPS) == MOST_FPS


@pytest.mark.parametrize(
    "fps",
    [0, -1, MOST_FPS + 1, "x", "1/0", "nan", float("inf"), "1e30000000", "9" * 400, Fraction(10**5000), -(10**400)],
)
def test_what_is_no_rate_is_one_line(fps: Fraction | float | str) -> None:
    with pytest.raises(ConfigError, match=r"fps .*; allowed: a rate above 0") as caught:
        read_rate(fps)
    assert len(str(caught.value)) < 600
