"""What a query asks for beside things: colours, empty pictures, black and white."""

from __future__ import annotations

import pytest

from rewind.vision.vocabulary import load_vocabulary
from rewind.vision.wording import (
    colours_in,
    large_colours,
    looks_in,
    owner,
    plain_colour,
    singular,
    wants_monochrome,
    words_in,
)


def test_colours_and_looks_of_a_query() -> None:
    assert colours_in("a red car beside a gray wall") == [0, 9]
    vocabulary = load_vocabulary()
    for query, colours in (
        ("a golden retriever", []), ("a great white shark", []), ("a glass of red wine", []),
        ("a golden car", [2]), ("a red fox by a red car", [0]),
    ):  # fmt: skip
        assert colours_in(query, [term.name for term in vocabulary.terms(query)]) == colours
    assert wants_monochrome("a black and white film")
    assert wants_monochrome("black-and-white pictures")
    assert not wants_monochrome("a black dog")
    assert plain_colour("a black screen") == "black"
    assert plain_colour("blank frames") == "any"
    assert plain_colour("a black dog on a screen") is None
    assert looks_in("a gray picture") == ("grey picture",)
    assert looks_in("a dog") == ()


def test_which_colours_take_up_much_of_a_picture() -> None:
    assert large_colours("a red car in front of a gray wall") == {9}
    assert large_colours("black text on a White background") == {10}
    assert large_colours("a blue dog on a wall") == frozenset()


@pytest.mark.parametrize(
    ("word", "one"),
    [("boxes", "box"), ("ladies", "lady"), ("knives", "knife"), ("women", "woman"), ("geese", "goose")],
)  # fmt: skip
def test_singulars(word: str, one: str) -> None:
    assert one in singular(word)


def test_a_word_that_ends_in_two_s_is_no_plural() -> None:
    assert list(singular("glass")) == ["glass"]


def test_words_are_read_as_their_letters_are_meant() -> None:
    assert words_in("A \uff43\uff41\uff52 on the screen") == ["a", "car"]
    assert words_in("the dog\u2019s ball") == ["the", "dog's", "ball"]


def test_accents_and_owners_hide_no_word() -> None:
    assert words_in("a Café with a façade") == ["a", "cafe", "with", "a", "facade"]
    assert (owner("bottle's"), owner("dogs'"), owner("glass")) == ("bottle", "dogs", "glass")
    assert load_vocabulary().known_in("the man's bicycle") == ["bicycle"]
    assert load_vocabulary().known_in("the dogs'") == ["dog"]
