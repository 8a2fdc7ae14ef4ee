"""Rows of many files: the same as one tensor's, whatever is asked for, and nothing of the files is copied before."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import psutil
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file

from rewind.train.rows import Rows


@given(st.lists(st.integers(0, 5), min_size=1, max_size=6), st.data())
def test_the_same_rows_as_of_one_tensor(lengths: list[int], data: st.DataObject) -> None:
    parts = [torch.randn(n, 2, 3) for n in lengths]
    whole, rows = torch.cat(parts), Rows(parts)
    assert len(rows) == len(whole)
    some = st.lists(st.integers(0, max(0, len(whole) - 1)), max_size=12 if len(whole) else 0)
    wanted = np.array(data.draw(some), dtype=np.int64)
    assert torch.equal(rows[wanted], whole[torch.from_numpy(wanted)])
    bound = st.none() | st.integers(-8, 30)
    part = slice(data.draw(bound), data.draw(bound))
    assert torch.equal(rows[part], whole[part])
    size = data.draw(st.integers(1, 7))
    batches = list(rows.batches(size))
    assert [len(batch) for batch in batches] == [len(batch) for batch in whole.split(size) if len(batch)]
    assert torch.equal(torch.cat([whole[:0], *batches]), whole)


@pytest.mark.parametrize("number", [-1, 5])
def test_a_row_that_is_not_there(number: int) -> None:
    with pytest.raises(IndexError, match=f"rows {min(number, 0)} to {max(number, 0)} of 5"):
        Rows([torch.zeros(2, 1), torch.zeros(3, 1)])[np.array([number, 0])]


def test_files_are_read_where_they_lie(tmp_path: Path) -> None:
    """Pages of a file that no row was asked of are not in memory."""
    for number in range(4):
        save_file({"deep": torch.full((4096, 2048), float(number))}, tmp_path / f"{number}.safetensors")  # 32 MB each
    before = psutil.Process().memory_info().rss
    rows = Rows([load_file(tmp_path / f"{number}.safetensors")["deep"] for number in range(4)])
    taken = rows[np.array([0, 5000, 16383])]
    assert taken[:, 0].tolist() == [0.0, 1.0, 3.0]
    assert psutil.Process().memory_info().rss - before < 32 << 20, "in all 128 MB"
