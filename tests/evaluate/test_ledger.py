"""Rows that are appended survive a stop at any byte."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rewind.errors import ConfigError
from rewind.evaluate.files import read_any
from rewind.evaluate.ledger import Ledger

ROWS = [{"id": str(i), "text": "ü" * i, "n": i} for i in range(4)]


def write(path: Path) -> bytes:
    ledger = Ledger(path)
    for row in ROWS:
        ledger.add(row)
    return path.read_bytes()


@settings(deadline=None, max_examples=40)
@given(cut=st.integers(0, 200))
def test_a_file_cut_at_any_byte_goes_on_from_its_last_whole_row(
    tmp_path_factory: pytest.TempPathFactory, cut: int
) -> None:
    path = tmp_path_factory.mktemp("cut") / "rows.jsonl"
    data = write(path)
    path.write_bytes(data[:cut])
    ledger = Ledger(path)
    assert list(ledger.rows.values()) == ROWS[: data[:cut].count(b"\n")]
    for row in ROWS:
        if row["id"] not in ledger:
            ledger.add(row)
    assert path.read_bytes() == data


def test_the_last_row_of_a_name_counts(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "r.jsonl")
    ledger.add({"id": 7, "n": 1})
    ledger.add({"id": 7, "n": 2})
    assert Ledger(tmp_path / "r.jsonl").rows == {"7": {"id": 7, "n": 2}}


@pytest.mark.parametrize("bad", ["{]\n", "3\n", '{"x": 1}\n'])
def test_a_foreign_line_is_refused_and_the_file_left_alone(tmp_path: Path, bad: str) -> None:
    path = tmp_path / "r.jsonl"
    path.write_text(bad + '{"id": 1}\n')
    with pytest.raises(ConfigError, match="allowed: one JSON object with 'id' a line"):
        Ledger(path)
    assert path.read_text() == bad + '{"id": 1}\n'


def test_a_file_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file"):
        Ledger(tmp_path / "none" / "r.jsonl")


def test_one_prediction_alone_is_a_row_and_not_a_table(tmp_path: Path) -> None:
    path = tmp_path / "p.jsonl"
    path.write_text('{"id": "0", "prediction": [1, 2]}\n')
    assert read_any(path) == [{"id": "0", "prediction": [1, 2]}]
    path.write_text('{"0": [1, 2]}')
    assert read_any(path) == {"0": [1, 2]}
