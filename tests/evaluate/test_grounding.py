"""Grounding figures against numbers worked out by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rewind.errors import ConfigError
from rewind.evaluate import score_predictions
from rewind.evaluate.grounding import read_activitynet, read_charades, score_grounding
from rewind.evaluate.overlap import cross_iou, paired_iou

CHARADES = """AAAAA 0.0 10.0##person opens a door.
AAAAA 10.0 20.0##person closes the door.
BBBBB 4.0 8.0##a person sits down.
BBBBB 0.0 4.0##a person stands up.
"""


@pytest.fixture
def charades(tmp_path: Path) -> Path:
    path = tmp_path / "charades_sta_test.txt"
    path.write_text(CHARADES)
    return path


def test_charades_by_hand(charades: Path, tmp_path: Path) -> None:
    predictions = tmp_path / "p.jsonl"
    rows = [
        {"id": 0, "prediction": "From 00:00 to 00:05."},  # IoU 5 / 10
        {"video": "AAAAA.mp4", "query": "Person closes the door", "prediction": [12.0, 20.0]},  # 8 / 10
        {"id": "2", "prediction": "I do not see it."},  # no answer
    ]  # and the fourth query has no row at all
    predictions.write_text("".join(json.dumps(r) + "\n" for r in rows))
    result = score_predictions("Charades-STA", predictions, charades)
    assert result["metrics"] == {"R1@0.3": 50.0, "R1@0.5": 50.0, "R1@0.7": 25.0, "mIoU": 32.5}
    assert result["n"] == 4
    assert result["unparsed"] == 2
    assert (result["n"], result["videos"]) == (4, 2)
    # Two videos are drawn: both of the first, one of each, both of the second.
    assert result["intervals_95"]["mIoU"] == [0.0, 65.0]
    assert result["notes"] == ["intervals resample whole videos; 2 are few, so that they are too narrow"]


def test_percentages_need_the_length_of_the_video(charades: Path, tmp_path: Path) -> None:
    predictions = tmp_path / "p.json"
    predictions.write_text(json.dumps({"0": "from 0% to 50%"}))
    assert score_predictions("charades", predictions, charades)["unparsed"] == 4
    (tmp_path / "Charades_v1_test.csv").write_text("id,length\nAAAAA,20.0\nBBBBB,\n")
    assert score_predictions("charades", predictions, charades)["metrics"]["R1@0.7"] == 25.0


def test_activitynet_by_hand(tmp_path: Path) -> None:
    truth = {"v_x": {"duration": 100.0, "timestamps": [[0, 50], [50, 100]], "sentences": ["One.", " Two."]}}
    annotations, predictions = tmp_path / "val_1.json", tmp_path / "p.json"
    annotations.write_text(json.dumps(truth))
    predictions.write_text(json.dumps({"v_x_0": {"timestamp": [[0.0, 25.0]]}, "v_x_1": "between 50% and 100%"}))
    result = score_grounding(read_activitynet(annotations), predictions)
    assert result.metrics() == {"R1@0.3": 100.0, "R1@0.5": 100.0, "R1@0.7": 50.0, "mIoU": 75.0}
    assert result.unparsed == 0


def test_timechat_counts_the_predicted_queries_only(tmp_path: Path) -> None:
    rows = [{"image_id": "A.mp4", "caption": f"event {i}", "timestamp": [0.0, 10.0], "id": i} for i in range(4)]
    annotations, predictions = tmp_path / "gt.json", tmp_path / "p.json"
    annotations.write_text(json.dumps({"annotations": rows}))
    answers = {
        "0": {"timestamp": [[0.0, 5.0], [0.0, 10.0]], "query": "event 0", "vid": "A.mp4"},
        "2": {"timestamp": [], "query": "event 2", "vid": "A.mp4"},
    }
    predictions.write_text(json.dumps(answers))
    result = score_predictions("timechat", predictions, annotations)
    assert result["metrics"] == {"IOU 0.3": 50.0, "IOU 0.5": 50.0, "IOU 0.7": 0.0}
    assert (result["n"], result["unparsed"]) == (2, 1)
    assert "2 of 4" in result["notes"][0]


def test_overlap_by_hand() -> None:
    a = np.array([[0.0, 10.0], [0.0, 10.0], [0.0, 1.0], [2.0, 2.0]])
    b = np.array([[5.0, 15.0], [0.0, 10.0], [2.0, 3.0], [2.0, 2.0]])
    assert paired_iou(a, b).tolist() == pytest.approx([1 / 3, 1.0, 0.0, 0.0])
    assert cross_iou(a[:2], b).shape == (2, 4)
    assert cross_iou(a, b).diagonal().tolist() == paired_iou(a, b).tolist()


@given(st.tuples(*[st.floats(0, 1e4, allow_nan=False)] * 4))
def test_overlap_is_symmetric_and_bounded(ends: tuple[float, float, float, float]) -> None:
    a, b = np.array([sorted(ends[:2])]), np.array([sorted(ends[2:])])
    assert 0 <= paired_iou(a, b)[0] <= 1
    assert paired_iou(a, b)[0] == paired_iou(b, a)[0]


def test_instants_are_told(charades: Path, tmp_path: Path) -> None:
    predictions = tmp_path / "p.json"
    predictions.write_text(json.dumps({"0": "at 0:05", "1": [12, 12], "2": ["00:04", "00:08"], "3": [8, 4]}))
    result = score_predictions("charades-sta", predictions, charades)
    assert result["metrics"]["R1@0.7"] == 25.0
    assert result["unparsed"] == 1
    assert result["notes"][0] == "2 of 3 answers tell an instant only, which overlaps nothing"


@pytest.mark.parametrize("named", [lambda q: {"id": q}, lambda q: {"video": "AAAAA", "query": "person opens a door"}])
def test_of_repeated_predictions_the_last_counts_and_is_told(charades: Path, tmp_path: Path, named: Any) -> None:
    predictions = tmp_path / "p.jsonl"
    rows = [{**named("0"), "prediction": p} for p in ([20, 30], [5, 10], [0, 10])]
    predictions.write_text("".join(json.dumps(r) + "\n" for r in rows))
    result = score_predictions("charades-sta", predictions, charades)
    assert result["metrics"]["R1@0.7"] == 25.0
    assert result["notes"][0].startswith(
        "2 predictions are of queries that were predicted before in the file; the last"
    )


def test_a_prediction_answers_its_own_query_before_those_of_the_same_words(tmp_path: Path) -> None:
    truth, predictions = tmp_path / "t.txt", tmp_path / "p.jsonl"
    truth.write_text("A 0 10##a dog\nA 20 30##a dog\nA 40 50##a dog\n")
    rows = [{"id": str(i), "video": "A", "query": "a dog", "prediction": p} for i, p in ((1, [20, 30]), (0, [0, 10]))]
    predictions.write_text("".join(json.dumps(r) + "\n" for r in rows))
    result = score_predictions("charades-sta", predictions, truth)
    assert result["metrics"]["R1@0.7"] == 66.67
    assert result["unparsed"] == 0
    assert not any("predicted before" in note for note in result["notes"])


def test_numbers_may_be_percent_of_the_video(charades: Path, tmp_path: Path) -> None:
    """As TimeChat's and VTimeLLM's prompts ask for: 0 to 100 for the whole video."""
    predictions = tmp_path / "p.json"
    predictions.write_text(
        json.dumps({"0": "from 0 to 50", "1": [50, 100], "2": {"start_s": 4, "end_s": 8}, "3": "0-99"})
    )
    with pytest.raises(ConfigError, match=r"--bare percent, and the durations of 4 of 4 .* not known; allowed.*csv"):
        score_predictions("charades-sta", predictions, charades, bare="percent")
    charades.with_name("Charades_v1_test.csv").write_text("id,length\nAAAAA,20.0\nBBBBB,\n")
    with pytest.raises(ConfigError, match="durations of 2 of 4"):
        score_predictions("charades-sta", predictions, charades, bare="percent")
    charades.with_name("Charades_v1_test.csv").write_text("id,length\nAAAAA,20.0\nBBBBB,40.0\n")
    result = score_predictions("charades-sta", predictions, charades, bare="percent")
    assert result["metrics"]["R1@0.7"] == 75.0
    assert "numbers without a unit are read as percent of the video, 0 to 100 (--bare percent)" in result["notes"]
    assert score_predictions("charades-sta", predictions, charades)["metrics"]["R1@0.7"] == 25.0
    with pytest.raises(ConfigError, match="--bare percent for nextqa; allowed: it for charades-sta, activitynet"):
        score_predictions("nextqa", predictions, charades, bare="percent")


def test_a_line_ends_at_a_newline_only(tmp_path: Path) -> None:
    """JSON strings may hold U+2028 and U+0085 as they are; other systems' files do."""
    truth, predictions = tmp_path / "t.txt", tmp_path / "p.jsonl"
    truth.write_bytes("A 0 10##one\u2028two\u0085three\r\nB 0 10##four\r\n".encode())
    assert [(q.id, q.text) for q in read_charades(truth)] == [("0", "one\u2028two\u0085three"), ("1", "four")]
    rows = [{"id": "0", "query": "one\u2028two\u0085three", "prediction": [0, 10]}, {"id": "1", "prediction": [0, 10]}]
    predictions.write_bytes("\r\n".join(json.dumps(r, ensure_ascii=False) for r in rows).encode())
    assert score_predictions("charades-sta", predictions, truth)["metrics"]["R1@0.7"] == 100.0


