"""Relevance of each remembered frame: the instruction against the frame's memory tokens (select a of the rewind)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from rewind.config import ReWindConfig


class FrameScore(nn.Module):
    """Ī (B, D) against M (B, T, W, D) → logits (B, T): the best scaled cosine of the frame's tokens [us].

    Selection is discrete, so no gradient reaches this from the answer: it has a loss of its own (frames inside the
    truth's moments against frames outside), and its sigmoid is calibrated on validation videos.
    """

    temperature: Tensor
    shift: Tensor

    def __init__(self, config: ReWindConfig) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(config.width)
        self.memory = nn.Linear(config.width, config.score_width)
        self.instruction = nn.Linear(config.width, config.score_width)
        self.scale = nn.Parameter(torch.tensor(8.0))
        self.bias = nn.Parameter(torch.tensor(-3.0))
        self.register_buffer("temperature", torch.ones(()))
        self.register_buffer("shift", torch.zeros(()))

    def forward(self, tokens: Tensor, pooled: Tensor) -> Tensor:
        key = normalize(self.memory(self.norm(tokens)), dim=-1)
        query = normalize(self.instruction(pooled), dim=-1)
        cosine = torch.einsum("btwd,bd->btw", key, query)
        return self.scale * cosine.amax(-1) + self.bias

    def probability(self, logits: Tensor) -> Tensor:
        """Calibrated probability in 0–1 that the frame shows what the instruction asks about."""
        return torch.sigmoid(logits / self.temperature + self.shift)
