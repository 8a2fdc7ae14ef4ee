"""The readout: learnt from names alone, it reads other words off the same classes."""

from __future__ import annotations

import numpy as np
import pytest

from rewind.text import load_text
from rewind.vision.efficientnet import CLASSES
from rewind.vision.readout import RIDGE, Readout, lean
from rewind.vision.vocabulary import load_vocabulary
from rewind.vision.words import word_features


@pytest.fixture(scope="module")
def readout() -> Readout:
    vocabulary = load_vocabulary()
    names = [name.lower() for name in vocabulary.classes]
    features = dict(zip(vocabulary.words, word_features(load_text(), vocabulary.words), strict=True))
    known = [k for k, name in enumerate(names) if name in features]
    return Readout(np.stack([features[names[k]] for k in known]), np.array(known))


def speaks_for(readout: Readout, query: str, limit: int = 12) -> set[str]:
    """The classes that speak most for a query."""
    direction = readout.direction(load_text().encode([query]).pooled.numpy()[0])
    return {load_vocabulary().classes[k] for k in np.argsort(-direction)[:limit]}


def test_it_is_ridge_regression() -> None:
    rng = np.random.default_rng(0)
    names, classes = rng.normal(size=(30, 8)).astype(np.float32), rng.integers(0, CLASSES, 30)
    query = rng.normal(size=8).astype(np.float32)
    # The dual form, in the plainest way: how far each name speaks for the query, poured into its class.
    each = np.linalg.solve(names @ names.T + RIDGE * np.eye(30), names @ query)
    wanted = np.zeros(CLASSES)
    for share, k in zip(each, classes, strict=True):
        wanted[k] += share
    wanted -= wanted.mean()
    np.testing.assert_allclose(Readout(names, classes).direction(query), wanted / np.linalg.norm(wanted), atol=1e-5)


@pytest.mark.parametrize(
    ("query", "classes"),
    [
        ("a dog", {"Eskimo dog", "Maltese dog"}), ("somebody plays music", {"cello", "violin", "banjo", "flute"}),
        ("food on a plate", {"plate", "meat loaf", "hot pot"}), ("a sailing boat", {"schooner", "speedboat", "canoe"}),
    ],
)  # fmt: skip
def test_words_that_are_no_class_are_read_off_those_near_to_them(
    readout: Readout, query: str, classes: set[str]
) -> None:
    assert len(speaks_for(readout, query) & classes) >= min(2, len(classes))


def test_a_direction_has_mean_0_and_length_1(readout: Readout) -> None:
    direction = readout.direction(load_text().encode(["a wooden boat"]).pooled.numpy()[0])
    assert direction.shape == (CLASSES,)
    assert abs(float(direction.mean())) < 1e-6
    assert float(np.linalg.norm(direction)) == pytest.approx(1, abs=1e-5)


def test_a_frame_without_information_leans_nowhere(readout: Readout) -> None:
    direction = readout.direction(load_text().encode(["a wooden boat"]).pooled.numpy()[0])
    even = np.full((2, CLASSES), 1 / CLASSES, np.float32)
    np.testing.assert_allclose(lean(even, direction), 0, atol=1e-3)
    more = even.copy()
    more[1, int(direction.argmax())] *= 20
    assert lean(more, direction)[1] > 0.1
    assert np.isfinite(lean(np.zeros((1, CLASSES), np.float32), direction)).all()