def test_a_length_that_is_no_number_is_one_line(charades: Path) -> None:
    table = charades.with_name("Charades_v1_test.csv")
    table.write_text("id,length\nAAAAA,20 s\n")
    with pytest.raises(ConfigError, match=r"Charades_v1_test\.csv.*'20 s'; allowed"):
        read_charades(charades)


@pytest.mark.parametrize("text", ["AAAAA 0.0##no end", "AAAAA 0.0 1.0 no mark", "AAAAA x 1.0##words", ""])
def test_a_foreign_annotation_file_is_one_line(tmp_path: Path, text: str) -> None:
    path = tmp_path / "a.txt"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        read_charades(path)
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)


def test_predictions_for_other_queries_are_refused(charades: Path, tmp_path: Path) -> None:
    predictions = tmp_path / "p.json"
    predictions.write_text(json.dumps({"999": "1 - 2"}))
    with pytest.raises(ConfigError, match="none of 1 predictions"):
        score_predictions("charades-sta", predictions, charades)
    predictions.write_text("[1, 2]")
    with pytest.raises(ConfigError, match="allowed"):
        score_predictions("charades-sta", predictions, charades)
    predictions.write_text('{"0": [1, 2')
    with pytest.raises(ConfigError, match="line 1"):
        score_predictions("charades-sta", predictions, charades)
    with pytest.raises(ConfigError, match="not there"):
        score_predictions("charades-sta", tmp_path / "none.json", charades)
    with pytest.raises(ConfigError, match="charades-sta, activitynet"):
        score_predictions("imagenet", predictions, charades)
