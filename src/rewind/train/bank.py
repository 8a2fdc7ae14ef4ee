"""The scene bank: frozen features of many scenes, made once, so that endless videos can be composed of them.

The encoder sees one frame at a time, so the features of a composed video are those of its scenes, one after another.
Scenes go through a real H.264 file and the real reader, at the one frame a second that training samples.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from safetensors.torch import load_file

from rewind.errors import ConfigError
from rewind.evaluate.files import read_json, shaped
from rewind.store import replace_file
from rewind.train.alike import Alike
from rewind.train.makers import Makers
from rewind.train.rows import Rows
from rewind.train.shards import Pixels, holds
from rewind.vision import VisionEncoder
from rewind.worlds.arrange import Pool
from rewind.worlds.cards import Planner
from rewind.worlds.plan import plan_scene
from rewind.worlds.splits import require_training_seed, split_of
from rewind.worlds.truth import SceneTruth

SHARD = 64
_MARK = "bank.json"
_ALLOWED = "the mark of a scene bank"
_ONCE = {"cards": "cards", "validation": "bank-validation"}
"""Folders beside a bank, whatever its name, that training made before they had its name."""


class OutOfTime(Exception):
    """The time that was given ran out; what was made until then is kept."""


@dataclass(frozen=True)
class Bank:
    """Features of many scenes: `deep` (N, P, C), `fine` (N, Pf, Cf) fp16, scene i in rows first[i] … + duration."""

    scenes: tuple[SceneTruth, ...]
    first: npt.NDArray[np.int64]
    deep: Rows
    fine: Rows


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
        for deep, fine in zip(bank.deep.batches(batch), bank.fine.batches(batch), strict=True)
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
    processes: int = 1,
    stop_at: float | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Bank:
    """Build what of the bank is not there yet, shard by shard, and load it.

    Args:
        folder: where shards go; one that is there is kept, so that building resumes. Banks of several sizes may share a
            folder: a shard that is too short is made anew, and of one that is too long the first scenes are taken.
        seed: scene i is scene 0 of world seed + i; all must be of one split.
        pictures: real pictures (224, 224, 3) for every fourth scene's background, so that what is learned does not
            hang on painted ones.
        plan: what a scene holds: `plan_scene`, or `plan_card` for a bank of single pictures.
        processes: how many make shards side by side, one thread each; with 1, this one alone, with all its threads.
        stop_at: `time.monotonic()` after which no shard is begun but the first that is missing, so that calls get on.

    Raises: ConfigError where the folder holds other scenes, or a file that is no shard of these; OutOfTime.
    """
    if split_of(seed) != split_of(seed + scenes - 1):
        raise ValueError(f"scenes {seed}–{seed + scenes - 1} lie in two splits")
    folder.mkdir(parents=True, exist_ok=True)
    record, mark = _record(seed, encoder, pictures, plan), folder / _MARK
    if mark.is_file():
        kept = _kept(mark)
        differ = [name for name in {**record, **kept} if kept.get(name) != record.get(name)]
        if differ:
            raise ConfigError(
                f"{folder} holds the bank of another seed or encoder ({', '.join(differ)} differ)",
                allowed=f"one of seed {seed}", do="name another folder",
            )  # fmt: skip
    else:
        replace_file(mark, json.dumps(record).encode())
    truths: list[SceneTruth] = []
    shards = []
    with Makers(encoder, pictures, processes=processes) as makers:
        for start in range(0, scenes, SHARD):
            path = folder / f"{start:06d}.safetensors"
            wanted = [plan(seed + i, 0) for i in range(start, min(start + SHARD, scenes))]
            truths += wanted
            more = (plan(seed + i, 0) for i in range(start + len(wanted), start + SHARD))
            there = holds(path, wanted, more)
            if not there:
                makers.make(path, wanted, start)
            shards.append(path)
            if progress:
                progress(max(0, start + len(wanted) - SHARD * makers.busy), scenes)
            if not there and stop_at is not None and time.monotonic() > stop_at:
                makers.finish()
                raise OutOfTime
        if makers.busy:
            makers.finish()
            if progress:
                progress(scenes, scenes)
    first = np.cumsum([0, *(t.duration_s for t in truths)])
    return Bank(tuple(truths), first[:-1], *_load(shards, int(first[-1])))


def beside(
    bank: Path, name: str, *, seed: int, encoder: VisionEncoder, pictures: Sequence[Pixels] = (),
    plan: Planner = plan_scene,
) -> Path:  # fmt: skip
    """The folder of the scenes called `name` (cards, validation, test) that go with `bank`: next to it, by its name.

    A folder that training made of these very scenes before it named them so still serves.
    """
    folder = bank.with_name(f"{bank.name}-{name}")
    once = bank.with_name(_ONCE.get(name, folder.name)) / _MARK
    if (folder / _MARK).is_file() or not once.is_file():
        return folder
    return once.parent if _kept(once) == _record(seed, encoder, pictures, plan) else folder


def seed_of(folder: Path, *, otherwise: int) -> int:
    """The seed of the scenes that a bank's folder holds; `otherwise` where it holds none yet.

    Raises: TestSeedError for a bank of held-out scenes.
    """
    mark = folder / _MARK
    if not mark.is_file():
        return otherwise
    with shaped(mark, allowed=_ALLOWED):
        return require_training_seed(int(_kept(mark)["seed"]))


def _kept(mark: Path) -> dict[str, Any]:
    kept = read_json(mark)
    if not isinstance(kept, dict):
        raise ConfigError(f"{mark}: of another form", allowed=_ALLOWED)
    return kept


def _record(seed: int, encoder: VisionEncoder, pictures: Sequence[Pixels], plan: Planner) -> dict[str, object]:
    """What the features of a bank's scenes depend on, for its mark."""
    record: dict[str, object] = {"seed": seed, "encoder": encoder.weights_hash, "pictures": len(pictures)}
    return record if plan is plan_scene else {**record, "plan": getattr(plan, "__name__", str(plan))}


def _load(shards: Sequence[Path], frames: int) -> tuple[Rows, Rows]:
    """The shards where they lie, cut at `frames` in all."""
    deep, fine, left = [], [], frames
    for path in shards:
        shard = load_file(path)
        deep.append(shard["deep"][:left])
        fine.append(shard["fine"][:left])
        left -= len(deep[-1])
    return Rows(deep), Rows(fine)
