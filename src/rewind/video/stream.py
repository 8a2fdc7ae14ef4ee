"""Frames of a video as a stream: one thread reads packets, others decode, the caller takes samples in order."""

from __future__ import annotations

import queue
import threading
import time
import weakref
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import TracebackType

from rewind.cores import cores
from rewind.errors import ConfigError, VideoError
from rewind.sampling import READINGS, Reading
from rewind.timeline import Clock
from rewind.values import Frame, FrameCount, VideoInfo
from rewind.video.decode import Pixels
from rewind.video.losses import Losses
from rewind.video.patience import TICK_S, Patience
from rewind.video.plan import Order, Plan
from rewind.video.produce import produce
from rewind.video.shared import Item, Shared
from rewind.video.source import ALLOWED, is_pipe, label
from rewind.video.timing import Grid, Run


@dataclass(frozen=True)
class ReadReport:
    """What a reading gave and what it gave up. `frames.sampled` = `read` + `skipped`; `degradations` says in sentences
    what `losses` counts; `decode_cpu_s`: CPU seconds of the reading threads (without FFmpeg's own threads, which only
    streams that cannot be cut apart use). `stopped` says what ended it before the source's end where another reading
    may get further: a stall, or an error of the operating system. `end`: where the last picture ends (PTS), where all
    was read and times are stored."""

    frames: FrameCount
    degradations: tuple[str, ...]
    decode_cpu_s: float
    losses: Losses
    stopped: str | None = None
    end: int | None = None


def open_frames(
    source: str | Path,
    *,
    fps: Fraction = Fraction(1),
    reading: Reading = "exact",
    size: tuple[int, int] | None = (224, 224),
    active: bool = False,
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
        active: give a frame that has black bars (letterbox, pillarbox) without them, too (`Frame.active`).
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
        active=active,
        start_index=start_index,
        threads=min(threads or cores(), 16),
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
        self._read = self._skipped = 0
        self._early = Losses()
        self._stopped: str | None = None
        try:
            self.info = self._wait_ready()
        except BaseException:
            self.close()
            raise
        self.clock = Clock(self.info.start_pts, self.info.time_base, plan.fps)
        self._grid = Grid.of(self.clock)

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
        losses = self.losses()
        frames = FrameCount(self._read + self._skipped, self._read, self._skipped)
        said = (*losses.sentences(frames, self.clock.time_base), *([self._stopped] if self._stopped else []))
        end = self._order.end if self._stopped is None else None
        known = end is not None and end > self.info.start_pts
        return ReadReport(frames, said, self._shared.cpu_s, losses, self._stopped, end if known else None)

    def losses(self, *, before: int | None = None) -> Losses:
        """What was lost so far, or ahead of sample `before`: a reading that begins there loses the rest. While the
        stream waits to be asked on, the sample given last is not counted yet."""
        tally = self._shared.tally
        with self._shared.lock:
            late, errors = (
                sum(count for at, count in kind.items() if before is None or at < before)
                for kind in (tally.late, tally.errors)
            )
            lost = Losses(late, errors, gaps=tuple(sorted(tally.gaps)), notes=tuple(tally.notes))
        return self._early + lost

    def _wait_ready(self) -> VideoInfo:
        patience = self._patience()
        while not self._order.ready.wait(TICK_S):
            self._check_stall(patience)
        if self._order.info is None:
            raise self._order.error or VideoError(f"{self._name} was closed before it was opened")
        return self._order.info

    def _patience(self) -> Patience:
        return Patience(self._stall_s + (1.0 if self._pipe else 0.0))

    def _check_stall(self, patience: Patience) -> None:
        if patience.ended(self._shared.beat):
            raise VideoError(
                f"{self._name} gave nothing for {self._stall_s:g} s",
                allowed="a source that keeps on giving pictures",
                do="try again, or give the reader more time",
            )

    def _iterate(self, next_index: int) -> Iterator[Frame]:
        begin, may_pass = next_index, True
        try:
            for run in self.runs():
                self._miss(next_index, run.first)
                for k in range(max(run.first, next_index), run.stop):
                    next_index = k + 1
                    self._read += 1
                    yield Frame(k, run.pts, run.picture, run.active)
                    if run.early_from is not None and k >= run.early_from:
                        self._early += Losses(early=1, earliest=run.early_by)
            error, may_pass = self._order.error, self._order.may_pass
            if error is None:
                self._miss(next_index, self._shared.tally.stop)
        except VideoError as stalled:
            error = stalled
        finally:
            self.close()
        if error is not None:
            if self._read == 0 and begin == 0:
                raise error
            if may_pass:
                self._stopped = f"reading stopped early: {error.given}"
            else:
                self._shared.note(f"reading stopped early: {error.given}")
        elif self._read == 0 and next_index == 0:
            raise VideoError(
                f"{self._name}: no picture could be decoded (damaged)", allowed=ALLOWED, do="check the file"
            )

    def _miss(self, begin: int, end: int) -> None:
        """Counts the samples [begin, end), which nothing shows, as skipped, whether or not a decoder said so; but for
        those of stretches without a picture that are too long to be sampled."""
        if begin >= end:
            return
        at = self._grid.first_at
        with self._shared.lock:
            left_out = [(at(b + self._grid.hold), at(e)) for b, e in self._shared.tally.gaps]
        lost = end - begin - sum(max(0, min(end, e) - max(begin, b)) for b, e in left_out)
        self._skipped += max(0, lost)

    def runs(self) -> Iterator[Run[Pixels]]:
        """In place of iterating: each picture once, with the samples that show it; the first may lie before those asked
        for. Waits as long as something is going on.

        Raises: VideoError where nothing is.
        """
        while (unit := self._take(self._order.units)) is not None:
            while (run := self._take(unit.out)) is not None:
                yield run

    def _take(self, q: queue.Queue[Item]) -> Item:
        patience = self._patience()
        while True:
            try:
                return q.get(timeout=TICK_S)
            except queue.Empty:
                self._check_stall(patience)


def _stop(shared: Shared, order: Order) -> None:
    shared.stop.set()
    deadline = time.monotonic() + 5.0
    for thread in list(order.threads):
        if thread is not threading.current_thread():
            thread.join(max(0.0, deadline - time.monotonic()))
