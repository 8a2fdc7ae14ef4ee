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
