"""One reading: what was asked for, and what the reading thread tells of it."""

from __future__ import annotations

import queue
import threading
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

from rewind.errors import VideoError
from rewind.sampling import Reading
from rewind.values import VideoInfo
from rewind.video.units import Unit


@dataclass(frozen=True)
class Plan:
    """The options of one reading, checked."""

    source: str | Path
    fps: Fraction
    reading: Reading
    size: tuple[int, int] | None
    active: bool
    start_index: int
    threads: int
    stall_s: float
    info: VideoInfo | None


@dataclass(eq=False)
class Order:
    """What the reading thread tells the caller: what the source is, the units in order (None: the end), the error
    that ended it early and whether that `may_pass`, where the pictures `end` (PTS) once all packets are read, and which
    threads to wait for."""

    units: queue.Queue[Unit | None] = field(default_factory=lambda: queue.Queue(18))
    ready: threading.Event = field(default_factory=threading.Event)
    info: VideoInfo | None = None
    error: VideoError | None = None
    may_pass: bool = False
    end: int | None = None
    threads: list[threading.Thread] = field(default_factory=list)
