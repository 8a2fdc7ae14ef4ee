"""Codes are spelled out; other words are left as they are."""

from __future__ import annotations

import pytest

from rewind.text import load_text
from rewind.text.spelling import read_instructions, spell_codes


@pytest.mark.parametrize(
    ("text", "spelled"),
    [
        ("the sign 7KX2?", "the sign 7 K X 2?"),
        ("a sign that starts with PF", "a sign that starts with P F"),
        ("A sign says ABC.", "A sign says A B C."),
        ("When does a red star appear?", "When does a red star appear?"),
        ("Is it 5 o'clock?", "Is it 5 o'clock?"),
        ("WHEN DOES A RED STAR APPEAR?", "when does a red star appear?"),
        ("WHICH COLOUR HAS THE SIGN 7KX2?", "which colour has the sign 7 K X 2?"),
        ("PFK", "P F K"),
    ],
)
def test_codes_are_spelled(text: str, spelled: str) -> None:
    assert spell_codes(text) == spelled


def test_instructions_keep_the_words_that_were_given() -> None:
    encoder = load_text()
    read = read_instructions(encoder, ["What does 7KX2 mean?"])
    assert read.texts == ("What does 7KX2 mean?",)
    assert read.tokens.equal(encoder.encode(["What does 7 K X 2 mean?"]).tokens)
