"""Only one process writes to a folder at a time: a lock that the operating system takes back from the dead."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from rewind.errors import StoreError

LOCK = "lock"
SAID_AFTER_S = 2.0
_AGAIN_S = 0.2
_LOOKED_S = 0.2
"""Whoever only looks (`is_locked`) has the lock for a moment; a writer is no other until that is over."""
_LOOKED_AGAIN_S = 0.02


class BusyError(StoreError):
    """Another process writes to the folder."""


@contextmanager
def locked(folder: Path, *, wait_s: float = 3600.0, waiting: Callable[[], None] | None = None) -> Iterator[None]:
    """Only one process writes to a store: a second one waits until the first is done or dead.

    What a killed process left half written is removed. `waiting` is called once, where it takes over `SAID_AFTER_S`.

    Raises: BusyError after `wait_s` seconds (0: once it is no mere look that keeps it out); OSError where the folder
        cannot be written to.
    """
    begun = time.monotonic()
    while (file := _try(folder)) is None:
        waited = time.monotonic() - begun
        if waiting is not None and waited >= SAID_AFTER_S:
            waiting()
            waiting = None
        if waited >= max(wait_s, _LOOKED_S):
            raise BusyError(f"{folder} is being written by another process", do="wait for it, or give --store DIR")
        time.sleep(_AGAIN_S if waited >= _LOOKED_S else _LOOKED_AGAIN_S)
    with file:
        for left in folder.glob("*.tmp"):
            left.unlink(missing_ok=True)
        yield


def is_locked(folder: Path) -> bool:
    """Whether a process writes to the folder now; False where that cannot be told."""
    try:
        with (folder / LOCK).open("r+") as file:
            return not _take(file, shared=True)
    except OSError:
        return False


def _try(folder: Path) -> IO[str] | None:
    """The folder's lock file, open and locked; None where another process has it."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / LOCK
    try:
        file = path.open("w")
    except FileNotFoundError:  # the folder was removed meanwhile
        return None
    try:
        # Who removes the folder holds its lock until the file is gone: a lock on a file that is gone keeps nobody out.
        if _take(file) and os.path.samestat(os.fstat(file.fileno()), path.stat()):
            return file
    except FileNotFoundError:
        pass
    except BaseException:
        file.close()
        raise
    file.close()
    return None


if sys.platform == "win32":

    def _take(file: IO[str], *, shared: bool = False) -> bool:  # noqa: ARG001  (there is no shared lock here)
        """Locks an open file until it is closed; False where it is locked already."""
        import msvcrt

        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except PermissionError:
            return False
        return True

else:

    def _take(file: IO[str], *, shared: bool = False) -> bool:
        """Locks an open file until it is closed; False where it is locked already. Those who lock it `shared` do not
        keep each other out."""
        import fcntl  # only where something is written: the package can be imported without

        try:
            fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
