"""Memory that is freed and wanted again a moment later, kept by the process in between."""

from __future__ import annotations

import ctypes
import sys

# Of malloc.h: how much is asked for beyond what is needed, what is free at the end before it is given back, and how
# many allocations may be mappings of their own.
_TOP_PAD, _TRIM_THRESHOLD, _MMAP_MAX = -2, -1, -4
_KEPT = ((_TOP_PAD, 64 << 20), (_TRIM_THRESHOLD, 2**31 - 1), (_MMAP_MAX, 0))


def keep_freed_memory() -> bool:
    """Have this process keep the memory it frees, for work that allocates the same large blocks again and again.

    glibc maps a block of 32 MB or more for itself and unmaps it when it is freed: a training step then touches
    thousands of fresh pages, each zeroed by the kernel, and up to a third of its time goes there (LOG.md). The price
    is a larger process, which is why programs choose it and the library does not.

    Returns: False where the C library has no such switch (musl, macOS, Windows); nothing is changed there.
    """
    if sys.platform != "linux":
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return False
    return all(mallopt(option, value) == 1 for option, value in _KEPT)
