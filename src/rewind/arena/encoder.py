"""The one encoder that all recipes share, frozen: a trained model's neck, and what it knows of instructions.

This module alone knows how a model's neck, aim and detail are named and called; all others see projected patches
(…, P, D).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from rewind.config import ReWindConfig
from rewind.cores import cores
from rewind.errors import WeightsError
from rewind.folders import CONFIG, WEIGHTS, folder_of
from rewind.memory import Aim, MemoryState, Neck, PatchProjection
from rewind.model import ReWind
from rewind.train.bank import ProjectedBank, make_bank, project_bank
from rewind.train.loop import CHECKPOINT
from rewind.train.recipe import ALIGNED
from rewind.vision import VisionEncoder
from rewind.weights import state_sha256
from rewind.worlds.plan import plan_scene

LEARNED_BY_ALL = ("norm.", "look.", "value.", "think.", "facets.")
"""Parts of `Aim` that dense alignment trains. The others belong to the memory that reads them: each trains its own."""
Report = Callable[[str, int, int], None]
Pixels = np.ndarray[tuple[int, ...], np.dtype[np.uint8]]


@dataclass(frozen=True)
class Encoder:
    """`config` of the model it comes from, its `neck`, its `aim` (None where it has none), and a hash of both."""

    name: str
    config: ReWindConfig
    neck: nn.Module
    aim: Aim | None
    fingerprint: str

    def project(self, deep: Tensor, fine: Tensor) -> Tensor:
        """(…, P, C) and (…, Pf, Cf) → patches (…, P', D) that depend on no instruction."""
        return torch.as_tensor(self.neck(deep, fine))

    def fresh_aim(self) -> Aim | None:
        """A copy whose aligned parts are frozen and whose others start anew; None where the encoder has none."""
        if self.aim is None:
            return None
        aim = Aim(self.config)
        known = {k: v for k, v in self.aim.state_dict().items() if k.startswith(LEARNED_BY_ALL)}
        aim.load_state_dict(known, strict=False)
        for name, parameter in aim.named_parameters():
            parameter.requires_grad_(not name.startswith(LEARNED_BY_ALL))
        return aim


def marked(aim: Aim | None, patches: Tensor, slots: Tensor | None) -> Tensor:
    """Patches (B, k, P, D) marked where they fit the instruction's `slots`; as they are without an aim."""
    if aim is None or slots is None:
        return patches
    return aim.mark_patches(patches, slots)[0]


def key_frame_detail(model: ReWind, patches: Tensor, asked: MemoryState) -> Tensor:
    """Detail (B, k, m, D) of key frames' patches (B, k, P, D) under the instruction of `asked`."""
    return model.look(patches, asked)


def encoder_file(name: str) -> Path | None:
    """What tells an encoder of that name: a model's config, or a training run's checkpoint; None where there is
    neither. Of a run's models the one before any stage on videos, where the run kept it."""
    folder = folder_of(name)
    files = (folder / ALIGNED / CONFIG, folder / "model" / CONFIG, folder / CONFIG, folder / CHECKPOINT)
    return next((file for file in files if file.is_file()), None)


def load_encoder(name: str) -> Encoder:
    """The encoder of a bundled model ("nano"), of a model's folder, or of a training run's folder.

    Nothing but its neck and its aim are taken: of a run as they stood before any stage on videos, where it kept them
    so. Later stages move `aim` along with ReWind's memory, which would favour that.

    Raises: WeightsError where there is no such model, or its weights do not fit.
    """
    file = encoder_file(name)
    if file is None:
        raise WeightsError(
            f"encoder {name!r}", allowed="a bundled model, a model's folder or a training run's folder",
            do="see: rewind models list",
        )  # fmt: skip
    try:
        if file.name == CONFIG:
            config, state = ReWindConfig.load(file), load_file(file.with_name(WEIGHTS))
        else:
            record = json.loads(file.with_name("record.json").read_text(encoding="utf-8"))
            saved = torch.load(file, weights_only=True, map_location="cpu")["modules"]
            state = {k.removeprefix("0."): v for k, v in saved.items() if k.startswith("0.")}
            config = ReWindConfig.of_size(str(record["size"]), **record.get("changes", {}))
        return encoder_of(name, config, state)
    except WeightsError:
        raise
    except Exception as error:  # safetensors and torch each raise their own for a damaged or foreign file
        raise WeightsError(f"encoder {name!r}: {error}", allowed="weights of this version") from error


def encoder_of(name: str, config: ReWindConfig, state: Mapping[str, Tensor]) -> Encoder:
    """The encoder out of a whole model's `state`."""
    parts = {p: {k.removeprefix(f"{p}."): v.float() for k, v in state.items() if k.startswith(f"{p}.")} for p in _PARTS}
    # What a run was trained without is not in its state, whatever its size has today.
    config = replace(config, aim=bool(parts["aim"]), patch_place="middle.weight" in parts["patches"])
    neck = Neck(config) if config.perceives == "neck" else PatchProjection(config)
    neck.load_state_dict(parts["patches"])
    aim = Aim(config) if config.aim else None
    if aim is not None:
        parts["aim"] = {k: v for k, v in parts["aim"].items() if k.startswith(LEARNED_BY_ALL)}
        lost = aim.load_state_dict(parts["aim"], strict=False).missing_keys
        if any(name.startswith(LEARNED_BY_ALL) for name in lost):
            raise WeightsError(f"encoder {name!r} without all of its aim", allowed="weights of this version")
        aim.eval().requires_grad_(False)
    taken = {f"{part}.{k}": v for part, values in parts.items() for k, v in values.items()}
    return Encoder(name, config, neck.eval().requires_grad_(False), aim, state_sha256(taken))


_PARTS = ("patches", "aim")


def projected_bank(
    encoder: Encoder, folder: Path, *, kept: Path, seed: int, scenes: int, vision: VisionEncoder,
    pictures: Sequence[Pixels] = (), device: torch.device | str = "cpu", report: Report | None = None,
) -> ProjectedBank:  # fmt: skip
    """The patches of `scenes` scenes from `seed` on, made once: features in `folder`, patches in `kept`."""
    name = f"patches-{encoder.fingerprint[:12]}-{vision.weights_hash[:12]}-{seed}-{scenes}-{len(pictures)}.safetensors"
    path = kept / name
    if not path.is_file():
        bank = make_bank(
            folder, seed=seed, scenes=scenes, encoder=vision, pictures=pictures, processes=cores(),
            progress=lambda done, total: report("scenes", done, total) if report else None,
        )  # fmt: skip
        encoder.neck.to(device)
        made = project_bank(bank, encoder.project, device=device)
        kept.mkdir(parents=True, exist_ok=True)
        temporary = path.with_suffix(".tmp")
        save_file({"patches": made.patches}, temporary)
        temporary.replace(path)
        return made
    truths = tuple(plan_scene(seed + i, 0) for i in range(scenes))
    lengths = np.array([t.duration_s for t in truths])
    return ProjectedBank(truths, np.concatenate([[0], np.cumsum(lengths)[:-1]]), load_file(path)["patches"])


def part_of(bank: ProjectedBank, first: int, last: int) -> ProjectedBank:
    """Scenes first … last − 1 of a bank, as a bank of their own that shares its patches."""
    scenes = bank.scenes[first:last]
    start = int(bank.first[first])
    end = int(bank.first[last - 1]) + scenes[-1].duration_s
    return ProjectedBank(scenes, bank.first[first:last] - start, bank.patches[start:end])
