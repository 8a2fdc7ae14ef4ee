"""What a question is asked of."""

from __future__ import annotations

from fractions import Fraction

import pytest

from rewind.answering import NOW
from rewind.errors import ConfigError
from rewind.scope import limits_of, scope_of
from rewind.timeline import Timeline
from rewind.values import VideoInfo

TIMELINE = Timeline.regular(600)
INFO = VideoInfo(
    "match.mp4", "mov,mp4", "h264", 1280, 720, 0, Fraction(1, 12800), 0, 600.0, 25.0, 15000, 70_000_000, False, True
)


@pytest.mark.parametrize(
    ("question", "limits", "words", "rows", "within"),
    [
        ("a dog", (None, None), "a dog", (0, 600), None),
        ("a dog", (None, 20.5), "a dog", (0, 21), (0, 20.5)),
        ("a dog", (20.5, None), "a dog", (21, 600), (20.5, 600)),
        ("a dog", (20.0, 9000.0), "a dog", (20, 600), (20, 600)),
        ("a dog at 2:00", (None, None), "a dog", (115, 125), (115, 125)),
        ("a dog in the first minute", (60.0, None), "a dog", (60, 120), (60, 120)),
        ("a dog in the last minute", (None, 300.0), "a dog", (240, 300), (240, 300)),
        ("a dog between 1:00 and 3:00", (120.0, None), "a dog", (120, 180), (120, 180)),
        ("the first dog after 2:00", (None, None), "the dog", (120, 600), (120, 600)),
        ("a dog at 9:00", (None, 300.0), "a dog at 9:00", (0, 300), (0, 300)),
    ],
)
def test_limits_and_words_leave_one_part(
    question: str, limits: tuple[float | None, float | None], words: str, rows: tuple[int, int],
    within: tuple[float, float] | None,
) -> None:  # fmt: skip
    scope = scope_of(question, INFO, fps=Fraction(1), from_s=limits[0], until_s=limits[1])
    assert (scope.words, scope.rows(TIMELINE), scope.within) == (words, slice(*rows), within)
    assert scope.until_s == (None if within is None else within[1])
    assert len(scope.notes) == ("9:00" in question)
    assert scope.which == ("first" if "the first dog" in question else None)


def test_of_a_short_part_the_frames_around_it_are_looked_at() -> None:
    scope = scope_of("a dog between 2:00 and 2:02", INFO, fps=Fraction(1), from_s=None, until_s=122.0)
    assert (scope.within, scope.rows(TIMELINE)) == ((120, 122), slice(120, 122))
    assert scope.rows_around(TIMELINE) == slice(119, 122)  # nothing from behind the limit
    for question, limit, rows in (("a dog in the first minute", None, 60), ("a dog", 2.0, 2)):
        scope = scope_of(question, INFO, fps=Fraction(1), from_s=None, until_s=limit)
        assert scope.rows_around(TIMELINE) == scope.rows(TIMELINE) == slice(0, rows)


def test_limits_at_infinity_leave_nothing_out() -> None:
    assert limits_of(INFO, from_s=float("-inf"), until_s=float("inf")) == (None, None)
    assert limits_of(INFO, from_s=20.0, until_s=float("inf")) == (20.0, None)


def test_limits_without_a_frame_are_refused() -> None:
    for from_s, until_s, message in (
        (None, 0.0, r"until 0.0 s; allowed: a time after"),
        (None, float("-inf"), r"until -inf s; allowed: a time after"),
        (None, float("nan"), r"until nan s; allowed: a time after"),
        (float("inf"), None, r"from inf s; allowed: a time before"),
        (float("nan"), None, r"from nan s; allowed: a time before"),
        (5.0, 5.0, r"from 5.0 s until 5.0 s; allowed: a part that ends after"),
    ):
        with pytest.raises(ConfigError, match=message):
            limits_of(INFO, from_s=from_s, until_s=until_s)
    with pytest.raises(ConfigError, match=r"from 600.0 s; allowed: a time before the video's end, 0:10:00; give an"):
        scope_of("a dog", INFO, fps=Fraction(1), from_s=600.0, until_s=None)
    with pytest.raises(ConfigError, match=r"no sampled frame in that part of the video; allowed: a part with at least"):
        scope_of("a dog", INFO, fps=Fraction(1), from_s=5.2, until_s=5.8).rows(TIMELINE)


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("a dog now", "a dog"), ("Now, a dog", "a dog"), ("a dog, right now?", "a dog?"), ("now", "now"),
        ("the nowhere man", "the nowhere man"), (", " * 100_000 + "x", ", " * 100_000 + "x"),
    ],
)  # fmt: skip
def test_now_is_no_part_of_what_is_looked_for(query: str, words: str) -> None:
    assert NOW.sub("", query) == words
