"""Words → classes: the shipped lists agree with each other, and queries find their words."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rewind.text import load_text
from rewind.vision.vocabulary import GRADES, Vocabulary, load_vocabulary
from rewind.vision.words import word_features


@pytest.fixture(scope="module")
def vocabulary() -> Vocabulary:
    return load_vocabulary()


def classes_of(vocabulary: Vocabulary, word: str) -> set[str]:
    return {vocabulary.classes[k] for k in np.flatnonzero(vocabulary.term(word).weights)}


def test_a_thousand_names_in_the_order_of_imagenet(vocabulary: Vocabulary) -> None:
    assert len(vocabulary.classes) == len(set(vocabulary.classes)) == 1000
    known = {
        0: "tench",
        1: "goldfish",
        207: "golden retriever",
        281: "tabby",
        508: "computer keyboard",
        999: "toilet tissue",
    }
    assert {k: vocabulary.classes[k] for k in known} == known


@pytest.mark.parametrize(
    ("word", "some", "count"),
    [
        ("dog", {"Chihuahua", "golden retriever"}, 118),
        ("bird", {"goldfinch", "king penguin"}, 59),
        ("computer keyboard", {"computer keyboard"}, 1),
        ("crane", {"crane", "forklift"}, None),
        ("planet earth", {"bubble", "planetarium"}, None),
    ],
)
def test_words_cover_their_classes(vocabulary: Vocabulary, word: str, some: set[str], count: int | None) -> None:
    found = classes_of(vocabulary, word)
    assert some <= found
    assert count is None or len(found) == count


def test_every_word_has_weights_between_0_and_1(vocabulary: Vocabulary) -> None:
    assert len(vocabulary.words) == len(set(vocabulary.words))
    for word in vocabulary.words:
        weights = vocabulary.term(word).weights
        assert weights.max() in np.float32(GRADES)
        assert weights.min() >= 0


def test_what_no_class_shows_is_looked_for_beside_what_comes_with_it(vocabulary: Vocabulary) -> None:
    treadmill, gym = vocabulary.term("treadmill").weights, vocabulary.term("gym").weights
    assert treadmill.max() == np.float32(GRADES[2])
    assert set(np.flatnonzero(treadmill)) == set(np.flatnonzero(gym == 1))
    puppy, dog = vocabulary.term("puppy").weights, vocabulary.term("dog").weights
    assert np.array_equal(puppy, dog)


@pytest.mark.parametrize(
    "word",
    ["kitten", "rooster", "seagull", "wheelchair", "bulldozer", "ferris wheel", "map", "stairs", "grapes", "ukulele",
     "firefighter", "christmas tree", "skateboard", "cutlery", "spreadsheet", "kayak", "police car", "bookshelf"],
)  # fmt: skip
def test_everyday_words_are_known_as_they_are(vocabulary: Vocabulary, word: str) -> None:
    terms = vocabulary.terms(f"a {word}")
    assert len(terms) == 1
    assert terms[0].name.rstrip("s") in word


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("a dog jumping over a log", ["dog", "log"]),
        ("Water bottles", ["water bottle"]),
        ("two children in a kitchen", ["child", "kitchen"]),
        ("When does the dog appear?", ["dog"]),
        ("a television test pattern", ["television test pattern"]),
        ("wolves", ["wolf"]),
        ("is anybody there?", ["somebody"]),
        ("strawberries", ["strawberry"]),
        ("xyzzy plugh", []),
        ("", []),
    ],
)
def test_terms_of_a_query(vocabulary: Vocabulary, query: str, names: list[str]) -> None:
    assert [term.name for term in vocabulary.terms(query)] == names


@given(st.text(max_size=60))
def test_no_text_breaks_the_search_for_terms(query: str) -> None:
    for term in load_vocabulary().terms(query):
        assert term.name in load_vocabulary()


def test_only_people_are_people(vocabulary: Vocabulary) -> None:
    assert [t.people for t in vocabulary.terms("a woman and a dog")] == [True, False]


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("a dog but no person", ["dog"]),
        ("a person who isn't on a horse, and a dog", ["person", "dog"]),
        ("no dog but a cat", ["cat"]),
        ("a street with no cars", ["street"]),
        ("Does the dog never sit on the sofa?", ["dog"]),
        ("no dog", ["dog"]),
        ("Isn't there a dog?", ["dog"]),
        ("not only a dog but a cat", ["dog", "cat"]),
        ("Is it a dog or not?", ["dog"]),
    ],
)
def test_what_is_said_not_to_be_there_is_not_looked_for(vocabulary: Vocabulary, query: str, names: list[str]) -> None:
    assert vocabulary.known_in(vocabulary.affirmed(query)) == names


@pytest.mark.parametrize(
    ("query", "all_known"),
    [("does the dog leave", False), ("do we see the red dog", True), ("is there a dog on a sofa", True), ("", True)],
)
def test_what_happens_to_a_thing_is_not_known(vocabulary: Vocabulary, query: str, all_known: bool) -> None:
    assert vocabulary.names_all(query) == all_known


def test_homonyms_name_nothing_alone(vocabulary: Vocabulary) -> None:
    assert vocabulary.known_in("Is it vertical, or does the wind drop it?") == []
    assert vocabulary.known_in("a wind instrument on a stage") == ["wind instrument", "stage"]
    text = load_text()
    assert vocabulary.nearest("it drops", text, word_features(text, vocabulary.words)) is None


def test_unknown_words_borrow_from_near_ones(vocabulary: Vocabulary) -> None:
    text = load_text()
    rows = [i for i, word in enumerate(vocabulary.words) if i % 20 == 0 or "screen" in word]
    padded = np.zeros((len(vocabulary.words), text.width), np.float32)
    padded[rows] = text.encode([vocabulary.words[i] for i in rows]).pooled.numpy()
    near = vocabulary.nearest("a smartphone screen", text, padded)
    assert near is not None
    assert "screen" in {vocabulary.classes[k] for k in np.flatnonzero(near.weights)}
    assert near.weights.max() <= 1
    assert vocabulary.nearest("xyzzy plugh", text, padded) is None
    assert vocabulary.nearest("the of", text, padded) is None


def test_a_spread_over_kinds_is_named_by_the_thing(vocabulary: Vocabulary) -> None:
    mass = np.zeros(1000, np.float32)
    mass[[151, 162, 207, 250]] = 0.2
    name, classes = vocabulary.name_of(151, mass)
    assert name == "dog"
    assert len(classes) == 118
    mass[151] = 0.5
    assert vocabulary.name_of(151, mass) == ("Chihuahua", (151,))


@pytest.mark.parametrize("query", ["чи є тут велосипед?", "自転車はありますか", "🚲", "is there a xyzzy?"])
def test_words_of_other_scripts_may_name_something(query: str) -> None:
    assert load_vocabulary().names_something(query)


@pytest.mark.parametrize(
    "query",
    [
        "what happens?",
        "…!",
        "0",
        "What is “this”?",
        "What’s going on?",
        "what's that",
        "List all objects",
        "Give me an overview",
        "What is the main subject?",
        "Is it about this?",
    ],
)
def test_some_queries_name_nothing(query: str) -> None:
    assert not load_vocabulary().names_something(query)


def test_no_class_is_a_homonym(vocabulary: Vocabulary) -> None:
    """*A safe* is looked for; *orange* is a colour first."""
    assert [name for name in vocabulary.classes if not vocabulary.known_in(f"a {name}")] == ["orange"]
