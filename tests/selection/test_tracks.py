"""Stretches of each thing that an instruction names, against the plainest loop."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from rewind.selection.tracks import DOUBT, SURE, THERE, TRAINED_FRAMES, at_length, mean_tokens, stretches


def plain(column: list[float]) -> list[tuple[int, int]]:
    there = [value >= THERE for value in column]
    filled = [
        on or (0 < i < len(there) - 1 and there[i - 1] and there[i + 1] and column[i] >= DOUBT)
        for i, on in enumerate(there)
    ]
    found, start = [], None
    for i, on in enumerate([*filled, False]):
        if on and start is None:
            start = i
        if not on and start is not None:
            if max(column[start:i]) >= SURE:
                found.append((start, i - 1))
            start = None
    return found


@given(
    st.lists(
        st.tuples(st.sampled_from([0.02, 0.2, 0.5, 0.95]), st.sampled_from([0.05, 0.3, 0.7, 0.92])),
        min_size=1,
        max_size=40,
    )
)
def test_stretches_equal_a_plain_loop(rows: list[tuple[float, float]]) -> None:
    found = stretches(torch.tensor(rows), limit=200)
    for track in (0, 1):
        want = plain([row[track] for row in rows])
        mine = found.track == track
        assert list(zip(found.first[mine].tolist(), found.last[mine].tolist(), strict=True)) == want
        assert found.ordinal[mine].tolist() == list(range(len(want)))
    begin = found.first.tolist()
    assert [begin[i] for i in found.rank.argsort().tolist()] == sorted(begin)


def test_a_long_video_must_be_surer_of_a_stretch() -> None:
    """As many times the odds as it has more frames: as many of those that are wrong reach them."""
    assert at_length(0.9, 1) == at_length(0.9, TRAINED_FRAMES) == pytest.approx(0.9)
    assert at_length(0.9, 10 * TRAINED_FRAMES) == pytest.approx(90 / 91)
    column = torch.zeros(20 * TRAINED_FRAMES, 1)
    column[[5, 50], 0] = torch.tensor([0.99, 0.998])
    assert stretches(column, limit=4).first.tolist() == [50]
    assert stretches(column[:TRAINED_FRAMES], limit=4).first.tolist() == [5, 50]


def test_a_thing_beside_another_that_was_found_need_not_be_surer_in_a_long_video() -> None:
    """A question names two things when both are there."""
    columns = torch.zeros(20 * TRAINED_FRAMES, 2)
    columns[[5, 90], 1] = torch.tensor([0.95, 0.97])
    columns[200, 1] = 0.85
    assert len(stretches(columns, limit=8)) == 0
    columns[50, 0] = 0.999
    found = stretches(columns, limit=8)
    assert list(zip(found.first.tolist(), found.track.tolist(), strict=True)) == [(50, 0), (90, 1)]
    columns[[5, 90], 1] = 0.85
    assert stretches(columns, limit=8).track.tolist() == [0]


def test_past_the_limit_the_best_stay_in_time_order() -> None:
    column = torch.zeros(12, 2)
    column[[1, 4, 7, 10], 0] = torch.tensor([0.91, 0.99, 0.93, 0.95])
    found = stretches(column, limit=4)
    assert found.first.tolist() == [4, 10]
    assert found.ordinal.tolist() == [0, 1]


def test_mean_tokens_are_the_means_of_their_frames() -> None:
    probability = torch.tensor([[0.95], [0.6], [0.0], [0.0], [0.95]])
    tokens = torch.randn(5, 2, 3)
    means = mean_tokens(tokens, stretches(probability, limit=4))
    torch.testing.assert_close(means, torch.stack([tokens[:2].mean(0), tokens[4]]))
    assert mean_tokens(tokens, stretches(torch.zeros(5, 1), limit=4)).shape == (0, 2, 3)
