"""What pictures do not tell is not denied: sounds are not heard, text is not read, cuts are not counted."""

from __future__ import annotations

import pytest
import torch

from rewind.text import load_text
from rewind.timeline import Timeline
from rewind.vision.concepts import COLUMNS, Concepts
from rewind.vision.unseeable import UNHEARD, UNMADE, UNMARKED, UNREAD, unseeable


@pytest.fixture(scope="module")
def concepts() -> Concepts:
    return Concepts(load_text())


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ("Is there music?", UNHEARD),
        ("Do you hear a dog barking?", UNHEARD),
        ("applause", UNHEARD),
        ("Is anyone speaking?", UNHEARD),
        ("What words are on screen?", UNREAD),
        ("Is there any writing?", UNREAD),
        ("Can you read the letters?", UNREAD),
        ("What text appears on screen?", UNREAD),
        ("the title", UNREAD),
        ("subtitles", UNREAD),
        ("Is there a logo?", UNMARKED),
        ("a name badge", UNMARKED),
        ("How many cuts are there?", UNMADE),
        ("How many different shots of a dog?", UNMADE),
        ("number of scene changes", UNMADE),
        ("Is the camera moving?", UNMADE),
        ("camera shake", UNMADE),
        ("What camera was used?", UNMADE),
        ("Is it a music video?", UNMADE),
        ("Is this from a cooking show?", UNMADE),
        ("Is it filmed with a drone?", UNMADE),
        ("Is it AI generated?", UNMADE),
        ("Does she have a tattoo?", UNMARKED),
        ("Is there a split screen?", UNMADE),
        ("slow motion", UNMADE),
        ("Is it a cartoon?", UNMADE),
        ("Is the video colorful?", UNMADE),
    ],
)
def test_what_pictures_do_not_tell_is_not_denied(concepts: Concepts, query: str, why: str) -> None:
    assert unseeable(query) == why
    found = concepts.score(torch.full((20, 5, COLUMNS), 1e-3), query, Timeline.regular(20))
    assert found.known == ()
    assert found.degradations == (why,)


@pytest.mark.parametrize(
    "query",
    [
        "a dog",
        "a music stand",
        "a songbird",
        "a loudspeaker",
        "a book",
        "a letter",
        "a singer",
        "keys with letters",
        "tree bark",
        "a parrot talking on a phone",
        "a writing desk",
        "Is there a bird singing?",
        "Describe it in your own words",
        "a gun shot",
        "Is it a film camera?",
        "Is it a black and white film?",
        "a trailer behind a car",
        "a haircut",
        "Is the camera on the table?",
        "Is there a man with a camera?",
        "a beach scene",
        "a cartoon of a dog",
        "a desktop icon",
    ],
)
def test_what_they_do_tell_stays_as_it_was(concepts: Concepts, query: str) -> None:
    found = concepts.score(torch.full((20, 5, COLUMNS), 1e-3), query)
    assert not {UNHEARD, UNREAD, UNMARKED, UNMADE} & {*found.degradations}
    assert UNHEARD not in concepts.score(torch.full((20, 5, COLUMNS), 1e-3), query, Timeline.regular(20)).degradations


def test_the_look_of_a_text_is_looked_for(concepts: Concepts) -> None:
    found = concepts.score(torch.full((20, 5, COLUMNS), 1e-3), "text on a white background", Timeline.regular(20))
    assert found.known
    assert found.degradations == ()
