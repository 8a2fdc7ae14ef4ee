"""Moments from scores: exact edges, and what must hold for any curve."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rewind.errors import ConfigError
from rewind.selection.moments import spans
from rewind.values import Moment

CURVES = st.lists(st.integers(0, 20).map(lambda v: v / 20), min_size=1, max_size=60)


def cells(moments: list[Moment]) -> set[int]:
    """The 1-second cells that moments cover, for frames at whole seconds."""
    return {t for m in moments for t in range(round(m.start_s), round(m.end_s))}


def test_edges_are_the_instants_of_frames() -> None:
    scores = [0.0, 0.1, 0.8, 0.9, 0.5, 0.1, 0.0, 0.7, 0.0]
    seconds = [10.0, 10.5, 11.0, 11.5, 12.0, 12.5, 13.0, 13.5, 14.0]
    assert spans(scores, seconds, threshold=0.5) == [Moment(11.0, 12.5, 0.9), Moment(13.5, 14.0, 0.7)]
    assert spans(scores, seconds, threshold=0.8) == [Moment(11.0, 12.5, 0.9)]
    assert spans(scores, seconds, threshold=0.95) == []


def test_the_last_frame_ends_where_the_video_ends() -> None:
    assert spans([0.0, 0.9], [0.0, 2.0], threshold=0.5) == [Moment(2.0, 4.0, 0.9)]
    assert spans([0.0, 0.9], [0.0, 2.0], threshold=0.5, end_s=2.7) == [Moment(2.0, 2.7, 0.9)]
    assert spans([0.9], [5.0], threshold=0.5) == [Moment(5.0, 6.0, 0.9)]


def test_nothing_is_said_of_what_was_not_seen() -> None:
    seconds = [*range(10), *range(600, 610)]
    scores = [0.0] * 8 + [0.9, 0.9] + [0.0] * 10
    assert spans(scores, seconds) == [Moment(8, 10, 0.9)]
    scores[10] = 0.8
    assert spans(scores, seconds, merge_gap_s=1.0) == [Moment(8, 10, 0.9), Moment(600, 601, 0.8)]
    # One broken sample inside a moment is a gap as short as a step.
    seconds, scores = [0, 1, 2, 4, 5, 6], [0.0, 0.9, 0.9, 0.8, 0.9, 0.0]
    assert spans(scores, seconds, merge_gap_s=1.0) == [Moment(1, 6, 0.9)]


def test_a_shallow_dip_does_not_part_a_moment_and_a_deep_valley_does() -> None:
    seconds = list(range(7))
    assert spans([0.0, 0.9, 0.5, 0.8, 0.0, 0.0, 0.0], seconds) == [Moment(1, 4, 0.9)]
    assert spans([0.0, 0.9, 0.2, 0.8, 0.0, 0.0, 0.0], seconds) == [Moment(1, 2, 0.9), Moment(3, 4, 0.8)]


def test_close_moments_merge() -> None:
    scores, seconds = [0.9, 0.0, 0.8, 0.0, 0.0, 0.0, 0.7], list(range(7))
    assert spans(scores, seconds, merge_gap_s=1.0) == [Moment(0, 3, 0.9), Moment(6, 7, 0.7)]
    assert spans(scores, seconds, limit=2) == [Moment(0, 1, 0.9), Moment(2, 3, 0.8)]


def test_the_foot_of_a_hill_is_no_moment_of_its_own() -> None:
    scores = [0.0, 0.9, 0.44, 0.43, 0.44, 0.42, 0.0]
    assert spans(scores, range(7), threshold=0.4) == [Moment(1, 2, 0.9)]


@given(CURVES, st.integers(1, 20).map(lambda v: v / 20), st.integers(0, 3))
@settings(max_examples=60, deadline=None)
def test_what_must_always_hold(scores: list[float], threshold: float, gap: int) -> None:
    seconds = list(range(len(scores)))
    got = spans(scores, seconds, threshold=threshold, merge_gap_s=float(gap))
    assert [m.score for m in got] == sorted((m.score for m in got), reverse=True)
    assert all(m.score >= threshold for m in got)
    in_time = sorted(got)
    assert all(b.start_s - a.end_s > gap for a, b in pairwise(in_time))
    assert all(0 <= m.start_s < m.end_s <= len(scores) for m in got)
    for m in got:  # the score is that of the best frame inside
        assert m.score == max(scores[round(m.start_s) : round(m.end_s)])
    if max(scores) >= threshold:
        assert got
        assert got[0].score == max(scores)
        assert int(np.argmax(scores)) in cells(got)
    if max(scores) < threshold:
        assert got == []


@given(CURVES, st.integers(1, 19), st.integers(1, 20), st.integers(0, 3))
@settings(max_examples=60, deadline=None)
def test_a_higher_threshold_only_takes_away(scores: list[float], low: int, more: int, gap: int) -> None:
    seconds = list(range(len(scores)))
    few = spans(scores, seconds, threshold=(low + more) / 20, merge_gap_s=gap)
    many = spans(scores, seconds, threshold=low / 20, merge_gap_s=gap)
    assert cells(few) <= cells(many)
    assert len(spans(scores, seconds, threshold=(low + more) / 20)) <= len(spans(scores, seconds, threshold=low / 20))


@given(CURVES, st.integers(-500, 500))
@settings(max_examples=100, deadline=None)
def test_a_shift_in_time_shifts_the_moments(scores: list[float], shift: int) -> None:
    here = spans(scores, range(len(scores)), threshold=0.3)
    there = spans(scores, range(shift, shift + len(scores)), threshold=0.3)
    assert there == [Moment(m.start_s + shift, m.end_s + shift, m.score) for m in here]


@pytest.mark.parametrize("fps", [3, 10, 24, 30])
def test_a_gap_of_one_step_is_one_everywhere(fps: int) -> None:
    scores = [0.0, 0.9, 0.0, 0.8, 0.0]
    found = {
        len(spans(scores, [(k + shift) / fps for k in range(5)], merge_gap_s=1 / fps, step_s=1 / fps))
        for shift in range(200)
    }
    assert found == {1}


@given(CURVES)
@settings(max_examples=100, deadline=None)
def test_quiet_frames_around_change_nothing(scores: list[float]) -> None:
    alone = spans(scores, range(5, 5 + len(scores)), threshold=0.3, end_s=5.0 + len(scores))
    padded = spans([0.0] * 5 + scores + [0.0] * 5, range(10 + len(scores)), threshold=0.3)
    assert padded == alone


def test_nothing_to_score_is_absent_and_bad_input_is_refused() -> None:
    assert spans([], []) == []
    for scores, seconds, options in (
        ([0.1], [0.0, 1.0], {}),
        ([0.1, float("nan")], [0.0, 1.0], {}),
        ([0.1, 0.2], [1.0, 1.0], {}),
        ([0.1, 0.2], [0.0, 1.0], {"shoulder": 0.0}),
        ([0.1, 0.2], [0.0, 1.0], {"end_s": 0.5}),
    ):
        with pytest.raises(ConfigError):
            spans(scores, seconds, **options)
