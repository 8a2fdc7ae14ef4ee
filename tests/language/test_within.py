"""Which part of a video a question names."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rewind.clock import format_time
from rewind.language.within import BACKWARDS, SEVERAL, UNREADABLE, part_named
from rewind.worlds import make_world, questions
from rewind.worlds.splits import VALIDATION_SEEDS

Growth = Callable[[Callable[[int], None], int], float]

NAMED = [
    ("What happens at 2:30?", "What happens?", (145, 155)),
    ("At 2:30, what is on screen?", "what is on screen?", (145, 155)),
    ("Is there a dog at around the 2 minute mark?", "Is there a dog?", (115, 125)),
    ("What is there at 1m5s?", "What is there?", (60, 70)),
    ("What is there at 0h1m?", "What is there?", (55, 65)),
    ("What is there at 0:02?", "What is there?", (0, 7)),
    ("Is there a red car between 1:00 and 2:00?", "Is there a red car?", (60, 120)),
    ("a dog from 10 seconds to 1 minute 20 seconds", "a dog", (10, 80)),
    ("a red car 1:00-2:00", "a red car", (60, 120)),
    ("Is there a cat between 0:09:00 and 0:12:00?", "Is there a cat?", (540, 600)),
    ("What happens in the first minute?", "What happens?", (0, 60)),
    ("For the first two minutes, is there a dog?", "is there a dog?", (0, 120)),
    ("What is shown in the last 30 seconds of the video?", "What is shown?", (570, 600)),
    ("How many dogs are there in the second half?", "How many dogs are there?", (300, 600)),
    ("What happens after 5 minutes?", "What happens?", (300, 600)),
    ("From 1:00 on, is there a cat?", "is there a cat?", (60, 600)),
    ("What happens before 90 s?", "What happens?", (0, 90)),
    ("Summarise the last 2 minutes.", "Summarise.", (480, 600)),
    ("What happened 5 minutes ago?", "What happened?", (295, 305)),
    ("Is there a dog 30 s before the end of the video?", "Is there a dog?", (565, 575)),
    ("What is there at the end?", "What is there?", (590, 600)),
    ("What is on screen 5 minutes in?", "What is on screen?", (295, 305)),
    ("Five dogs 90 s into the video", "Five dogs", (85, 95)),
    ("1:30 in, is there a dog?", "is there a dog?", (85, 95)),
    ("Is there a dog at minute 2?", "Is there a dog?", (115, 125)),
    ("Is there a dog around second 95.5 of the video?", "Is there a dog?", (90.5, 100.5)),
    ("Is there a dog from 5 to 16 seconds?", "Is there a dog?", (5, 16)),
    ("a dog between 2 and 3.5 minutes of the video", "a dog", (120, 210)),
    ("Is there a dog between second 5 and second 6.5?", "Is there a dog?", (4.75, 6.75)),
    ("a dog in minutes 2 to 3", "a dog", (120, 180)),
    ("Is there a dog in the last half a minute?", "Is there a dog?", (570, 600)),
    ("the first half minute of the video, what is there?", "what is there?", (0, 30)),
    ("What happens halfway through the video?", "What happens?", (295, 305)),
    ("What happens halfway through?", "What happens?", (295, 305)),
    ("Is there a dog in the middle of the film?", "Is there a dog?", (295, 305)),
    ("At the start, is there a dog?", "is there a dog?", (0, 10)),
    ("At the very beginning of the film, is there a dog?", "is there a dog?", (0, 10)),
]
NOT_NAMED = [
    "What happens at the end of the race?",
    "a dog in the first hour",  # all of it
    "What colour is the sign after 3 cars?",
    "Which player wears number 12?",
    "Who leads in the last 100 m of the race?",
    "Who is ahead at 400 m?",
    "a clock that shows 2:30",
    "a cake that is 5 minutes in the oven",
    "the dog at second base",
    "a 2:30 pm meeting",
    "a dog in the middle",
    "a dog halfway through a tunnel",
    "a table between 5 and 6 chairs",
    "the half hour",
    "2:30",
    "at 2:30",
    "the first half-time whistle",
    "in the first second-half",
    "",
]


@pytest.mark.parametrize(("question", "words", "part"), NAMED)
def test_a_part_is_taken_out_of_the_question(question: str, words: str, part: tuple[float, float]) -> None:
    named = part_named(question, start_s=0, end_s=600, step_s=1)
    assert (named.words, named.part, named.note) == (words, part, None)


@pytest.mark.parametrize("question", NOT_NAMED)
def test_other_questions_are_asked_of_all(question: str) -> None:
    named = part_named(question, start_s=0, end_s=600, step_s=1)
    assert named.part is None
    assert named.words in (question, "a dog")
    assert named.note is None


@pytest.mark.parametrize(
    ("question", "note"),
    [
        ("Is the car at 1:00 the same as at 2:00?", SEVERAL),
        ("a person at 0:48 or 0:10", SEVERAL),
        ("Is there a person at 0:20 and at 0:50?", SEVERAL),
        ("Does a person appear at the start and at the end?", SEVERAL),
        ("Is the end like the dog at the start or at the end?", SEVERAL),
        ("a dog between 2:00 and 1:00", BACKWARDS),
        ("a dog from 1:00 to 1:00", BACKWARDS),
        ("at 2:75 a dog", UNREADABLE),
        ("Is there a dog at 0:99?", UNREADABLE),
        ("Is there a dog at 5?", UNREADABLE),
    ],
)
def test_parts_that_are_not_followed_are_told(question: str, note: str) -> None:
    named = part_named(question, start_s=0, end_s=600, step_s=1)
    assert (named.words, named.part, named.note) == (question, None, note)


@pytest.mark.parametrize(
    ("question", "where"),
    [
        ("a dog after 0:30", "at 0:00:30"),
        ("Is there a dog from 0:30 on?", "at 0:00:30"),
        ("a dog before 0:00", "at 0:00:00"),
        ("a dog at 0:30", "at 0:00:30"),
        ("a dog 20 minutes before the end", "before its start"),
    ],
)
def test_open_ends_past_the_video_are_told(question: str, where: str) -> None:
    named = part_named(question, start_s=0, end_s=10, step_s=1)
    assert (named.words, named.part) == (question, None)
    assert named.note == (
        f"the video lasts from 0:00:00 to 0:00:10: nothing of it lies {where}, and all of it was looked at"
    )


@pytest.mark.parametrize(
    ("question", "part", "looked_at"),
    [
        ("a dog between 0:05 and 0:07", (5, 7), (3.5, 8.5)),
        ("a dog between 0:05 and 0:06", (4.5, 6.5), (3, 8)),
        ("a dog in the first 2 seconds", (0, 2), (0, 3.5)),
        ("a dog in the last 2 seconds", (58, 60), (56.5, 60)),
        ("a dog in the first 6 seconds", (0, 6), (0, 6)),
        ("a dog at 0:05", (0, 10), (0, 10)),
        ("a dog between 0:00 and 1:00", None, None),
    ],
)
def test_of_a_short_part_the_frames_around_it_are_looked_at(
    question: str, part: tuple[float, float] | None, looked_at: tuple[float, float] | None
) -> None:
    named = part_named(question, start_s=0, end_s=60, step_s=1)
    assert (named.part, named.looked_at) == (part, looked_at)


def test_an_instant_is_told_with_the_part_around_it() -> None:
    assert part_named("a dog at 0:09", start_s=0, end_s=60, step_s=1).at_s == 9
    whole = part_named("a dog at 0:04", start_s=0, end_s=8, step_s=1)
    assert (whole.part, whole.at_s) == (None, 4)
    assert part_named("a dog before 0:09", start_s=0, end_s=60, step_s=1).at_s is None


def test_what_lies_past_the_end_is_said() -> None:
    named = part_named("Which bus leaves at 12:30?", start_s=60, end_s=600, step_s=1)
    assert (named.words, named.part) == ("Which bus leaves at 12:30?", None)
    assert named.note is not None
    assert "from 0:01:00 to 0:10:00: nothing of it lies at 0:12:30" in named.note


def test_a_part_holds_a_sampled_frame() -> None:
    """Of a frame a minute, ten seconds may hold none."""
    assert part_named("a dog at 2:30", start_s=0, end_s=600, step_s=60).part == (90, 210)
    assert part_named("a dog at the end", start_s=0, end_s=600, step_s=60).part == (535, 600)


@given(
    st.integers(0, 35_999), st.integers(1, 36_000), st.sampled_from(["between {} and {}", "from {} to {}", "{} – {}"])
)
def test_clock_times_are_what_they_say(first: int, long: int, form: str) -> None:
    last = min(36_000, first + long)
    times = form.format(format_time(first), format_time(last))
    named = part_named(f"a dog {times}", start_s=0, end_s=36_000.5, step_s=0.01)
    assert named.words == "a dog"
    assert named.part == (first, last)


@given(st.text(max_size=60))
def test_any_text_is_a_question(text: str) -> None:
    named = part_named(text, start_s=0, end_s=60, step_s=1)
    if named.part is None:
        assert named.words == text
    else:
        assert 0 <= named.part[0] < named.part[1] <= 60


def test_questions_of_worlds_name_no_part() -> None:
    """What the models are trained and tested on reaches them whole."""
    for seed in VALIDATION_SEEDS[:6]:
        for question in questions(make_world(seed, seconds=60), np.random.default_rng(seed), per_kind=20):
            named = part_named(question.text, start_s=0, end_s=60, step_s=1)
            assert (named.words, named.part) == (question.text, None)


@pytest.mark.parametrize("text", ["at{}", "in the last {}5", "for the first "])
def test_a_long_text_costs_no_more_than_its_length(text: str, growth: Growth) -> None:
    def work(length: int) -> None:
        part_named(
            text.format(" " * length) if "{}" in text else text * (length // len(text)), start_s=0, end_s=60, step_s=1
        )

    assert growth(work, 8_000) < 30  # 8 in proportion, 64 with the square
