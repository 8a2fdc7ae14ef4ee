"""Figures of one file: over all questions or a part of them, with the videos that they are of."""

from __future__ import annotations

import numpy as np
import pytest

from rewind.errors import ConfigError
from rewind.evaluate.result import Result

RIGHT = np.array([1.0, 1.0, 0.0, 0.0])
VIDEOS = ["a", "a", "b", "b"]


def test_a_part_is_drawn_by_its_own_videos() -> None:
    over = {"mask": np.array([True, True, False, False]), "numbers": np.array([1, 2])}
    items = {"all": RIGHT, "mask": RIGHT[:2], "numbers": RIGHT[[1, 2]]}
    data = Result(items, 4, 0, videos=VIDEOS, over=over).to_json()
    assert (data["n"], data["videos"]) == (4, 2)
    assert data["metrics"] == {"all": 50.0, "mask": 100.0, "numbers": 50.0}
    assert data["intervals_95"] == {"all": [0.0, 100.0], "mask": [100.0, 100.0], "numbers": [0.0, 100.0]}


def test_where_videos_are_not_known_questions_are_drawn() -> None:
    data = Result({"all": np.tile(RIGHT, 100)}, 400, 0).to_json()
    assert data["videos"] is None
    assert data["notes"] == []
    low, high = data["intervals_95"]["all"]
    assert (low, high) == pytest.approx((45.0, 55.0), abs=1.0)


def test_few_videos_are_told() -> None:
    one = Result({"all": RIGHT}, 4, 0, videos=["a"] * 4, notes=("first",)).to_json()
    assert one["notes"] == [
        "first",
        "all questions are of one video: intervals resample them, and say nothing about other videos",
    ]
    many = Result({"all": np.tile(RIGHT, 10)}, 40, 0, videos=[str(i) for i in range(40)])
    assert many.to_json()["notes"] == []


def test_values_and_videos_are_of_one_length() -> None:
    with pytest.raises(ConfigError, match="part: 2 values, videos of 4"):
        Result({"part": RIGHT[:2]}, 4, 0, videos=VIDEOS)
