"""How many cores there are for work."""

from __future__ import annotations

import os


def cores() -> int:
    """How many cores this process may run on, which can be fewer than the machine has."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on every system
        return os.cpu_count() or 1
