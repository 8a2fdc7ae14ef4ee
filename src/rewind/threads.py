"""How many threads torch may use: one where the work comes in small pieces."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def one_thread(*, when: bool = True) -> Iterator[None]:
    """One intra-op thread inside, as many as before after it; nothing at all unless `when`.

    A team of OpenMP threads meets after every operation and spins while it waits. For operations of microseconds that
    wait is most of the time, and where another thread or process has one of the cores it is nearly all of it
    (docs/performance.md has the numbers). One thread also gives results that do not depend on how many cores there are.
    """
    before = torch.get_num_threads()
    if when:
        torch.set_num_threads(1)
    try:
        yield
    finally:
        if when:
            torch.set_num_threads(before)
