"""What is said: the decoder's words, unless what the scores found says otherwise."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch

from rewind.saying import ABSENT, DECODER_MIN, Said, say
from rewind.text import load_text
from rewind.timeline import Timeline
from rewind.values import Moment
from rewind.vision.concepts import COLUMNS, NOTHING_NAMED, UNKNOWN, Concepts
from rewind.vision.unseeable import UNHEARD
from rewind.vision.vocabulary import load_vocabulary

MOMENT = Moment(3.0, 5.0, 0.9)


def said(
    text: str, *moments: Moment, asked: str = "Is there a sign?", remembered: float = 0.9, known: bool = True
) -> Said:
    relevance = SimpleNamespace(remembered=remembered, known=known, best=0.9, scores=torch.tensor([0.1, 0.9]))
    decoded: Any = SimpleNamespace(text=text, confidence=DECODER_MIN + 0.1)
    engine: Any = SimpleNamespace(concepts=None)
    seen: Any = SimpleNamespace(relevance=relevance, text=SimpleNamespace(texts=(asked,)))
    stored: Any = None
    return say(engine, seen, decoded, moments, stored, Timeline.regular(2), end_s=2)


@pytest.mark.parametrize("word", ["never", "no"])
def test_a_thing_is_absent_where_words_and_scores_agree(word: str) -> None:
    assert said(word).absent
    assert not said(word, MOMENT).absent


def test_never_is_not_believed_where_the_thing_was_found() -> None:
    assert said("never").text == ABSENT
    assert said("never", MOMENT).text == said("at", MOMENT).text == "At 0:00:03 – 0:00:05."


@pytest.mark.parametrize(
    ("word", "asked"), [("never", "hi"), ("no", "Is there a wurgle?"), ("0", "How many are there?")]
)
def test_of_what_no_one_knows_nothing_is_denied(word: str, asked: str) -> None:
    assert said(word, asked=asked, remembered=0).source == "decoder"
    given = said(word, asked=asked, remembered=0, known=False)
    assert (given.text, given.source, given.absent) == ("I do not know.", "none", False)


def test_other_words_stand_as_they_are() -> None:
    assert said("purple", MOMENT).text == "purple"
    assert said("at").text == "Around 0:00:01, faintly."


@pytest.mark.parametrize("asked", ["How many circles are there?", "Count the signs.", "How often is a sign shown?"])
def test_nothing_at_all_is_a_number(asked: str) -> None:
    none = said("0", asked=asked, remembered=0)
    assert none.text == "0"
    assert not none.moments


def test_a_character_that_nothing_was_read_off_is_made_up() -> None:
    asked = "What is written on the wall?"
    read = said("0", asked=asked)
    assert read.text == "0"
    assert not read.absent
    assert said("0", asked=asked, remembered=0).source == "none"


def shown(
    asked: str, *moments: Moment, known: bool = True, lack: str = "", how: dict[str, Any] | None = None,
    only: slice = slice(None), **classes: float,
) -> Said:  # fmt: skip
    """What is said of eight frames that show `classes`, by name of its class, where the decoder is not sure; all but
    the first of the classes in the frames `only`. `how` goes to `say`."""
    posterior = torch.full((8, 5, COLUMNS), 1e-4)
    for number, (name, mass) in enumerate(classes.items()):
        rows = only if number else slice(None, 4) if only != slice(None) else only
        posterior[rows, :, load_vocabulary().classes.index(name.replace("_", " "))] = mass
    relevance = SimpleNamespace(remembered=0, known=known, best=0.9, degradations=(lack,))
    decoded: Any = SimpleNamespace(text="red", confidence=0)
    engine: Any = SimpleNamespace(concepts=Concepts(load_text()))
    seen: Any = SimpleNamespace(relevance=relevance, text=SimpleNamespace(texts=(asked,)))
    stored: Any = SimpleNamespace(
        rows=lambda part, rows: posterior[rows], clips=lambda size, part: [(p,) for p in posterior.split(size)]
    )
    return say(engine, seen, decoded, moments, stored, Timeline.regular(8), end_s=8, **(how or {}))


@pytest.mark.parametrize(
    ("asked", "begins"),
    [
        ("What animal is in the video?", "Beagle (0.80), at 0:00:03"),
        ("what kind of a dog is it", "Beagle (0.80), at 0:00:03"),
        ("What breed is the dog?", "Beagle (0.80), at 0:00:03"),
        ("Which beagle is it?", "I cannot tell; what is asked about is seen at 0:00:03"),
        ("What colour is the dog?", "I cannot tell; what is asked about is seen at 0:00:03"),
        ("What does the dog do?", "I cannot tell; what is asked about is seen at 0:00:03"),
        ("Is there a dog?", "Yes, at 0:00:03 – 0:00:05. On screen: beagle (0.80)."),
        ("Does a dog ever appear in the video?", "Yes, at 0:00:03"),
        ("Is there a big dog?", "I cannot tell; what is asked about is seen at 0:00:03"),
        ("Are there two dogs?", "I cannot tell; what is asked about is seen at 0:00:03"),
        ("Is there a dog in a car?", "I cannot tell; what is asked about is seen at 0:00:03"),
        ("Is the dog black or brown?", "I cannot tell; what is asked about is seen at 0:00:03"),
        ("Is it a dog or a cat?", "Dog (0."),
        ("Is there a cat, a dog or a car?", "Dog (0."),
        ("What is it, a dog or a cat?", "Dog (0."),
        ("Is it a dog or a beagle?", "I cannot tell; what is asked about is seen at 0:00:03"),
        ("When do we see a dog or a cat?", "At 0:00:03"),
        ("Isn't there a dog?", "Yes, at 0:00:03"),
        ("So is there a dog?", "Yes, at 0:00:03"),
        ("Well, is there a dog?", "Yes, at 0:00:03"),
        ("But has there been a dog?", "Yes, at 0:00:03"),
        ("Would you say there is a dog?", "Yes, at 0:00:03"),
        ("When do we see a dog or something?", "At 0:00:03"),
        ("At what second does a dog appear?", "At 0:00:03"),
        ("When does the dog leave?", "I cannot tell; what is asked about is seen at 0:00:03"),
        ("When is a dog without a cat there?", "I cannot tell; what is asked about is seen at 0:00:03"),
        ("When do we see something besides the dog?", "I cannot tell; what is asked about is seen at 0:00:03"),
        ("Has the dog barked?", "I cannot tell; what is asked about is seen at 0:00:03"),
        ("Tell me what colour the dog is", "I cannot tell; what is asked about is seen at 0:00:03"),
        ("In this video, how many dogs are there?", "I cannot tell; what is asked about is seen at 0:00:03"),
        ("Count the dogs.", "I cannot tell; what is asked about is seen at 0:00:03"),
        ("Are there 100 dogs?", "I cannot tell; what is asked about is seen at 0:00:03"),
        ("Is everything a dog?", "I cannot tell; what is asked about is seen at 0:00:03"),
        ("When is there no dog?", "I cannot tell; what is asked about is seen at 0:00:03"),
        ("There isn't a dog", "I cannot tell; what is asked about is seen at 0:00:03"),
        ("When does the third dog appear?", "I cannot tell; what is asked about is seen at 0:00:03"),
        ("Show me all the dogs", "At 0:00:03"),
        ("Tell me when we see a dog", "At 0:00:03"),
        ("When do we see a dog?", "At 0:00:03"),
        ("a dog", "At 0:00:03"),
    ],
)
def test_a_question_is_answered_as_far_as_the_classifier_sees(asked: str, begins: str) -> None:
    given = shown(asked, MOMENT, beagle=0.8)
    assert given.text.startswith(begins)
    assert given.source == "concepts"
    assert not given.absent
    assert (given.confidence < DECODER_MIN) == begins.startswith("I cannot")


def test_of_what_is_offered_the_one_that_is_seen_has_its_own_times() -> None:
    """A beagle in the first four frames, a goldfish in the last two."""
    given = shown("Is it a beagle or a goldfish?", MOMENT, beagle=0.9, goldfish=0.9, only=slice(6, 8))
    assert given.text.startswith("Beagle (0.9")
    assert "; goldfish (0.9" in given.text
    first, second = sorted(given.moments)
    assert first.start_s == 0
    assert 3 <= first.end_s <= second.start_s
    assert second.end_s == 8
    one = shown("Is it a beagle or a teapot?", MOMENT, beagle=0.9, goldfish=0.9, only=slice(6, 8))
    assert one.text.startswith("Beagle (0.9")
    assert [m.start_s for m in one.moments] == [0]


def test_a_part_that_was_not_looked_at_alone_gets_no_yes() -> None:
    for how in ({"followed": False}, {"at_s": 7.5}):
        given = shown("Is there a dog?", MOMENT, how=how, beagle=0.8)
        assert given.text.startswith("I cannot tell; what is asked about is seen at 0:00:03")
    assert shown("Is there a dog?", MOMENT, how={"at_s": 5.5}, beagle=0.8).text.startswith("Yes")


@pytest.mark.parametrize(
    ("asked", "denied"),
    [
        ("Is there a dog?", True), ("Is there a man with a dog?", True),
        ("Is it a dog or a cat?", True), ("What is it, a dog or a cat?", True),
        ("Is there a teapot but no dog?", True), ("a teapot without a dog", True), ("anything other than a dog", False),
        ("Show me everything except a dog", False), ("Is there neither a dog nor a cat?", False),
        ("Are there more dogs than cats?", False), ("Is there a teapot? Is there a dog?", False),
        ("What is it, day or night?", False), ("When do we see a cat or something?", True),
        ("Is there a cat on a sofa? Thanks.", True), ("When do we see the man's cat?", True),
    ],
)  # fmt: skip
def test_only_what_was_missed_as_a_whole_is_denied(asked: str, denied: bool) -> None:
    given = shown(asked, teapot=0.8)
    assert given.absent == denied
    assert given.text == (ABSENT if denied else "I cannot tell.")


@pytest.mark.parametrize(
    ("asked", "text"),
    [
        ("Is there a dog in a car?", "I cannot tell; of what is asked about, dog is seen at 0:00:00 – 0:00:08."),
        ("a car and a teapot", ABSENT),
        ("Is it a teapot or a car?", ABSENT),
    ],
)
def test_what_is_seen_of_several_things_is_told(asked: str, text: str) -> None:
    given = shown(asked, beagle=0.9)
    assert (given.text, given.moments, given.absent) == (text, (), text == ABSENT)


def test_of_what_is_not_there_that_is_denied_which_is_named() -> None:
    given = shown("Is there no dog?", teapot=0.8)
    assert (given.text, given.absent) == ("What is named is not in this video.", True)
    assert shown("Isn't there a dog?", teapot=0.8).text == ABSENT


def test_people_are_not_taken_for_particular_ones() -> None:
    assert shown("Is there a person?", MOMENT, cardigan=0.8).text.startswith("Yes, at 0:00:03 – 0:00:05.")
    for asked in ("Is there a child?", "Is there a crowd?", "Who is the man?"):
        given = shown(asked, MOMENT, cardigan=0.8)
        assert given.text.startswith("I cannot tell; people are seen at 0:00:03 – 0:00:05."), asked
        assert given.moments == (MOMENT,)
    told = shown("Is there a man with a dog?", MOMENT, cardigan=0.8).text
    assert told.startswith("I cannot tell; what is asked about")


def test_what_is_not_heard_is_not_said_to_be_there() -> None:
    given = shown("Is the dog barking?", MOMENT, known=False, lack=UNHEARD, beagle=0.8)
    assert given.text == "I cannot tell; what may show it is seen at 0:00:03 – 0:00:05."
    assert (given.source, given.moments) == ("none", (MOMENT,))
    assert not shown("xyzzy", MOMENT, known=False, lack=UNKNOWN, beagle=0.8).moments


def test_a_short_moment_tells_its_ends() -> None:
    given = shown("When do we see a dog?", Moment(3.0, 3.4, 0.9), beagle=0.8)
    assert given.text.startswith("At 0:00:03.0 – 0:00:03.4.")


def test_a_kind_is_named_no_closer_than_it_is_seen() -> None:
    assert shown("What animal is it?", MOMENT, beagle=0.3, Chihuahua=0.3).text.startswith("Dog (0.6")
    assert shown("What animal is it?", MOMENT, beagle=0.3, goldfish=0.3).text.startswith("I cannot tell")
    assert shown("What dog is it?", MOMENT, beagle=0.3, Chihuahua=0.3).text.startswith("I cannot tell")
    assert shown("What animal is it?", MOMENT, beagle=0.3, teapot=0.6).text.startswith("I cannot tell")


@pytest.mark.parametrize(
    "asked",
    [
        "What is in the video?", "What is this?", "what's that", "What am I looking at?", "Which things appear?",
        "What's the video about?", "Describe the scene.", "Can you describe it?", "Please tell me what's in it",
        "tell me what is on it", "Give me an overview", "Summarise the video in one sentence.",
        "Give me a short summary", "summarize this clip",
    ],
)  # fmt: skip
def test_what_is_in_view_is_told(asked: str) -> None:
    given = shown(asked, known=False, lack=NOTHING_NAMED, beagle=0.8)
    assert given.text == "On screen: beagle (0.80) at 0:00:00 – 0:00:08."
    assert [(m.start_s, m.end_s) for m in given.moments] == [(0, 8)]


def test_what_is_in_view_at_an_instant_is_told_where_the_part_around_it_is_all_of_the_video() -> None:
    given = shown("What is?", known=False, lack=NOTHING_NAMED, how={"at_s": 4.0}, beagle=0.8)
    assert given.text == "On screen: beagle (0.80) at 0:00:00 – 0:00:08."
    assert given.unasked


def test_what_is_in_view_is_told_only_where_nothing_else_is_asked() -> None:
    for asked, lack in (
        ("what happens?", NOTHING_NAMED), ("Tell me what happens.", NOTHING_NAMED),
        ("What is the main subject?", NOTHING_NAMED), ("What colours are there?", NOTHING_NAMED),
        ("What is in the xyzzy?", UNKNOWN),
    ):  # fmt: skip
        given = shown(asked, known=False, lack=lack, beagle=0.8)
        assert given.text == "I do not know. On screen: beagle (0.80) at 0:00:00 – 0:00:08."
        assert given.source == "none"
        assert not given.moments
    assert shown("What is in the video?", known=False, lack=NOTHING_NAMED, beagle=0.2).text == "I do not know."
