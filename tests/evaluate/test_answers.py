"""The answer behind the reasoning."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rewind.evaluate.answers import said


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("a dog", "a dog"),
        ("<answer>a dog</answer>", "a dog"),
        ("<think>a cat?</think>a dog", "a dog"),
        ("<think>I write <answer>cat</answer>.</think><answer>dog</answer>", "dog"),
        ("<answer>cat</answer> No: <Answer>\ndog", "dog"),
        ("a cat? the template opened it</think>\na dog", "a dog"),
        ("<thinking>a <b>cat</b></thinking> a <i>dog</i>", "a  dog"),
        ("<answer>dog</answer><think>because it barks</think>", "dog"),
        ("<think>one<think>two</think>three</think>a dog", "a dog"),
        ("<think>it never ends", ""),
        ("It is so. <think>it never ends", "It is so."),
        ("<think>it never ends <answer>a dog", "a dog"),
        ("a dog<|im_end|>", "a dog"),
        ("2 < 3 and <12> to <40>", "2 < 3 and <12> to <40>"),
        ("", ""),
    ],
)
def test_the_answer_alone(text: str, answer: str) -> None:
    assert said(text) == answer


@given(st.text(st.characters(exclude_characters="<>"), max_size=40), st.text(max_size=80))
def test_reasoning_never_shows(answer: str, thought: str) -> None:
    thought = thought.replace("</", "")
    assert said(f"<think>{thought}</think><answer>{answer}</answer>") == answer.strip()


@pytest.mark.parametrize("unit", ["<think>", "</think>", "<answer>", "<", "<think></answer>"])
def test_it_takes_time_in_proportion_to_the_text(unit: str) -> None:
    begun = time.process_time()
    said(unit * 50_000)
    assert time.process_time() - begun < 2.0
