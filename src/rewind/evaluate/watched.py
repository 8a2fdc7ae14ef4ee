"""A video ready to be asked: its features on disk, its times, and what answers. From a file, or drawn from a world."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
import torch

import rewind
from rewind.answering import Engine
from rewind.errors import StoreError
from rewind.loaded import vision_encoder
from rewind.sampling import Dtype
from rewind.store import SAMPLES, Manifest, Recipe, StoredFeatures, locked
from rewind.store.shards import MANIFEST
from rewind.threads import one_thread
from rewind.timeline import Clock, Timeline
from rewind.values import Features, FrameCount, VideoInfo
from rewind.vision import VisionEncoder
from rewind.worlds import World

Progress = Callable[[int, "int | None"], None]
BATCH = 64  # pictures drawn before they are encoded


@dataclass(frozen=True)
class Watched:
    """One watched video. `start_s` is its first instant in its own time: annotations count from there.

    `handle` keeps a temporary store alive, where the features could not be kept.
    """

    engine: Engine
    stored: StoredFeatures
    timeline: Timeline
    info: VideoInfo
    degradations: tuple[str, ...]
    handle: rewind.Video | None = None

    @property
    def start_s(self) -> float:
        return self.info.start_s

    def until(self, until_s: float | None) -> Timeline:
        """The leading rows that lie before `until_s` (of the video's own time), at least one."""
        if until_s is None:
            return self.timeline
        return self.timeline[slice(0, max(1, self.timeline.rows_until(until_s)))]


def watch_file(
    path: Path, *, engine: Engine, model: str, store: Path | None, image_text: str | None = None, dtype: Dtype = "fp16",
    progress: Progress | None = None,
) -> Watched:  # fmt: skip
    """Open a file as a user does, watch it at one frame a second, and take its features from the store.

    Raises:
        VideoError: it cannot be read as a video. StoreError: neither disk nor memory takes the features.
    """
    video = rewind.open(path, model=model, image_text=image_text, store=store, dtype=dtype)
    report = video.watch(progress=progress)
    stored = video.stored
    return Watched(engine, stored, stored.timeline(), video.info, report.degradations, handle=video)


def draw_world(
    world: World, folder: Path, *, engine: Engine, dtype: Dtype = "fp16", progress: Progress | None = None
) -> Watched:
    """Draw a world's pictures, one a second, straight through the vision encoder into a store of its own.

    The pictures are those that the world's file shows at the same seconds, before H.264 takes its share. Stopped, it
    goes on behind the last whole shard.

    Args:
        folder: the store of this world alone, made where it is not there.
    """
    vision = vision_encoder(engine.model.config.vision)
    recipe = Recipe("1", "exact", dtype, vision.name, vision.weights_hash)
    clock = Clock(0, Fraction(1), Fraction(1))
    source = {"world": world.seed, "seconds": world.duration_s}
    with locked(folder), one_thread():
        manifest = Manifest.load(folder) if (folder / MANIFEST).is_file() else Manifest(source, recipe, clock)
        if manifest.source != source or manifest.recipe != recipe:
            raise StoreError(f"{folder} holds another world or another encoder's features", do="name another folder")
        stored = StoredFeatures(folder, manifest)
        while not stored.manifest.finished:
            first = stored.manifest.next_index
            stop = min(first + SAMPLES, world.duration_s)
            if first < stop:
                stored.add(_drawn(world, vision, clock, first, stop), first=first, stop=stop)
            if stop == world.duration_s:
                frames = FrameCount(stop, stop, 0)
                stored.finish(frames=frames, degradations=vision.degradations, read_s=0.0, encode_s=0.0)
            if progress:
                progress(stop, world.duration_s)
    size = (vision.input_size[1], vision.input_size[0])
    info = VideoInfo(
        f"world-{world.seed}", "drawn", "none", *size, 0, Fraction(1), 0, float(world.duration_s), 1.0,
        world.duration_s, None, False, True,
    )  # fmt: skip
    return Watched(engine, stored, stored.timeline(), info, stored.manifest.degradations)


def _drawn(world: World, vision: VisionEncoder, clock: Clock, first: int, stop: int) -> Features:
    parts = []
    for start in range(first, stop, BATCH):
        pictures = np.stack([world.frame(t) for t in range(start, min(start + BATCH, stop))])
        parts.append(vision.encode(torch.from_numpy(pictures)))
    deep, fine, posterior = (torch.cat([part[i] for part in parts]) for i in range(3))
    index = np.arange(first, stop, dtype=np.int64)
    return Features(Timeline(clock, index, index.copy()), deep, fine, posterior)
