"""Watch: decode, encode and store a video once.

Decoding runs in threads of its own beside encoding, which takes one: a team of encoding threads would spin on the
cores that decoding needs.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from rewind.outcome import count_frames
from rewind.sampling import Reading
from rewind.store import SAMPLES, StoredFeatures
from rewind.threads import one_thread
from rewind.timeline import Clock, Timeline
from rewind.values import Features, Frame, FrameCount, VideoInfo
from rewind.video import open_frames
from rewind.vision import VisionEncoder

BATCH = 8
Progress = Callable[[int, "int | None"], None]


@dataclass
class _Shard:
    """Samples of one shard on their way: each different picture is encoded once, in batches that never leave it.

    What is encoded goes into `room` (deep, fine, posterior), which the next shard takes over: blocks kept between the
    encoder's own would scatter its memory, and an hour would take more of it than a minute.
    """

    encoder: VisionEncoder
    clock: Clock
    first: int
    stop: int
    room: tuple[Tensor, ...] = ()

    def __post_init__(self) -> None:
        self.index: list[int] = []
        self.pts: list[int] = []
        self.picture: list[int] = []
        self.waiting: list[Frame] = []
        self.pictures = 0
        self.encode_s = 0.0
        self._last: object = None

    def add(self, frame: Frame) -> None:
        if frame.pixels is not self._last:
            self._last = frame.pixels
            self.pictures += 1
            self.waiting.append(frame)
            if len(self.waiting) == BATCH:
                self._encode()
        self.index.append(frame.index)
        self.pts.append(frame.pts)
        self.picture.append(self.pictures - 1)

    def features(self) -> Features:
        """They lie in `room`: to be stored before the next shard begins."""
        if self.waiting:
            self._encode()
        deep, fine, posterior = (part[: self.pictures] for part in self.room)
        rows = torch.tensor(self.picture)
        if len(rows) != self.pictures:
            deep, fine, posterior = deep[rows], fine[rows], posterior[rows]
        timeline = Timeline(self.clock, np.array(self.index, np.int64), np.array(self.pts, np.int64))
        return Features(timeline, deep, fine, posterior)

    def _encode(self) -> None:
        begun = time.perf_counter()
        pixels = torch.from_numpy(np.stack([frame.pixels for frame in self.waiting]))
        batch = self.encoder.encode(pixels)
        inner = {row: frame.active for row, frame in enumerate(self.waiting) if frame.active is not None}
        if inner:  # the classifier reads pictures without bars; memory sees the frame as it is, so that nothing jumps
            batch[2][list(inner)] = self.encoder.encode(torch.from_numpy(np.stack(list(inner.values()))))[2]
        if not self.room:
            self.room = tuple(part.new_empty(SAMPLES, *part.shape[1:]) for part in batch)
        for part, made in zip(self.room, batch, strict=True):
            part[self.pictures - len(made) : self.pictures] = made
        self.waiting.clear()
        self.encode_s += time.perf_counter() - begun


def watch_into(
    stored: StoredFeatures,
    source: str | Path,
    *,
    info: VideoInfo,
    encoder: VisionEncoder,
    reading: Reading,
    threads: int | None = None,
    total: int | None = None,
    part: range | None = None,
    progress: Progress | None = None,
) -> VideoInfo:
    """Read and encode what of a video is not stored yet, and close the store; it stays open where the operating system
    or a silent source ended the reading early, which the manifest's degradations then say.

    Stopped at any point, by an error too, what was stored stays and the next call goes on behind it: shards cover fixed
    samples and batches never straddle them, so that the features are the same to the bit however often it stopped.

    Args:
        total: how many frames to expect, for `progress`, which is called with (frames done, frames in all).
        part: read these samples alone, into features that hold none yet.

    Returns: what the source is, as its stream says: of a pipe nothing is known before.

    Raises:
        VideoError: the source gives no frame; StoreError: neither disk nor memory takes the features.
    """
    manifest = stored.manifest
    clock = manifest.clock
    begins, total = (manifest.next_index, total) if part is None else (part.start, len(part))
    encode_s = waited_s = 0.0
    shard: _Shard

    def close(*, rest: bool = False) -> None:
        nonlocal encode_s
        if not shard.index:
            return
        features, stop = shard.features(), min(shard.stop, shard.index[-1] + 1)
        encode_s += shard.encode_s
        stored.manifest = replace(
            stored.manifest,
            lost=manifest.lost + stream.losses(before=stop),
            read_s=manifest.read_s + waited_s,
            encode_s=manifest.encode_s + encode_s,
        )
        # Part of a shard is not for those who go on: they would batch the rest of it otherwise than one pass does.
        keep = stored.hold if rest and stop < shard.stop else stored.add
        keep(features, first=shard.first, stop=stop)

    with one_thread(), open_frames(
        source, fps=clock.fps, reading=reading, size=encoder.input_size, active=encoder.classes > 0,
        start_index=begins, threads=threads, info=None if info.live else info,
    ) as stream:  # fmt: skip
        if info.live:
            clock = stream.clock
            stored.manifest = replace(manifest, clock=clock)
        shard = _open_shard(encoder, clock, begins)
        done = manifest.rows
        frames = iter(stream)
        while True:
            begun = time.perf_counter()
            frame = next(frames, None)
            waited_s += time.perf_counter() - begun
            if frame is None or (part is not None and frame.index >= part.stop):
                break
            if frame.index >= shard.stop:
                close()
                shard = _open_shard(encoder, clock, frame.index, shard.room)
            shard.add(frame)
            done += 1
            if progress:
                progress(done, max(total, done) if total else None)
        report = stream.report()
        rest = report.stopped is not None
        close(rest=rest)
    losses = manifest.lost + report.losses
    if part is None:
        before = count_frames(clock, losses.gaps, stop=begins, rows=manifest.rows)
        skipped = before.skipped + report.frames.skipped
        frames_now = FrameCount(before.sampled + report.frames.sampled, before.read + report.frames.read, skipped)
    else:
        frames_now = FrameCount(len(part), len(stored), len(part) - len(stored))
    lost = [*losses.sentences(frames_now, clock.time_base), *encoder.degradations]
    lost += [why for why in (report.stopped, stored.trouble) if why]
    stored.finish(
        frames=frames_now,
        degradations=tuple(dict.fromkeys(lost)),
        read_s=manifest.read_s + waited_s,
        encode_s=manifest.encode_s + encode_s,
        end=report.end,
        rest=rest,
    )
    return stream.info


def _open_shard(encoder: VisionEncoder, clock: Clock, index: int, room: tuple[Tensor, ...] = ()) -> _Shard:
    first = index // SAMPLES * SAMPLES
    return _Shard(encoder, clock, max(first, index if index % SAMPLES else first), first + SAMPLES, room)
