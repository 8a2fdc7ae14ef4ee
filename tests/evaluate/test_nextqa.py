"""NExT-QA and NExT-GQA against numbers worked out by hand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rewind.errors import ConfigError
from rewind.evaluate import score_predictions
from rewind.evaluate.nextqa import overlap, read_choices

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
