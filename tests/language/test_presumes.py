"""Which questions *never* can answer: of worlds' questions those whose answer it may be, and no others."""

from __future__ import annotations

import numpy as np
import pytest

from rewind.language.presumes import NEVER, presumes
from rewind.worlds import make_world, questions


@pytest.mark.parametrize("minutes", [1, 10])
def test_worlds_questions_presume_what_is_there(minutes: int) -> None:
    world = make_world(3, seconds=60 * minutes)
    asked = questions(world, np.random.default_rng(3), per_kind=40)
    for question in asked:
        if question.kind == "find":
            assert not presumes(question.text), question.text
        if question.kind == "needle":
            assert presumes(question.text), question.text
    assert {q.kind for q in asked if q.answer == NEVER} == {"find"}


@pytest.mark.parametrize(
    ("question", "presuming"),
    [
        ("What colour is the car?", True), ("Which character comes second?", True), ("Read the sign.", True),
        ("A sign says 7KX2. Which symbol does it show?", True), ("When do we see the sign which says 7KX2?", False),
        ("At what time does it appear?", False), ("In which minute is there a dog?", False), ("a red car", False),
        ("Is there a dog?", False), ("Do we ever see what is in the box?", False), ("", False),
    ],
)  # fmt: skip
def test_questions_for_times_presume_nothing(question: str, presuming: bool) -> None:
    assert presumes(question) == presuming
