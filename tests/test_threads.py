"""One thread inside, as many as before after it, an error or not."""

from __future__ import annotations

import threading
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


def test_threads_that_overlap_all_go_back_to_the_number_before() -> None:
    """The second enters while the first is inside and leaves after it."""
    entered, left, inside = threading.Event(), threading.Event(), threading.Event()
    after: dict[str, int] = {}

    def first() -> None:
        with one_thread():
            entered.set()
            inside.wait(10)
        after["first"] = torch.get_num_threads()
        left.set()

    def second() -> None:
        entered.wait(10)
        torch.get_num_threads()  # takes over the process's number, which is 1 now
        with one_thread():
            inside.set()
            left.wait(10)
            after["inside"] = torch.get_num_threads()
        after["second"] = torch.get_num_threads()

    def later() -> None:
        after["later"] = torch.get_num_threads()

    both = [threading.Thread(target=work) for work in (first, second)]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join(20)
    new = threading.Thread(target=later)
    new.start()
    new.join(20)
    assert after == {"first": 3, "inside": 1, "second": 3, "later": 3}
