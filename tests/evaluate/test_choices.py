"""The ways in which models name an option."""

from __future__ import annotations

import pytest

from rewind.evaluate.choices import choice_of

OPTIONS = ("eat", "the red ball", "run", "sit", "jump")


@pytest.mark.parametrize(
    ("answer", "choice"),
    [
        (2, 2), ("2", 2), ("C", 2), ("(C)", 2), ("C.", 2), ("C) run", 2), ("The answer is C", 2), ("Answer: C", 2),
        ("run", 2), ("Run.", 2), ("The red  ball", 1), (5, None), (-1, None), (True, None), (None, None),
        ("Because it runs", None), ("A man runs away", None), ("", None), (1.5, None), (float("inf"), None),
        # a letter of either case, whatever it is wrapped in, alone or before a line's end or a dash
        ("b", 1), ("a", 0), ("(b)", 1), ("**B**", 1), ('"B"', 1), ("“B”", 1), ("'B'", 1), ("[B]", 1), ("b) eat", 1),
        ("B\n\nExplanation: A man eats.", 1), ("C - the dog", 2), ("C – the dog", 2), ("**C.** run", 2),
        ("<answer>B</answer>", 1), ("<answer>The red ball</answer>", 1), ("<think>A or C?</think><answer>\nB", 1),
        ("<think>The answer is C.</think>\n\nB", 1), ("The answer is C?</think> B", 1),
        ("<think>The answer is C", None),
        # a letter that a sentence names
        ("I think the answer is B", 1), ("Based on the video, the answer is B.", 1), ("The answer is option B", 1),
        ("The correct option is (d).", 3), ("Answer:\nB", 1), ("My final answer: **b**", 1), ('{"answer": "B"}', 1),
        ("The answer is A because he eats", 0), ("Option A is wrong, so the answer is B.", 1),
        ("The answer is not A. The answer is B.", 1),
        ("C is correct", 2), ("C is the best answer", 2), ("C because he runs", 2), ("It's C", 2), ("I choose C", 2),
        (r"\boxed{C}", 2), (r"$\boxed{\text{C}}$", 2), ("Ｃ", 2), ("答案：C", 2),
        # its number or words behind a word or a mark; before words a number may count from 1
        ("(2)", 2), ("Answer: 2", 2), ("The answer is 2.", 2), ("2. run", 2), ("3. run", 2), ("Answer: run", 2),
        ("The answer is run", 2), ("The answer is: run", 2), ("Answer is: 2", 2), ("The answer is: B", 1),
        ("2 men run, so the answer is B", 1), ("7", None), ("2 men", None),
        ("C is wrong", None), ("A is a man", None),
        # words that look like one
        ("A-frame", None), ("e.g. a run", None), ("E.T. jumps", None), ("The answer is a man", None),
        ("The answer is A man", None), ("The answer is vitamin C", None), ("The answer is not B", None),
        ("The answer is A or B", None), ("option A or option B", None), ("Option B is wrong", None),
    ],
)  # fmt: skip
def test_ways_to_name_an_option(answer: object, choice: int | None) -> None:
    assert choice_of(answer, OPTIONS) == choice
