"""Trail: how the things that an instruction names move from frame to frame, and what was there before ([us])."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from rewind.config import SLOTS

_SCALE = 8.0
"""A clip's frame is 2 wide: things move .04 to .11 a second."""
_NEAR = 0.2
"""Distance at which something counts half as being at the same place."""
_SAME = 0.1
"""Distance between middles at which two patches count half as showing one thing."""
_STILL = 0.02
"""Distance at which something counts half as not having moved; places are right to .013."""

_LOST, _ALONE = 1e-4, 1e-2
"""How surely something counts as followed where it is not; how much a frame counts that nothing is followed from."""

_WAYS = 6
"""Right, down, left, up, still, there: of each slot, either way in time."""
_MOVING = 32
MOVING = _MOVING + 1
_ANY_WAY = 6.0
"""Logit of a motion that fits before anything is learnt: as sure as looks ever are, so that these alone decide."""


@dataclass(frozen=True)
class Followed:
    """The last frame of a clip, as the next one needs it: `place` (B, P, 2), `fit` (B, P, SLOTS), 0 to 1, and `sums`
    (B, SLOTS, 2), over what is followed up to it, of motion's fits and of their weights."""

    place: Tensor
    fit: Tensor
    sums: Tensor

    def row(self, row: int) -> Followed:
        """That of one instruction alone."""
        one = slice(row, row + 1)
        return Followed(self.place[one], self.fit[one], self.sums[one])


@dataclass(frozen=True)
class Trailed:
    """`told` (B, F, D): what each frame tells of motion and of things that give way. `fit` (B, F, SLOTS): logits, how
    well the motion of a slot's thing fits the words. `taken` (B, F, P, SLOTS), 0 to 1: how much each patch is where
    *another* slot's thing was a frame before or is a frame after. `last`: for the next clip."""

    told: Tensor
    fit: Tensor
    taken: Tensor
    last: Followed


