"""Files of another form: one line that names the file and the form, in words that are not Python's own."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from rewind.errors import ConfigError
from rewind.evaluate import score_predictions
from rewind.evaluate.files import read_any, read_json, read_lines, shaped

DEEP = "[" * 100_000


@pytest.mark.parametrize("read", [read_json, read_lines, read_any])
@pytest.mark.parametrize("name", ["a.json", "a.jsonl"])
def test_brackets_without_end_are_a_damaged_file(tmp_path: Path, read: object, name: str) -> None:
    path = tmp_path / name
    path.write_text(DEEP)
    with pytest.raises(ConfigError, match="line 1: brackets too deep"):
        read(path)  # type: ignore[operator]


@pytest.mark.parametrize(
    "read", [lambda row: row.get("id"), lambda row: row[1], max, lambda row: [a for a, _ in [row]]]
)
def test_another_form_is_told_without_pythons_words(read: Callable[[list[int]], object]) -> None:
    form = "^p.json: of another form; allowed: rows$"
    with pytest.raises(ConfigError, match=form), shaped(Path("p.json"), allowed="rows"):
        read([])


def test_a_value_that_is_none_is_named() -> None:
    with pytest.raises(ConfigError, match="'12 s'"), shaped(Path("p.json"), allowed="rows"):
        float("12 s")


@pytest.mark.parametrize(
    ("benchmark", "name", "text", "line"),
    [
        ("nextqa", "a.csv", 'video,question,answer,qid,type,a0,a1,a2,a3,a4\n1,"' + "x" * 140_000, "field larger"),
        (
            "moviechat",
            "a.json",
            '{"info": {"video_path": "a.mp4", "fps": 0}, "global": [],'
            ' "breakpoint": [{"time": 3, "question": "q", "answer": "a"}]}',
            "of another form",
        ),
        (
            "timechat",
            "a.json",
            '{"annotations": [{"image_id": "V.mp4", "caption": "x", "timestamp": null, "id": 0}]}',
            "of another form",
        ),
    ],
)
def test_a_damaged_truth_is_one_line(tmp_path: Path, benchmark: str, name: str, text: str, line: str) -> None:
    truth, predictions = tmp_path / name, tmp_path / "p.jsonl"
    truth.write_text(text)
    predictions.write_text('{"id": "0", "prediction": [0, 5]}')
    with pytest.raises(ConfigError, match=rf"{name}: {line}"):
        score_predictions(benchmark, predictions, truth)


@pytest.mark.parametrize(
    "row",
    [
        {"id": "1", "pred": "yes"}, {"question_id": "1", "prediction": "yes"}, {"qid": 1, "pred_relevant_windows": []},
        {"video": "A", "query": "a man", "prediction": [1, 5]}, {"image_id": "A", "caption": "x", "timestamp": [1, 5]},
    ],
)  # fmt: skip
def test_one_prediction_alone_in_a_file_of_lines_is_a_row(tmp_path: Path, row: dict[str, object]) -> None:
    path = tmp_path / "p.jsonl"
    path.write_text(json.dumps(row) + "\n")
    assert read_any(path) == [row]
    path.write_text(json.dumps({"7_1": "yes", "7_2": "no"}))
    assert read_any(path) == {"7_1": "yes", "7_2": "no"}


@pytest.mark.parametrize(
    ("benchmark", "name", "text"),
    [
        ("charades-sta", "a.txt", "V1 nan 10##x\n"),
        ("charades-sta", "a.txt", "V1 0 inf##x\n"),
        ("activitynet", "a.json", '{"v": {"duration": 9, "timestamps": [[0, NaN]], "sentences": ["x"]}}'),
        (
            "timechat",
            "a.json",
            '{"annotations": [{"image_id": "V.mp4", "caption": "x", "timestamp": [0, NaN], "id": 0}]}',
        ),
        ("nextgqa", "gsub_a.json", '{"1": {"duration": 9, "location": {"0": [[0, NaN]]}}}'),
        ("nextgqa", "gsub_a.json", '{"1": {"duration": 9, "location": {"0": []}}}'),
    ],
)
def test_a_truth_at_no_time_is_refused(tmp_path: Path, benchmark: str, name: str, text: str) -> None:
    truth, predictions = tmp_path / name, tmp_path / "p.jsonl"
    truth.write_text(text)
    predictions.write_text("\n".join(json.dumps({"id": i, "prediction": [0, 5]}) for i in ("0", "v_0", "1_0")))
    with pytest.raises(ConfigError, match=rf"{name}: .*(nan|inf|no time)"):
        score_predictions(benchmark, predictions, truth)
