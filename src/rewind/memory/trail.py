"""Trail: where the things that an instruction names are from frame to frame, and what was there before ([us])."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from rewind.config import SLOTS

_SCALE = 8.0
"""A clip's frame is 2 wide: things move .04 to .11 of it a second."""
_NEAR = 0.2
"""Distance at which something counts half as being at the same place."""


class Trail(nn.Module):
    """Fits of patches and their places → what each frame tells of motion and of things that give way to one another.

    One frame shows neither how a thing moves nor that its colour changed: both are differences between the places of
    best patches, and a product of two fits, which a layer that sees frames side by side does not learn from examples.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.inner = nn.Linear(2 * (3 * SLOTS + SLOTS * (SLOTS - 1)), 64)
        self.outer = nn.Linear(64, width)
        nn.init.zeros_(self.outer.weight)
        nn.init.zeros_(self.outer.bias)

    def forward(self, place: Tensor, logits: Tensor) -> tuple[Tensor, Tensor]:
        """place (B, F, P, 2), logits of fit (B, F, P, SLOTS) → what each frame tells (B, F, D), and how much each patch
        is where *another* slot's thing was a frame before or is a frame after (B, F, P, SLOTS), from 0 to 1."""
        at = torch.einsum("bfpk,bfpx->bfkx", logits.softmax(2), place)
        there = torch.sigmoid(logits.amax(2))
        told, taken = [], torch.zeros_like(logits)
        others = 1 - torch.eye(SLOTS, device=place.device)
        for step in (1, -1):
            then_at, then = shifted(at, step), shifted(there, step)
            both = there * then
            told += [(_SCALE * (at - then_at) * both[..., None]).flatten(2), both]
            # (B, F, now, then): fits of two unlike slots at one place.
            near = _near((at[:, :, :, None] - then_at[:, :, None]).square().sum(-1))
            cross = near * there[..., None] * then[..., None, :]
            told += [cross[..., a, b : b + 1] for a in range(SLOTS) for b in range(SLOTS) if a != b]
            apart = _near((place[:, :, :, None] - then_at[:, :, None]).square().sum(-1)) * then[:, :, None]
            taken = torch.maximum(taken, apart @ others.to(apart.dtype))
        features = torch.cat(told, dim=-1)
        return self.outer(functional.gelu(self.inner(features), approximate="tanh")), taken


def shifted(x: Tensor, step: int) -> Tensor:
    """x (B, F, …) a frame later (1) or earlier (−1); nothing is known beyond the clip: zeros."""
    return functional.pad(x, (0, 0) * (x.ndim - 2) + (step, -step))


def _near(squared: Tensor) -> Tensor:
    return torch.exp2(-squared / _NEAR**2)
