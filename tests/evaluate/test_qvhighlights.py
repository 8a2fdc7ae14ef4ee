"""QVHighlights figures against numbers worked out by hand and a plain average precision."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rewind.errors import ConfigError
from rewind.evaluate import score_predictions
from rewind.evaluate.overlap import cross_iou
from rewind.evaluate.qvhighlights import AP_THRESHOLDS, average_precisions, clip_precision
from rewind.evaluate.tasks import read_tasks


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(r) + "\n" for r in rows))
    return path


@pytest.fixture
def truth(tmp_path: Path) -> Path:
    rows = [
        {
            "qid": 1, "duration": 20, "relevant_windows": [[0, 4], [10, 18]], "relevant_clip_ids": [0, 1, 5],
            "saliency_scores": [[4, 2, 2], [3, 3, 0], [2, 4, 4]],
        },
        {
            "qid": 2, "duration": 20, "relevant_windows": [[0, 20]], "relevant_clip_ids": [9],
            "saliency_scores": [[1, 1, 3]],
        },
    ]  # fmt: skip
    return write(tmp_path / "truth.jsonl", rows)


def test_by_hand(truth: Path, tmp_path: Path) -> None:
    scores = [0.9, 0.1, 0.0, 0.0, 0.0, 0.8, 0.0, 0.0, 0.0, 0.0]
    rows = [
        # first window: IoU .75 with [10, 18]; second: exact on [0, 4]; third hits nothing
        {
            "qid": 1, "pred_saliency_scores": scores,
            "pred_relevant_windows": [[12, 18, 0.9], [0, 4, 0.5], [18, 20, 0.1]],
        },
        {"qid": 2, "pred_saliency_scores": scores, "pred_relevant_windows": [[0, 10, 0.9]]},  # IoU .5
    ]  # fmt: skip
    result = score_predictions("qvhighlights", write(tmp_path / "p.jsonl", rows), truth)
    got = result["metrics"]
    assert (result["n"], result["unparsed"]) == (2, 0)
    assert got["MR-full-R1@0.3"] == 100.0
    assert got["MR-full-R1@0.5"] == 100.0
    assert got["MR-full-R1@0.7"] == 50.0
    assert got["MR-full-mIoU"] == 62.5
    assert got["MR-full-mAP@0.5"] == 100.0
    assert got["MR-full-mAP@0.75"] == 50.0
    # IoU .8 to .95: of query 1 only the second window hits: half the recall at precision 1/2
    assert got["MR-full-mAP"] == pytest.approx(100 * np.mean([(6 * 1 + 4 * 0.25) / 10, 1 / 10]), abs=0.005)
    assert (got["MR-short-mAP"], got["MR-middle-mAP"]) == (
        70.0,
        10.0,
    )  # query 1 has windows of 4 and 8 s, query 2 of 20 s
    assert "MR-long-mAP" not in got
    assert got["HL-min-VeryGood-Hit1"] == 50.0  # clip 0 has a 4; query 2 has no clip of 4
    # VeryGood: annotator 1 likes clip 0 (ranked first), 2 and 3 clip 5 (second); query 2 nothing
    assert got["HL-min-VeryGood-mAP"] == pytest.approx(100 * (1 + 0.5 + 0.5) / 6, abs=0.005)


def plain_precision(positive: list[bool], scores: list[float]) -> float:
    """By thresholds, from the definition."""
    if all(positive) or not any(positive):
        return float(all(positive))
    points = []
    for threshold in sorted(set(scores), reverse=True):
        chosen = [p for p, s in zip(positive, scores, strict=True) if s >= threshold]
        points.append((sum(chosen) / sum(positive), sum(chosen) / len(chosen)))
    levels = sorted({recall for recall, _ in points if recall > 0})
    return float(np.mean([max(p for r, p in points if r >= level) for level in levels]))


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 4)), min_size=1, max_size=25))
@settings(max_examples=150, deadline=None)
def test_clip_precision_equals_the_definition(clips: list[tuple[bool, int]]) -> None:
    positive, scores = [p for p, _ in clips], [float(s) for _, s in clips]
    got = clip_precision(np.array([positive, positive]), np.array([scores, scores]))
    assert got.tolist() == pytest.approx([plain_precision(positive, scores)] * 2)


def test_average_precision_by_hand() -> None:
    truth = np.array([[0.0, 10.0], [20.0, 30.0]])
    exact = np.array([[0.0, 10.0, 0.9], [20.0, 30.0, 0.8]])
    assert average_precisions(exact, truth).tolist() == [1.0] * 10
    twice = np.array([[0.0, 10.0, 0.9], [0.0, 10.0, 0.8], [20.0, 30.0, 0.7]])  # a window is found once
    assert average_precisions(twice, truth).tolist() == pytest.approx([(1 + 2 / 3) / 2] * 10)
    assert average_precisions(twice[::-1], truth).tolist() == pytest.approx([(1 + 2 / 3) / 2] * 10)  # scores rank
    assert average_precisions(np.zeros((0, 3)), truth).tolist() == [0.0] * 10


def test_average_precision_at_a_threshold_rounds_as_the_official_one() -> None:
    """17.1 of 22.8: the union by lengths is a bit more than from first start to last end, which is what R1 has."""
    predicted, truth = np.array([[7.2, 25.1, 1.0]]), np.array([[8.0, 30.0]])
    assert cross_iou(predicted[:, :2], truth).item() >= 0.75
    assert (25.1 - 8.0) / ((25.1 - 7.2) + (30.0 - 8.0) - (25.1 - 8.0)) < 0.75
    assert average_precisions(predicted, truth)[AP_THRESHOLDS.index(0.75)] == 0.0


def test_a_query_that_is_predicted_twice_is_refused(truth: Path, tmp_path: Path) -> None:
    rows = [{"qid": qid, "pred_relevant_windows": [[0, 1, 1.0]]} for qid in (1, 2, 1)]
    with pytest.raises(ConfigError, match="1 queries stand in it twice; allowed: a row for each query"):
        score_predictions("qvhighlights", write(tmp_path / "p.jsonl", rows), truth)


def test_other_queries_and_other_shapes_are_refused(truth: Path, tmp_path: Path) -> None:
    one = write(tmp_path / "one.jsonl", [{"qid": 1, "pred_relevant_windows": [[0, 1, 1.0]]}])
    with pytest.raises(ConfigError, match="1 annotated ones missing"):
        score_predictions("qvhighlights", one, truth)
    bare = write(tmp_path / "bare.jsonl", [{"qid": 1}, {"qid": 2}])
    with pytest.raises(ConfigError, match="neither windows nor saliency"):
        score_predictions("qvhighlights", bare, truth)
    foreign = write(tmp_path / "f.jsonl", [{"id": 1}])
    with pytest.raises(ConfigError, match="'qid' is missing"):
        score_predictions("qvhighlights", foreign, truth)


@pytest.mark.parametrize("lost", ["relevant_windows", "saliency_scores", "relevant_clip_ids"])
def test_annotations_without_labels_are_at_fault_themselves(truth: Path, tmp_path: Path, lost: str) -> None:
    """As in the test release. A model is not run on what could not be scored."""
    rows = [{k: v for k, v in json.loads(line).items() if k != lost} for line in truth.read_text().splitlines()]
    bare = write(tmp_path / "test.jsonl", [{"query": "q", "vid": "v", **row} for row in rows])
    given = [{"qid": i, "pred_relevant_windows": [[0, 2, 1.0]], "pred_saliency_scores": [0.5]} for i in (1, 2)]
    line = rf"test\.jsonl: '{lost}' is missing"
    with pytest.raises(ConfigError, match=line):
        score_predictions("qvhighlights", write(tmp_path / "p.jsonl", given), bare)
    with pytest.raises(ConfigError, match=line):
        read_tasks("qvhighlights", bare)


def test_windows_alone_need_no_saliency(truth: Path, tmp_path: Path) -> None:
    rows = [json.loads(line) for line in truth.read_text().splitlines()]
    spans = write(
        tmp_path / "spans.jsonl", [{"qid": r["qid"], "relevant_windows": r["relevant_windows"]} for r in rows]
    )
    given = [{"qid": i, "pred_relevant_windows": r["relevant_windows"]} for i, r in enumerate(rows, start=1)]
    result = score_predictions("qvhighlights", write(tmp_path / "p.jsonl", given), spans)
    assert result["metrics"]["MR-full-R1@0.7"] == 100.0


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), None])
def test_numbers_that_are_not_finite_are_refused(truth: Path, tmp_path: Path, bad: float | None) -> None:
    good = {"qid": 1, "pred_relevant_windows": [[0, 4, 0.5]], "pred_saliency_scores": [0.1, 0.2]}
    for key, value in (("pred_saliency_scores", [0.9, bad]), ("pred_relevant_windows", [[0, 4, bad]])):
        rows = [good, {**good, "qid": 2, key: value}]
        with pytest.raises(ConfigError, match=r"p\.jsonl: query 2 has a number that is not finite"):
            score_predictions("qvhighlights", write(tmp_path / "p.jsonl", rows), truth)


def test_a_query_without_windows_counts_zero(truth: Path, tmp_path: Path) -> None:
    rows = [{"qid": 1, "pred_relevant_windows": []}, {"qid": 2, "pred_relevant_windows": [[0, 20, 1.0]]}]
    result = score_predictions("qvhighlights", write(tmp_path / "p.jsonl", rows), truth)
    assert result["metrics"]["MR-full-R1@0.5"] == 50.0
    assert result["metrics"]["MR-full-mAP"] == 50.0
    assert result["unparsed"] == 1