class Trail(nn.Module):
    """Fits of patches and their places → what each frame tells of motion and of things that give way to one another.

    One frame shows neither how a thing moves nor that its colour changed: both are differences between the places of
    patches of two frames, and products of two fits, which a layer that sees frames side by side does not learn from
    examples. A frame may show several things that fit: each patch is followed by itself, and the best of them tell.
    How a slot's thing moves is matched against the words, as what it looks like is: left to a product of the whole
    frame's memory with the whole instruction, motions were not told apart after thousands of questions on them.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.ways = nn.Linear(2 * _WAYS, _MOVING)
        self.asked = nn.Linear(2 * width, MOVING)
        nn.init.constant_(self.asked.bias[-1:], _ANY_WAY)
        self.inner = nn.Linear(2 * (_WAYS * SLOTS + SLOTS * (SLOTS - 1)), 64)
        self.outer = nn.Linear(64, width)
        self.follow = nn.Linear(width, SLOTS)
        for layer in (self.outer, self.follow):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, place: Tensor, logits: Tensor, asked: Tensor, before: Followed | None = None) -> Trailed:
        """place (B, F, P, 2), logits of fit (B, F, P, SLOTS), asked (B, SLOTS, MOVING): `asked` of thoughts; `before`:
        what the clip before this one handed on."""
        fits = torch.sigmoid(logits.float())
        places = place.float().expand(len(fits), -1, -1, -1)
        if before is None:  # nothing fits there
            before = Followed(places[:, 0], torch.zeros_like(fits[:, 0]), fits.new_zeros(len(fits), SLOTS, 2))
        with torch.autocast(place.device.type, enabled=False):  # differences of places need their digits
            found = trails(
                torch.cat([before.place[:, None], places], dim=1), torch.cat([before.fit[:, None], fits], dim=1)
            )
            ways, crossing, taken = (of[:, 1:] for of in found)
        features = torch.cat([ways.flatten(2), crossing], dim=-1)
        told = self.outer(functional.gelu(self.inner(features.to(asked.dtype)), approximate="tanh"))
        fit, sums = along(self.fit(ways, asked).float(), ways, before.sums)
        return Trailed(told, fit, taken, Followed(places[:, -1], fits[:, -1].detach(), sums))

    def fit(self, ways: Tensor, asked: Tensor) -> Tensor:
        """`ways` of trails (B, F, SLOTS, 2 · WAYS), or (1, F, 1, …) for all alike, asked (B, SLOTS, MOVING) → how well
        the motion fits the words (B, F, SLOTS)."""
        moves = functional.gelu(self.ways(ways.to(asked.dtype)), approximate="tanh")
        return torch.einsum("bfkm,bkm->bfk", moves, asked[..., :-1]) + asked[:, None, :, -1]


def along(fit: Tensor, ways: Tensor, before: Tensor) -> tuple[Tensor, Tensor]:
    """Fits of motions (B, F, SLOTS), of which the clips before hand on sums `before` (B, SLOTS, 2) → fits of the whole
    stretch that a thing is followed on, up to the clip's end, and sums for the next clip.

    The last frame before a thing is gone shows one step of it, and so does the first: one step of a circle is one of a
    straight line. Of what an hour seemed to show and did not, nearly all were such frames. Each frame counts as far as
    the thing is followed from there to here, and as it is seen before and after.
    """
    earlier, later = ways[..., _WAYS - 1], ways[..., 2 * _WAYS - 1]
    so_far = earlier.clamp(min=_LOST).log().cumsum(1)
    seen = torch.stack([(earlier + later) * fit, earlier + later], dim=-1)
    weight = torch.exp(-(so_far[:, :, None] - so_far[:, None]).abs())
    sums = torch.einsum("bfgk,bgkn->bfkn", weight, seen) + torch.exp(so_far)[..., None] * before[:, None]
    alone = _ALONE * torch.stack([fit, torch.ones_like(fit)], dim=-1)
    value, mass = (sums + alone).unbind(-1)
    return value / mass, sums[:, -1]


@torch.no_grad()
def trails(place: Tensor, fit: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Of each slot, either way in time: how far its things moved right, down, left and up, whether one stood still,
    whether one was there at all (B, F, SLOTS, 2 · WAYS). Whether one stands where another slot's was, for each pair
    (B, F, 2 · pairs). And `taken` of `Trailed`.

    No gradient goes through: what fits what is learnt where each patch's truth is known, and half the time is saved.
    """
    told, crossing, taken = [], [], torch.zeros_like(fit)
    others = 1 - torch.eye(SLOTS, device=fit.device)
    # Of each patch (B, F + 1, now, a frame before): near to 1 where it is where the other was; beyond the clip nothing.
    near = functional.pad(_half_at(place[:, 1:, :, None] - place[:, :-1, None], _NEAR), (0, 0, 0, 0, 1, 1))
    for step in (1, -1):
        close = near[:, :-1] if step == 1 else near[:, 1:].transpose(2, 3)
        then_place, then_fit = shifted(place, step), shifted(fit, step)
        # What fits a slot in the other frame, as far as it is near: the nearest, and where all of it is in the mean.
        beside = torch.stack([(close * then_fit[:, :, None, :, k]).amax(3) for k in range(SLOTS)], dim=-1)
        sums = close @ torch.cat([then_fit, *(then_fit * x for x in then_place.split(1, dim=-1))], dim=-1)
        mass, x, y = sums.split(SLOTS, dim=-1)
        moved = place[:, :, :, None] - torch.stack([x, y], dim=-1) / mass.clamp(min=1e-6)[..., None]
        sure = fit * beside
        ways = _SCALE * torch.cat([moved.clamp(min=0), (-moved).clamp(min=0)], dim=-1)
        seen = torch.cat([ways, _half_at(moved, _STILL)[..., None], torch.ones_like(moved[..., :1])], dim=-1)
        told.append((sure[..., None] * seen).amax(2))
        crossing += [(fit[..., a] * beside[..., b]).amax(2) for a in range(SLOTS) for b in range(SLOTS) if a != b]
        taken = torch.maximum(taken, beside @ others)
    return torch.cat(told, dim=-1), torch.stack(crossing, dim=-1), taken


def how_many(place: Tensor, fit: Tensor) -> Tensor:
    """Things that fit, place (B, F, P, 2) and fit (B, F, P, SLOTS) from 0 to 1 → (B, F, SLOTS).

    A thing shows in several of the patches that are handed on, and all of them tell its one middle: what fits there
    counts once. The sum of fits named the right number for .29 of shapes in unseen frames, this for .99.
    """
    with torch.autocast(place.device.type, enabled=False):
        fit, at = fit.float(), place.float()
        same = _half_at(at[:, :, :, None] - at[:, :, None], _SAME)
        return (fit.square() / (same @ fit).clamp(min=1e-6)).sum(2)


def shifted(x: Tensor, step: int) -> Tensor:
    """x (B, F, …) a frame later (1) or earlier (−1); nothing is known beyond the clip: zeros."""
    return functional.pad(x, (0, 0) * (x.ndim - 2) + (step, -step))


def _half_at(apart: Tensor, distance: float) -> Tensor:
    """Of differences (…, 2): 1 where there is none, one half at `distance`."""
    return torch.exp2(-apart.square().sum(-1) / distance**2)
