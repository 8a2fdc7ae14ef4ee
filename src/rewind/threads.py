"""How many threads torch may use: one where the work comes in small pieces."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import torch


class _Team:
    """How many threads torch has outside, and who is inside, by thread: how many blocks deep.

    torch's number is the process's and each thread's at once. What a thread finds while another is inside may be that
    one's 1: all go back to the number that the first one found.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside: Counter[int] = Counter()
        self._outside = 1

    def enter(self, thread: int) -> None:
        with self._lock:
            if not self._inside:
                self._outside = torch.get_num_threads()
            self._inside[thread] += 1
            torch.set_num_threads(1)

    def leave(self, thread: int) -> None:
        with self._lock:
            self._inside[thread] -= 1
            if not self._inside[thread]:
                del self._inside[thread]
                torch.set_num_threads(self._outside)


_TEAM = _Team()


@contextmanager
def one_thread(*, when: bool = True) -> Iterator[None]:
    """One intra-op thread inside, as many as before after it, also where threads overlap; nothing at all unless `when`.

    A team of OpenMP threads meets after every operation and spins while it waits. For operations of microseconds that
    wait is most of the time, and where another thread or process has one of the cores it is nearly all of it
    (docs/performance.md has the numbers). One thread also gives results that do not depend on how many cores there are.
    """
    if not when:
        yield
        return
    thread = threading.get_ident()
    _TEAM.enter(thread)
    try:
        yield
    finally:
        _TEAM.leave(thread)
