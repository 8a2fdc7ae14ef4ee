"""Rows that are appended survive a stop at any byte."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rewind.errors import ConfigError
from rewind.evaluate.files import read_any, read_lines
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
    assert path.read_bytes() == data[:cut]
    ends = [i for i, byte in enumerate(data) if byte == ord("\n")]  # a row is whole without its line end
    assert list(ledger.rows.values()) == ROWS[: sum(end <= cut for end in ends)]
    for row in ROWS:
        if row["id"] not in ledger:
            ledger.add(row)
    assert path.read_bytes().rstrip(b"\n") == data.rstrip(b"\n")


@pytest.mark.parametrize("end", ["", "\n", "\r\n", "\n\n"])
def test_opening_changes_nothing_and_a_whole_last_row_counts(tmp_path: Path, end: str) -> None:
    path = tmp_path / "r.jsonl"
    path.write_bytes(('{"id": 1, "text": "ü\u2028"}\r\n{"id": 2}' + end).encode())
    before = path.read_bytes()
    ledger = Ledger(path)
    assert list(ledger.rows) == ["1", "2"]
    assert path.read_bytes() == before
    ledger.add({"id": 3})
    assert path.read_bytes().startswith(before)
    assert list(Ledger(path).rows) == ["1", "2", "3"]


@pytest.mark.parametrize("end", ["", "\n", "\n \n"])
def test_a_broken_last_row_is_cut_off_by_the_first_that_is_added(tmp_path: Path, end: str) -> None:
    path = tmp_path / "r.jsonl"
    path.write_text('{"id": 1}\n{"id": 2, "te' + end)
    before = path.read_bytes()
    ledger = Ledger(path)
    assert list(ledger.rows) == ["1"]
    assert path.read_bytes() == before
    ledger.add({"id": 3})
    assert path.read_text() == '{"id": 1}\n{"id": 3}\n'


def test_rows_are_one_line_to_every_reader(tmp_path: Path) -> None:
    path, row = tmp_path / "r.jsonl", {"id": "\ud83d", "text": "one\u2028two\u0085three"}
    Ledger(path).add(row)
    assert [json.loads(line) for line in path.read_text().splitlines()] == read_lines(path) == [row]
    assert Ledger(path).rows == {"\ud83d": row}


def test_the_last_row_of_a_name_counts(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "r.jsonl")
    ledger.add({"id": 7, "n": 1})
    ledger.add({"id": 7, "n": 2})
    assert Ledger(tmp_path / "r.jsonl").rows == {"7": {"id": 7, "n": 2}}


@pytest.mark.parametrize(
    "text",
    [
        '{]\n{"id": 1}\n',
        '3\n{"id": 1}\n',
        '{"x": 1}\n{"id": 1}\n',
        '{"x": 1}',
        "3",
        "[[1, 2]]",
        "a note",
        '{"id": 1}\nend',
    ],
)
def test_a_foreign_line_is_refused_and_the_file_left_alone(tmp_path: Path, text: str) -> None:
    path = tmp_path / "r.jsonl"
    path.write_text(text)
    with pytest.raises(ConfigError, match="allowed: one JSON object with 'id' a line"):
        Ledger(path)
    assert path.read_text() == text


def test_a_file_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file"):
        Ledger(tmp_path / "none" / "r.jsonl")


def test_one_prediction_alone_is_a_row_and_not_a_table(tmp_path: Path) -> None:
    path = tmp_path / "p.jsonl"
    path.write_text('{"id": "0", "prediction": [1, 2]}\n')
    assert read_any(path) == [{"id": "0", "prediction": [1, 2]}]
    path.write_text('{"0": [1, 2]}')
    assert read_any(path) == {"0": [1, 2]}
