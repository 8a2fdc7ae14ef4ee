"""One thread inside, as many as before after it, an error or not."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch

from rewind.threads import one_thread


@pytest.fixture(autouse=True)
def three_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    yield
    torch.set_num_threads(before)


def test_one_inside_and_as_before_after() -> None:
    with one_thread():
        assert torch.get_num_threads() == 1
        with one_thread():
            assert torch.get_num_threads() == 1
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == 3


def test_nothing_changes_where_it_is_not_wanted() -> None:
    with one_thread(when=False):
        assert torch.get_num_threads() == 3


def test_an_error_leaves_the_number_as_it_was() -> None:
    with pytest.raises(KeyError), one_thread():
        raise KeyError
    assert torch.get_num_threads() == 3
