"""What is said: the decoder's words, unless what the scores found says otherwise."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch

from rewind.answering import ABSENT, DECODER_MIN, Said, say
from rewind.values import Moment, Timeline

MOMENT = Moment(3.0, 5.0, 0.9)


def said(text: str, *moments: Moment) -> Said:
    relevance = SimpleNamespace(remembered=0.9, known=True, best=0.9, scores=torch.tensor([0.1, 0.9]))
    decoded: Any = SimpleNamespace(text=text, confidence=DECODER_MIN + 0.1)
    engine: Any = SimpleNamespace(concepts=None)
    seen: Any = SimpleNamespace(relevance=relevance)
    stored: Any = None
    return say(engine, seen, decoded, moments, (), stored, Timeline.regular(2))


@pytest.mark.parametrize("word", ["never", "no"])
def test_a_thing_is_absent_where_words_and_scores_agree(word: str) -> None:
    assert said(word).absent
    assert not said(word, MOMENT).absent


def test_never_is_not_believed_where_the_thing_was_found() -> None:
    assert said("never").text == ABSENT
    assert said("never", MOMENT).text == said("at", MOMENT).text == "At 0:00:03 – 0:00:05."


def test_other_words_stand_as_they_are() -> None:
    assert said("purple", MOMENT).text == "purple"
    assert said("at").text == "Around 0:00:01, faintly."
