"""NExT-QA and NExT-GQA against numbers worked out by hand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rewind.errors import ConfigError
from rewind.evaluate import score_predictions
from rewind.evaluate.nextqa import choice_of, overlap, read_choices

HEAD = "video,frame_count,width,height,question,answer,qid,type,a0,a1,a2,a3,a4\n"
OPTIONS = ("eat", "the red ball", "run", "sit", "jump")
ROWS = [("1", 0, "CW"), ("1", 1, "CH"), ("2", 0, "TN"), ("2", 1, "TP"), ("2", 2, "TC"), ("3", 0, "DO")]


@pytest.fixture
def questions(tmp_path: Path) -> Path:
    path = tmp_path / "val.csv"
    lines = [f"{v},9,6,4,why,1,{q},{kind},{','.join(OPTIONS)}\n" for v, q, kind in ROWS]
    path.write_text(HEAD + "".join(lines))
    return path


def test_accuracy_by_kind_by_hand(questions: Path, tmp_path: Path) -> None:
    predictions = tmp_path / "p.json"
    answers = {
        "1_0": {"prediction": 1, "answer": 1},
        "1_1": "B. the red ball",
        "2_0": "the red ball",
        "2_1": 0,
        "2_2": "I cannot say.",
    }  # and 3_0 has none
    predictions.write_text(json.dumps(answers))
    result = score_predictions("nextqa", predictions, questions)
    assert result["metrics"] == {
        "Why": 100.0, "How": 100.0, "Bef&Aft": 50.0, "When": 0.0, "Other": 0.0,
        "Acc_C": 100.0, "Acc_T": 33.33, "Acc_D": 0.0, "Acc": 50.0,
    }  # fmt: skip
    assert (result["n"], result["videos"], result["unparsed"]) == (6, 3, 2)
    assert result["intervals_95"]["Acc_C"] == [100.0, 100.0]
    # Both right ones are of the first video, a third one of the second: any of the three may be all that is drawn.
    assert result["intervals_95"]["Acc"] == [0.0, 100.0]


def test_of_several_predictions_the_last_counts_and_is_told(questions: Path, tmp_path: Path) -> None:
    predictions = tmp_path / "p.jsonl"
    rows = [{"id": "1_0", "prediction": "A"}, {"id": "1_0", "prediction": "B"}, {"id": "no_9", "prediction": "A"}]
    predictions.write_text("".join(json.dumps(row) + "\n" for row in rows))
    result = score_predictions("nextqa", predictions, questions)
    assert result["metrics"]["Why"] == 100.0
    assert any(note.startswith("1 predictions are of queries that were predicted before") for note in result["notes"])


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


def test_grounded_answers_by_hand(tmp_path: Path) -> None:
    truth = {"1": {"duration": 100, "location": {"0": [[0, 10], [50, 60]], "1": [[0, 10]]}, "fps": 30},
             "2": {"duration": 100, "location": {"0": [[0, 10]]}, "fps": 30}}  # fmt: skip
    annotations, predictions = tmp_path / "gsub_val.json", tmp_path / "p.json"
    annotations.write_text(json.dumps(truth))
    (tmp_path / "val.csv").write_text(
        HEAD.replace("video", "video_id")
        + "".join(f"{v},9,6,4,why,run,{q},CW,{','.join(OPTIONS)}\n" for v, q in (("1", 0), ("1", 1), ("2", 0)))
    )
    answers = {
        "1_0": {"span": [50, 58], "prediction": "run"},  # IoU .8, IoP 1
        "1_1": {"span": "from 0% to 20%", "prediction": 0},  # IoU .5, IoP .5, wrong answer
    }
    predictions.write_text(json.dumps(answers))
    result = score_predictions("NExT-GQA", predictions, annotations)
    assert result["metrics"] == {
        "mIoP": 50.0, "mIoU": 43.33, "IoP@0.3": 66.67, "IoU@0.3": 66.67, "IoP@0.5": 66.67, "IoU@0.5": 66.67,
        "Acc@GQA": 33.33,
    }  # fmt: skip
    assert (result["n"], result["unparsed"]) == (3, 1)
    assert result["videos"] == 2
    assert "1 questions without a prediction" in result["notes"][0]
    predictions.write_text(json.dumps({"1_0": [0, 10], "1_1": "0 - 10", "2_0": {"span": "0 s - 10 s"}}))
    assert score_predictions("nextgqa", predictions, annotations, bare="percent")["metrics"]["mIoU"] == 100.0
    annotations.write_text(annotations.read_text().replace("100", "200"))
    shares = score_predictions("nextgqa", predictions, annotations, bare="percent")
    assert shares["metrics"]["mIoU"] == pytest.approx((0.5 + 0.5 + 1) / 3 * 100, abs=0.01)
    assert any("(--bare percent)" in note for note in shares["notes"])


def test_overlap_of_an_instant() -> None:
    assert overlap([0.0, 10.0], (5.0, 5.0)) == (0.0, 1.0)
    assert overlap([0.0, 10.0], (15.0, 15.0)) == (0.0, 0.0)
    assert overlap([0.0, 10.0], (20.0, 30.0)) == (0.0, 0.0)
    assert overlap([0.0, 10.0], (20.0, 15.0)) == (0.0, 0.0)


def test_a_foreign_table_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("a,b\n1,2\n")
    with pytest.raises(ConfigError, match="no column question"):
        read_choices(path)
    path.write_text(HEAD + "1,2\n")
    with pytest.raises(ConfigError, match="another length"):
        read_choices(path)
    path.write_text(HEAD + f"1,9,6,4,why,9,0,CW,{','.join(OPTIONS)}\n")
    with pytest.raises(ConfigError, match="NExT"):
        read_choices(path)
    path.write_text(HEAD + f"1,9,6,4,why,1,0,ZZ,{','.join(OPTIONS)}\n")
    with pytest.raises(ConfigError, match="type 'ZZ'"):
        read_choices(path)
