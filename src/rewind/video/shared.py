"""What the threads of one reading have in common: a way to stop, a heartbeat, bounded queues, and the tally."""

from __future__ import annotations

import queue
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar

from rewind.video.decode import Decoder
from rewind.video.patience import TICK_S
from rewind.video.source import Stopped
from rewind.video.timing import Sampler

Item = TypeVar("Item")


@dataclass
class Tally:
    """What was lost on the way. `late` pictures and broken packets (`errors`) are counted by the sample that was next
    when they came, so that what precedes a sample can be told apart; `stop` is where the samples end that the units
    done so far stand for."""

    late: Counter[int] = field(default_factory=Counter)
    errors: Counter[int] = field(default_factory=Counter)
    gaps: set[tuple[int, int]] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)
    stop: int = 0


class Shared:
    """One for each stream. Every wait of every thread ends within a tenth of a second of `stop`."""

    def __init__(self) -> None:
        self.stop = threading.Event()
        self.lock = threading.Lock()
        self.tally = Tally()
        self.beat = time.monotonic()
        self._cpu: Counter[str] = Counter()

    def alive(self) -> None:
        """Says that the reading has got on; raises `Stopped` when nobody wants more."""
        self.beat = time.monotonic()
        if self.stop.is_set():
            raise Stopped

    def guarded(self, items: Iterator[Item]) -> Iterator[Item]:
        """The same items, with a sign of life for each."""
        for item in items:
            self.alive()
            yield item

    def put(self, q: queue.Queue[Item], item: Item) -> None:
        """Waits for room in `q`."""
        self.alive()
        while True:
            if self.stop.is_set():
                raise Stopped
            try:
                return q.put(item, timeout=TICK_S)
            except queue.Full:
                continue

    def get(self, q: queue.Queue[Item]) -> Item:
        """Waits for an item."""
        while True:
            if self.stop.is_set():
                raise Stopped
            try:
                return q.get(timeout=TICK_S)
            except queue.Empty:
                continue

    def note(self, text: str) -> None:
        """Adds a degradation once."""
        with self.lock:
            if text not in self.tally.notes:
                self.tally.notes.append(text)

    def lose(self, sampler: Sampler[Any], decoder: Decoder, at: int) -> None:
        """Takes over what sampler and decoder lost while sample `at` was next. What came before the first sample that
        is asked for belongs to the reading that gave those samples."""
        if sampler.late or decoder.errors or sampler.gaps:
            with self.lock:
                if at >= sampler.floor:
                    self.tally.late[at] += sampler.late
                    self.tally.errors[at] += decoder.errors
                self.tally.gaps.update(sampler.gaps)
            sampler.late = decoder.errors = 0
            sampler.gaps.clear()

    def reach(self, stop: int) -> None:
        """Says that a unit is done which stands for the samples up to `stop` (exclusive)."""
        with self.lock:
            self.tally.stop = max(self.tally.stop, stop)

    def clock_cpu(self) -> None:
        """Notes the CPU seconds of the calling thread so far."""
        with self.lock:
            self._cpu[threading.current_thread().name] = time.thread_time()  # type: ignore[assignment]

    @property
    def cpu_s(self) -> float:
        """CPU seconds of all reading threads."""
        with self.lock:
            return float(sum(self._cpu.values()))
