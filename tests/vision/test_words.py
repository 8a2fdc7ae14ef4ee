"""The shipped features of the vocabulary's words."""

from __future__ import annotations

import numpy as np

from rewind.text import load_text
from rewind.vision.vocabulary import load_vocabulary
from rewind.vision.words import shipped_features, word_features


def test_shipped_features_are_those_of_the_bundled_encoder() -> None:
    text, words = load_text(), load_vocabulary().words
    kept = shipped_features(text, words)
    assert kept is not None, "the vocabulary has changed: python -m rewind.vision.words"
    assert np.allclose(kept[::40], text.encode(words[::40]).pooled.numpy(), atol=2e-3)
    assert np.array_equal(word_features(text, words), kept)


def test_other_words_are_encoded_anew() -> None:
    text, words = load_text(), load_vocabulary().words
    assert shipped_features(text, words[:-1]) is None
    assert np.array_equal(word_features(text, ["dog", "cat"]), text.encode(["dog", "cat"]).pooled.numpy())
