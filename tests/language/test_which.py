"""Which of several moments a question asks for."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rewind.language.which import which_named
from rewind.worlds import make_world, questions
from rewind.worlds.splits import VALIDATION_SEEDS

Growth = Callable[[Callable[[int], None], int], float]


@pytest.mark.parametrize(
    ("text", "words", "which"),
    [
        ("When does an orange heart first appear?", "When does an orange heart appear?", "first"),
        ("When is the last time we see a dog?", "When do we see a dog?", "last"),
        ("when is the final time that a dog barks?", "when a dog barks?", "last"),
        ("When was the first appearance of a dog?", "When do we see a dog?", "first"),
        ("When does the dog come for the first time?", "When does the dog come?", "first"),
        ("When does the very first car appear?", "When does the car appear?", "first"),
        ("At what time do we last see the dog?", "At what time do we see the dog?", "last"),
        ("the last orange heart", "the orange heart", "last"),
        ("first time we see a dog", "a dog", "first"),
        ("the earliest appearance of a dog", "a dog", "first"),
        ("a dog for the last time", "a dog", "last"),
    ],
)
def test_the_word_is_taken_out(text: str, words: str, which: str) -> None:
    assert which_named(text) == (words, which)


@pytest.mark.parametrize(
    "text",
    [
        "When does a dog appear?", "the first aid kit", "first", "the last supper", "",
        "Which appears first, the dog or the cat?",
        "Does the first car come before the last dog?", "What is the first animal?", "Is the last car red?",
        "When is the car on the first floor?",
    ],
)  # fmt: skip
def test_other_texts_stay_as_they_are(text: str) -> None:
    assert which_named(text) == (text, None)


@given(st.text(max_size=60))
def test_any_text_keeps_a_word_to_look_for(text: str) -> None:
    words, which = which_named(text)
    assert words == text if which is None else any(c.isalnum() or c == "_" for c in words)


def test_questions_of_worlds_stay_as_they_are() -> None:
    for seed in VALIDATION_SEEDS[:6]:
        for question in questions(make_world(seed, seconds=60), np.random.default_rng(seed), per_kind=20):
            for text in (question.text, question.query or ""):
                assert which_named(text) == (text, None)


@pytest.mark.parametrize("text", ["at{}", "in the last {}5", "for the first "])
def test_a_long_text_costs_no_more_than_its_length(text: str, growth: Growth) -> None:
    def work(length: int) -> None:
        which_named(text.format(" " * length) if "{}" in text else text * (length // len(text)))

    assert growth(work, 8_000) < 30  # 8 in proportion, 64 with the square
