"""Read a summary from memory, write two tokens a frame back: the two ends of the loop ([P], Sec. 3)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from rewind.config import ReWindConfig
from rewind.memory.attention import Attention
from rewind.memory.state import MemoryState


class Read(nn.Module):
    """Learned read queries attend to the whole memory bank, once per clip; an empty memory gives R = Q_R."""

    def __init__(self, config: ReWindConfig) -> None:
        super().__init__()
        self.queries = nn.Parameter(torch.randn(config.queries, config.width) * 0.2)
        self.attention = Attention(config.width, heads=config.heads)
        self.query_norm = nn.LayerNorm(config.width)
        self.memory_norm = nn.LayerNorm(config.width)
        self.enabled = config.read_memory

    def project(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """Keys and values of memory tokens (B, f, W, D), kept in the state: each token is projected once."""
        return self.attention.project(self.memory_norm(tokens).flatten(1, 2))

    def forward(self, state: MemoryState) -> Tensor:
        """R (B, R, D). The softmax runs over all chunks together, though none is copied."""
        batch = state.pooled.shape[0]
        start = self.queries.expand(batch, -1, -1)
        banks = state.keys_values()
        if not banks or not self.enabled:
            return start
        query = self.attention.split(self.query_norm(start))
        weights = torch.cat([query @ key.transpose(-1, -2) for key, _ in banks], dim=-1).softmax(-1)
        sizes = [key.shape[2] for key, _ in banks]
        summary = sum(w @ value for w, (_, value) in zip(weights.split(sizes, dim=-1), banks, strict=True))
        assert isinstance(summary, Tensor)  # noqa: S101  (a sum over a list that is not empty)
        return start + self.attention.merge(summary)


class Write(nn.Module):
    """Learned write queries attend to a frame's perceived queries; their mean is added so that memory stays aligned.

    With `instruct_write` the queries start from the pooled instruction, so that the one of many perceived objects that
    is asked about is the one that is written.
    """

    def __init__(self, config: ReWindConfig) -> None:
        super().__init__()
        self.queries = nn.Parameter(torch.randn(config.write_tokens, config.width) * 0.2)
        self.attention = Attention(config.width, heads=config.heads)
        self.mean = config.write_mean
        self.instruct = nn.Linear(config.width, config.width) if config.instruct_write else None
        # Quiet at first, so that what `Aim` tells is heard.
        self.scale = nn.Parameter(torch.tensor(0.1)) if config.aim else None

    def forward(self, perceived: Tensor, pooled: Tensor, told: Tensor | None = None) -> Tensor:
        """Q̂ (B, f, R, D), Ī (B, D), and what `Aim` tells of each frame (B, f, D) → tokens (B, f, W, D)."""
        b, f, r, d = perceived.shape
        source = perceived.reshape(b * f, r, d)
        queries = self.queries.expand(b, -1, -1)
        if self.instruct is not None:
            queries = queries + self.instruct(pooled)[:, None]
        tokens = self.attention(queries.repeat_interleave(f, dim=0), source)
        if self.mean:
            tokens = tokens + source.mean(1, keepdim=True)
        tokens = torch.as_tensor(tokens).view(b, f, -1, d)
        if told is None or self.scale is None:
            return tokens
        return self.scale * tokens + told[:, :, None]
