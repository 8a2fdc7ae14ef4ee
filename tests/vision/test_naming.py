"""What frames show, in words: the surest, each thing once, and nothing where nothing is sure."""

from __future__ import annotations

import torch
from torch import Tensor

from rewind.vision.concepts import COLUMNS
from rewind.vision.naming import SURE, WORD_SURE, in_view
from rewind.vision.scoring import certainty, mass_evidence
from rewind.vision.vocabulary import load_vocabulary

WORDS = load_vocabulary()


def frames(*, n: int = 5, **classes: float) -> Tensor:
    """Posteriors (n, 5, 1011) that show classes, by their names, with some mass in every view."""
    posterior = torch.full((n, 5, COLUMNS), 1e-5)
    for name, mass in classes.items():
        posterior[..., WORDS.classes.index(name.replace("_", " "))] = mass
    return posterior


def told(posterior: Tensor, limit: int = 5) -> list[str]:
    return [word for word, _ in in_view(WORDS, posterior, limit=limit)]


def test_a_thing_is_told_once_by_its_own_name() -> None:
    assert told(frames(beagle=0.7)) == ["beagle"]  # not dog, pet and puppy beside it
    assert told(frames(beagle=0.4, Chihuahua=0.4)) == ["dog"]


def test_people_are_told_of_what_they_wear() -> None:
    assert told(frames(jersey=0.8)) == ["person"]


def test_places_are_told_that_are_no_class() -> None:
    assert told(frames(valley=0.05, lakeside=0.05, alp=0.5))[0] == "mountain"


def test_nothing_is_told_where_nothing_is_sure() -> None:
    assert told(frames()) == []
    assert told(frames(n=0)) == []
    assert told(torch.cat([frames(teapot=0.8, n=1), frames(n=4)])) == []


def test_no_more_is_told_than_is_asked_for() -> None:
    everything = frames(teapot=0.9, jersey=0.9, alp=0.9, beagle=0.9)
    assert len(told(everything)) > 2
    assert told(everything, limit=2) == told(everything)[:2]


def test_what_is_told_is_as_sure_as_it_says() -> None:
    posterior = frames(teapot=0.7, jersey=0.5, alp=0.4)
    for word, sure in in_view(WORDS, posterior, limit=9):
        if word in WORDS.heads:
            evidence = mass_evidence(posterior.numpy()[:, :, :1000], WORDS.term(word).weights)
            assert abs(float(certainty(evidence).mean()) - sure) < 1e-5
            assert sure >= WORD_SURE
        else:
            assert sure >= SURE
