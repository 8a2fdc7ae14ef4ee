"""Places: when in a video something is, as numbers that mean the same at any length ([us])."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

_WAVES = 8


def places(seconds: Tensor, *, start_s: float | Tensor, end_s: float | Tensor) -> Tensor:
    """Where times lie: (…, 2) of the share of the video that has passed, and the seconds left to its end.

    A share carries order to videos of any length; the seconds left tell what is on screen *now*.
    """
    # In the precision of `seconds`: what reaches the end must have exactly nothing left.
    start, end = (torch.as_tensor(s, dtype=seconds.dtype, device=seconds.device) for s in (start_s, end_s))
    share = (seconds - start) / (end - start).clamp(min=1e-6)
    return torch.stack([share, end - seconds], dim=-1)


class PlaceEmbedding(nn.Module):
    """(…, 2) places → (…, H): sines of the share at 8 octaves, and the logarithm of the seconds left."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.project = nn.Linear(2 * _WAVES + 3, width)

    def forward(self, place: Tensor) -> Tensor:
        share, left = place[..., :1], place[..., 1:]
        octaves = math.pi * 2.0 ** torch.arange(_WAVES, device=place.device, dtype=place.dtype)
        waves = share * octaves
        near = torch.exp(-left.clamp(min=0.0))
        features = torch.cat([share, torch.log1p(left.clamp(min=0.0)) / 5, near, waves.sin(), waves.cos()], dim=-1)
        return self.project(features)  # type: ignore[no-any-return]
