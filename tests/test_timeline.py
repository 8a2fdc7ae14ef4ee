"""Exact time, against fractions reckoned in the plainest way."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rewind.errors import ConfigError
from rewind.timeline import Clock, Timeline

CLOCKS = st.builds(
    Clock,
    st.integers(-(10**6), 10**6),
    st.sampled_from([Fraction(1, 90_000), Fraction(1, 1000), Fraction(1, 30), Fraction(1001, 30_000)]),
    st.fractions(min_value=Fraction(1, 30), max_value=60, max_denominator=1001),
)
ROWS = st.lists(st.integers(0, 500), unique=True, max_size=40).map(sorted)


def timeline_of(clock: Clock, rows: list[int]) -> Timeline:
    pts = [clock.pts_limit(k) for k in rows]
    return Timeline(clock, np.array(rows, np.int64), np.array(pts, np.int64))


@given(clock=CLOCKS, rows=ROWS, t=st.decimals(-100, 600, places=3))
def test_rows_until_counts_the_instants_before(clock: Clock, rows: list[int], t: Fraction) -> None:
    timeline = timeline_of(clock, rows)
    before = [k for k in rows if clock.instant(k) < Fraction(str(t))]
    assert timeline.rows_until(float(t)) == len(before)


@given(clock=CLOCKS, rows=ROWS)
def test_seconds_are_the_exact_instants(clock: Clock, rows: list[int]) -> None:
    timeline = timeline_of(clock, rows)
    exact = [float(timeline.instant(row)) for row in range(len(timeline))]
    assert timeline.seconds == pytest.approx(exact, abs=1e-6)


def test_all_rows_lie_before_the_end_of_time_and_none_before_its_beginning() -> None:
    timeline = Timeline.regular(7)
    assert (timeline.rows_until(math.inf), timeline.rows_until(-math.inf)) == (7, 0)


def test_an_instant_at_the_end_is_out() -> None:
    timeline = Timeline.regular(50, fps=Fraction(10))
    assert timeline.rows_until(2.1) == 21  # 2.1 in floating point lies above sample 21's instant


def test_a_slice_keeps_the_clock_and_its_times() -> None:
    timeline = Timeline.regular(10, fps=Fraction(2))
    assert timeline[4:6].seconds.tolist() == [2.0, 2.5]


@pytest.mark.parametrize(
    ("index", "pts"), [([0, 1], [0]), ([0, 0], [0, 1]), ([1, 0], [0, 1]), ([0, 1], [1, 0])],
)  # fmt: skip
def test_what_cannot_be_a_timeline_is_refused(index: list[int], pts: list[int]) -> None:
    with pytest.raises(ConfigError):
        Timeline(Clock(0, Fraction(1), Fraction(1)), np.array(index), np.array(pts))


@pytest.mark.parametrize(("base", "fps"), [(Fraction(1), Fraction(0)), (Fraction(0), Fraction(1))])
def test_a_clock_that_stands_still_is_refused(base: Fraction, fps: Fraction) -> None:
    with pytest.raises(ConfigError):
        Clock(0, base, fps)
