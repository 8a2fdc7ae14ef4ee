"""Processes that make a bank's shards side by side: two of one thread each are twice as fast as one of two threads."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from pathlib import Path
from types import TracebackType

import torch
from safetensors.torch import save

from rewind.store import replace_file
from rewind.train.shards import Pixels, encode
from rewind.vision import VisionEncoder
from rewind.worlds.truth import SceneTruth


class Makers:
    """Makes shards, up to `processes` at a time; here, one after another, where that is 1.

    Processes are started with the first shard: where a bank is there already, none is.
    """

    def __init__(self, encoder: VisionEncoder, pictures: Sequence[Pixels], *, processes: int = 1) -> None:
        self._kit = (encoder, tuple(pictures))
        self._processes = processes
        self._pool: ProcessPoolExecutor | None = None
        self._busy: set[Future[None]] = set()

    @property
    def busy(self) -> int:
        """Shards that are not done yet."""
        return len(self._busy)

    def make(self, path: Path, truths: Sequence[SceneTruth], start: int) -> None:
        """The shard of scenes `truths`, of which the first has number `start`: done, or begun as soon as one is free.

        Raises: what made an earlier shard fail.
        """
        if self._processes == 1:
            _make(self._kit, path, truths, start)
            return
        if self._pool is None:
            # Forked, a process would inherit the threads' locks, not the threads.
            self._pool = ProcessPoolExecutor(
                self._processes, multiprocessing.get_context("spawn"), initializer=_begin, initargs=self._kit
            )
        self._busy.add(self._pool.submit(_make_here, path, truths, start))
        self._await(below=self._processes)

    def finish(self) -> None:
        """Wait for all that were begun."""
        self._await(below=1)

    def _await(self, *, below: int) -> None:
        while len(self._busy) >= below:
            done, self._busy = wait(self._busy, return_when=FIRST_COMPLETED)
            for one in done:
                one.result()

    def __enter__(self) -> Makers:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)


_Kit = tuple[VisionEncoder, tuple[Pixels, ...]]
_HERE: list[_Kit] = []
"""What a process that makes shards was started with."""


def _begin(encoder: VisionEncoder, pictures: tuple[Pixels, ...]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # what is begun is finished and kept; the first process stops
    threading.Thread(target=_leave_with_parent, daemon=True).start()
    torch.set_num_threads(1)
    _HERE.append((encoder, pictures))


def _leave_with_parent() -> None:
    """Of a first process that was killed the others hear nothing: they would wait for work for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _make_here(path: Path, truths: Sequence[SceneTruth], start: int) -> None:
    _make(_HERE[0], path, truths, start)


def _make(kit: _Kit, path: Path, truths: Sequence[SceneTruth], start: int) -> None:
    deep, fine = encode(truths, *kit, start)
    replace_file(path, save({"deep": deep, "fine": fine}))
