"""Which words go with which motions: taught on the paths of a bank's things, without their pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from rewind.config import SLOTS
from rewind.memory.trail import MOVING, Trail, trails
from rewind.train.aims import Aimed
from rewind.train.dense import NOTHING
from rewind.worlds.backgrounds import FRAME_PX
from rewind.worlds.looks import MOTIONS
from rewind.worlds.truth import SceneTruth

_EACH = 10
"""Paths of each motion a step."""
_NOISE = 0.012  # places are read off patches to 1.3 px of 224, which is 2 wide
_SURE = 0.98
_CUT, _LONE = 0.2, 0.05
"""Shares of paths whose beginning is not seen, of those whose end is not, and of those of which neither is: things come
and go, and clips end."""


@dataclass(frozen=True)
class Moves:
    """Three seconds of many things: where their middles are (n, 3, 2), −1 to 1, and which of MOTIONS it is (n,)."""

    places: npt.NDArray[np.float32]
    motion: npt.NDArray[np.int64]


def moves_of(scenes: Sequence[SceneTruth]) -> Moves:
    places, motion = [], []
    for scene in scenes:
        for thing in scene.appearances:
            for second in range(thing.start_s + 1, thing.end_s - 1, 2):
                places.append([thing.centre(second + step) for step in (-1, 0, 1)])
                motion.append(MOTIONS.index(thing.motion))
    return Moves((np.array(places) * 2 / FRAME_PX - 1).astype(np.float32), np.array(motion))


def moves_loss(trail: Trail, slots: Tensor, aims: Sequence[Aimed], moves: Moves, rng: np.random.Generator) -> Tensor:
    """Binary cross-entropy of motions against instructions `aims` with their `slots` (n, SLOTS, … + MOVING).

    How a thing moves takes several frames to see, and those of a short video that the rest of a phrase fits are seldom
    of more than one thing: after 900 steps on videos no word for a motion had been told from another.
    """
    drawn = np.concatenate([rng.choice(np.flatnonzero(moves.motion == m), _EACH) for m in range(len(MOTIONS))])
    noisy = moves.places[drawn] + rng.normal(0, _NOISE, moves.places[drawn].shape)
    place = torch.from_numpy(noisy).float().to(slots.device)[:, :, None]
    there = np.full(place.shape[:3], _SURE, dtype=np.float32)
    cut = rng.random(len(there))
    there[cut < _CUT, 0] = 0
    there[(cut > _CUT - _LONE) & (cut < 2 * _CUT - _LONE), 2] = 0
    sure = torch.from_numpy(there).to(place.device)[..., None].expand(*there.shape, SLOTS)
    ways = trails(place, sure)[0][:, 1, 0]
    fit = trail.fit(ways[None, :, None], slots[..., -MOVING:].to(ways.dtype))
    named = torch.tensor([one.motions for one in aims], device=fit.device)[:, None]
    about = torch.tensor(np.stack([(one.wanted != NOTHING).any(-1) for one in aims]), device=fit.device)[:, None]
    shown = torch.from_numpy(moves.motion[drawn]).to(fit.device)[:, None]
    right = ((named < 0) | (named == shown)) & about
    wrong = (named >= 0) & (named != shown)
    each = functional.binary_cross_entropy_with_logits(fit.float(), right.float(), reduction="none")
    parts = [each[of].mean() for of in (right & (named >= 0), wrong, right & (named < 0)) if of.any()]
    return torch.stack(parts).mean() if parts else fit.sum() * 0
