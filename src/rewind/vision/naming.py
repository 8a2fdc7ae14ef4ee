"""What some frames show, in words: classes and everyday nouns by posterior mass, people and places by evidence."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt
from torch import Tensor

from rewind.vision.efficientnet import CLASSES
from rewind.vision.scoring import FLOOR, certainty, mass_evidence
from rewind.vision.vocabulary import SURE as NAMED
from rewind.vision.vocabulary import Vocabulary

Floats = npt.NDArray[np.float32]
Named = tuple[str, float, frozenset[int]]
"""A word, how sure it is, and the classes that show it for certain."""
KIND_SHARE, KIND_SURE = 0.6, 0.4  # of what is seen of a thing, and at all, what a kind of it must have to be named
SURE, WORD_SURE = 0.6, 0.7  # from which a name, and a word that is no class, count as in view
SAME = 0.5  # share of the smaller one's classes from which two words tell of one thing
PEOPLE = "person"


def names(vocabulary: Vocabulary, posterior: Tensor, *, limit: int, sure: float = NAMED) -> list[Named]:
    """The classes of most mass in some frames (n, V, 1011), surest first: up to `limit`, none that another one covers.

    Probability is the mean over the frames of the posterior mass. Where the mass is spread over kinds of one thing (118
    breeds), the thing is named (dog): the wider, the surer it is to be.
    """
    if not len(posterior):
        return []
    mass = _mass(posterior)
    found: list[Named] = []
    named: set[int] = set()
    while len(found) < limit:
        top = int(mass.argmax())
        if mass[top] < FLOOR:
            break
        name, classes = vocabulary.name_of(top, mass, sure=sure)
        if not named.intersection(classes):  # not the dog that is left beside a hound
            found.append((name, float(min(1.0, mass[list(classes)].sum())), frozenset(classes)))
        named.update(classes)
        mass[list(classes)] = 0
    return sorted(found, key=lambda one: -one[1])


def kind_of(vocabulary: Vocabulary, posterior: Tensor, asked: str) -> tuple[str, float] | None:
    """Which kind of the thing that `asked` begins with is on screen in some frames (n, V, 1011), and its probability:
    the *dog* of *animal is it?*. None where that thing has no kinds, or where none is sure enough."""
    kinds = vocabulary.kinds(asked)
    if len(kinds) < 2 or not len(posterior):
        return None
    mass = _mass(posterior)
    found = vocabulary.kind_of(kinds, mass, share=KIND_SHARE)
    seen = float(mass[list(found[1])].sum()) if found else 0.0
    return (found[0], min(1.0, seen)) if found and seen >= KIND_SURE else None


def in_view(vocabulary: Vocabulary, posterior: Tensor, *, limit: int) -> list[tuple[str, float]]:
    """What some frames (n, V, 1011) that belong together surely show, up to `limit` (word, probability): people, for
    what they wear is all that the classes tell of them; then names of `SURE` or more, wide enough for it; then places
    and things that are no class. No word tells what another one before it told."""
    if not len(posterior):
        return []
    heads, weights = _heads(vocabulary)
    told = certainty(mass_evidence(posterior.float().numpy()[:, :, :CLASSES], weights)).mean(0)
    order = np.argsort(-told, kind="stable")
    words = [(heads[k], float(told[k]), vocabulary.shows(heads[k])) for k in order if told[k] >= WORD_SURE]
    people = [one for one in words if one[0] == PEOPLE]
    named = [one for one in names(vocabulary, posterior, limit=limit, sure=SURE) if one[1] >= SURE]
    found: list[Named] = []
    for one in [*people, *named, *words]:
        if not any(_alike(one[2], other[2]) for other in found):
            found.append(one)
    return [(word, p) for word, p, _ in found[:limit]]


@lru_cache(maxsize=4)
def _heads(vocabulary: Vocabulary) -> tuple[tuple[str, ...], Floats]:
    """The words that are no class, n of them, and their weights (K, n)."""
    return vocabulary.heads, np.stack([vocabulary.term(word).weights for word in vocabulary.heads], 1)


def _alike(one: frozenset[int], other: frozenset[int]) -> bool:
    return len(one & other) >= SAME * min(len(one), len(other))


def _mass(posterior: Tensor) -> Floats:
    """The posterior mass (K,) of each class over some frames (n, V, 1011), n > 0."""
    classes = posterior.float().numpy()[:, :, :CLASSES]
    return np.asarray((0.5 * classes.max(1) + 0.5 * classes.mean(1)).mean(0), np.float32)
