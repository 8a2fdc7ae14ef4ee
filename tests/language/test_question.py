"""What kind of question it is."""

from __future__ import annotations

import pytest

from rewind.language import question


@pytest.mark.parametrize(
    ("text", "yes_or_no", "more"),
    [
        ("Is there a car?", True, False),
        ("isn't there a car", True, False),
        ("Has the car crashed?", True, False),
        ("So, will the car stop?", True, False),
        ("In this video, does a car appear?", True, False),
        ("What colour is it?", False, True),
        ("And what colour is it?", False, True),
        ("By whom is it driven?", False, True),
        ("Please tell me how it ends", False, True),
        ("In this video, how many cars are there?", False, True),
        ("Count the cars.", False, True),
        ("When do we see a car?", False, False),
        ("Tell me when we see a car", False, False),
        ("At what time do we see a car?", False, False),
        ("Where in the video is a car?", False, False),
        ("a car", False, False),
        ("island", False, False),
    ],
)
def test_what_answers_it(text: str, yes_or_no: bool, more: bool) -> None:
    assert (question.WHETHER.match(text) is not None, question.asks_more(text)) == (yes_or_no, more)


@pytest.mark.parametrize(
    ("text", "negates"),
    [
        ("no car", True),
        ("There isn't a car", True),
        ("cars never appear", True),
        ("a man without a hat", True),
        ("more people than dogs", True),
        ("But is there a car?", False),
        ("Isn't there a car?", False),
        ("Isn't there a car without a driver?", True),
        ("Not sure, when do we see a car?", False),
        ("a car, no matter which", False),
        ("a car, if not a bike", False),
        ("a notebook", False),
        ("a button", False),
    ],
)
def test_what_is_asked_for_where_a_thing_is_not(text: str, negates: bool) -> None:
    assert question.negates(text) == negates


def test_what_is_asked_for_but_the_thing_itself() -> None:
    for text in (
        "anything other than a dog",
        "everything except people",
        "Is there anything but snow?",
        "besides a dog",
    ):
        assert question.excludes(text)
        assert question.negates(text)
    assert not question.excludes("a dog but no person")
    assert not question.excludes("a dog beside a tree")


def test_what_a_question_for_a_time_asks_of() -> None:
    assert question.timed("When does the dog leave?") == " does the dog leave?"
    assert question.timed("In the video, at what second is it there?") == " is it there?"
    assert question.timed("Is there a dog when it rains?") is None


def test_numbers_and_shares() -> None:
    assert question.counts("the third car")
    assert question.counts("Are there 3 bottles?")
    for text in ("the second car", "10 people", "the car for the second time"):
        assert question.counts(text), text
    for text in (
        "a car",
        "At what second does it appear?",
        "the second when it falls",
        "a Boeing 747",
        "Tell me more",
        "the fourth second",
    ):
        assert not question.counts(text), text
    assert question.quantifies("Is everything red?")
    assert not question.quantifies("Is anything red?")
    assert question.sentences("Is there a car? Is there a dog?") == ["Is there a car", "Is there a dog?"]
