"""What the threads of one reading have in common: a way to stop, a heartbeat, bounded queues, and the tally."""

from __future__ import annotations

import queue
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TypeVar

from rewind.video.source import Stopped

Item = TypeVar("Item")
_TICK_S = 0.1


@dataclass
class Tally:
    """What was lost or approximated on the way, in samples, pictures and ticks."""

    skipped: int = 0
    late: int = 0
    errors: int = 0
    early: int = 0
    earliest: int = 0
    gaps: list[tuple[int, int]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


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

    def put(self, q: queue.Queue[Item], item: Item) -> None:
        """Waits for room in `q`."""
        self.alive()
        while True:
            if self.stop.is_set():
                raise Stopped
            try:
                return q.put(item, timeout=_TICK_S)
            except queue.Full:
                continue

    def get(self, q: queue.Queue[Item]) -> Item:
        """Waits for an item."""
        while True:
            if self.stop.is_set():
                raise Stopped
            try:
                return q.get(timeout=_TICK_S)
            except queue.Empty:
                continue

    def note(self, text: str) -> None:
        """Adds a degradation once."""
        with self.lock:
            if text not in self.tally.notes:
                self.tally.notes.append(text)

    def clock_cpu(self) -> None:
        """Notes the CPU seconds of the calling thread so far."""
        with self.lock:
            self._cpu[threading.current_thread().name] = time.thread_time()  # type: ignore[assignment]

    @property
    def cpu_s(self) -> float:
        """CPU seconds of all reading threads."""
        with self.lock:
            return float(sum(self._cpu.values()))
