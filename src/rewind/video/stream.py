"""Frames of a video as a stream: one thread reads packets, others decode, the caller takes samples in order."""

from __future__ import annotations

import os
import queue
import threading
import time
import weakref
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import TracebackType

from rewind.errors import ConfigError, VideoError
from rewind.values import READINGS, Clock, Frame, FrameCount, Reading, VideoInfo
from rewind.video.plan import Order, Plan
from rewind.video.produce import produce
from rewind.video.shared import Item, Shared
from rewind.video.source import ALLOWED, is_pipe, label
from rewind.video.timing import Run
from rewind.video.units import Pixels


@dataclass(frozen=True)
class ReadReport:
    """What a reading gave and what it gave up. `frames.sampled` = `read` + `skipped`; `decode_cpu_s`: CPU seconds of
    the reading threads (without FFmpeg's own threads, which only streams that cannot be cut apart use)."""

    frames: FrameCount
    degradations: tuple[str, ...]
    decode_cpu_s: float


def open_frames(
    source: str | Path,
    *,
    fps: Fraction = Fraction(1),
    reading: Reading = "exact",
    size: tuple[int, int] | None = (224, 224),
    start_index: int = 0,
    threads: int | None = None,
    stall_s: float = 30.0,
    info: VideoInfo | None = None,
) -> FrameStream:
    """Starts to read `source` in the background; iterate over the result inside a `with` block.

    Sample k is the picture on screen at start + k / fps: the one with the greatest PTS not after that instant, where
    start is the first picture's PTS. The last picture is on screen until its PTS plus its duration, and sampling ends
    there. Samples that show the same picture share one array.

    Args:
        fps: samples a second, exact.
        reading: "exact" shows every sample's own picture; "fast" leaves out non-reference pictures and the loop
            filter; "keyframes" decodes key frames only. What that gave up is measured and stands in the report.
        size: (height, width) in pixels, upright; None for the file's own.
        start_index: first sample to give; the samples from there on are those of a reading from 0.
        threads: decoding threads; the number of cores by default.
        stall_s: seconds without any progress after which the source is given up on.
        info: what `probe` said of the source, to save asking again.

    Raises:
        VideoError: the source cannot be read; ConfigError: an option has a value that is not allowed.
    """
    if fps <= 0:
        raise ConfigError(f"fps {fps}", allowed="a rate above 0", do="give --fps 1")
    if reading not in READINGS:
        raise ConfigError(f"reading {reading!r}", allowed=", ".join(READINGS))
    if start_index < 0:
        raise ConfigError(f"start index {start_index}", allowed="0 or more")
    if size is not None and (min(size) < 1 or max(size) > 16384):
        raise ConfigError(f"size {size}", allowed="(height, width) from 1 to 16384 pixels")
    if threads is not None and threads < 1:
        raise ConfigError(f"{threads} threads", allowed="1 or more")
    if stall_s <= 0:
        raise ConfigError(f"a stall limit of {stall_s} s", allowed="a number of seconds above 0")
    plan = Plan(
        source=source,
        fps=Fraction(fps),
        reading=reading,
        size=size,
        start_index=start_index,
        threads=min(threads or _cores(), 16),
        stall_s=stall_s,
        info=info,
    )
    return FrameStream(plan)


class FrameStream:
    """An iterator of `Frame` in order, and a context manager. Closing it, or leaving it, stops its threads."""

    def __init__(self, plan: Plan) -> None:
        self._name, self._stall_s = label(plan.source), plan.stall_s
        self._pipe = is_pipe(plan.source)
        self._shared, self._order = Shared(), Order()
        # The threads know the shared state, never this object: a stream that is dropped unclosed stops them too.
        thread = threading.Thread(target=produce, args=(plan, self._shared, self._order), name="reader", daemon=True)
        self._order.threads.append(thread)
        self._finalizer = weakref.finalize(self, _stop, self._shared, self._order)
        thread.start()
        self._samples = self._iterate(plan.start_index)
        self._read = 0
        self._failure: VideoError | None = None
        try:
            self.info = self._wait_ready()
        except BaseException:
            self.close()
            raise
        self.clock = Clock(self.info.start_pts, self.info.time_base, plan.fps)

    def __iter__(self) -> Iterator[Frame]:
        return self._samples

    def __next__(self) -> Frame:
        return next(self._samples)

    def __enter__(self) -> FrameStream:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Stops the threads and gives the file back; what was read so far stays in `report`."""
        self._finalizer()

    def report(self) -> ReadReport:
        """What was read so far and what was given up; complete once the iteration has ended."""
        tally = self._shared.tally
        with self._shared.lock:
            lost = [*tally.notes]
            seconds = float(self._order.info.time_base) if self._order.info else 0.0
            if tally.skipped:
                lost.append(f"{_count(tally.skipped, 'sample')} skipped: broken pictures")
            elif tally.errors:
                lost.append(f"{_count(tally.errors, 'broken packet')}, at times that no sample asks for")
            if tally.late:
                lost.append(f"{_count(tally.late, 'picture')} left out: times that do not rise")
            for begin, end in tally.gaps[:3]:
                lost.append(
                    f"no new picture from {begin * seconds:.1f} s to {end * seconds:.1f} s: sampled for its first hour"
                )
            if tally.early:
                lost.append(
                    f"{tally.early} of {self._read} samples show an earlier picture, by up to "
                    f"{tally.earliest * seconds:.3f} s"
                )
            frames = FrameCount(self._read + tally.skipped, self._read, tally.skipped)
        return ReadReport(frames, tuple(lost), self._shared.cpu_s)

    def _wait_ready(self) -> VideoInfo:
        while not self._order.ready.wait(0.1):
            self._check_stall(None)
        if self._order.info is None:
            raise self._order.error or VideoError(f"{self._name} was closed before it was opened")
        return self._order.info

    def _check_stall(self, unit_time: float | None) -> None:
        last = max(self._shared.beat, unit_time or 0.0)
        if time.monotonic() - last > self._stall_s + (1.0 if self._pipe else 0.0):
            raise VideoError(
                f"{self._name} gave nothing for {self._stall_s:g} s",
                allowed="a source that keeps on giving pictures",
                do="try again, or give the reader more time",
            )

    def _iterate(self, next_index: int) -> Iterator[Frame]:
        try:
            for run in self._runs():
                for k in range(max(run.first, next_index), run.stop):
                    next_index = k + 1
                    self._read += 1
                    yield Frame(k, run.pts, run.picture)
            error = self._order.error
        except VideoError as stalled:
            error = stalled
        finally:
            self.close()
        if error is not None:
            if self._read == 0:
                raise error
            self._shared.note(f"reading stopped early: {error.given}")
        elif self._read == 0 and next_index == 0:
            raise VideoError(
                f"{self._name}: no picture could be decoded (damaged)", allowed=ALLOWED, do="check the file"
            )

    def _runs(self) -> Iterator[Run[Pixels]]:
        """Units in order, and each one's runs in order; waits for either, as long as something is going on."""
        while (unit := self._take(self._order.units)) is not None:
            while (run := self._take(unit.out)) is not None:
                yield run

    def _take(self, q: queue.Queue[Item]) -> Item:
        begun = time.monotonic()
        while True:
            try:
                return q.get(timeout=0.1)
            except queue.Empty:
                self._check_stall(begun)


def _stop(shared: Shared, order: Order) -> None:
    shared.stop.set()
    deadline = time.monotonic() + 5.0
    for thread in list(order.threads):
        if thread is not threading.current_thread():
            thread.join(max(0.0, deadline - time.monotonic()))


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _cores() -> int:
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:
        return os.cpu_count() or 1
