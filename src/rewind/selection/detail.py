"""Detail: the key frames' own patches, brought down to a few tokens each (the last step of the rewind, [P])."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from rewind.config import ReWindConfig
from rewind.memory.attention import Attention, FeedForward


class DetailTokens(nn.Module):
    """Patches (B, k, P, D) → (B, k, n, D): learned queries that attend to patches that know their places [us].

    With `instruct_detail` the queries start from the pooled instruction, so that they may look for what is asked.
    """

    def __init__(self, config: ReWindConfig) -> None:
        super().__init__()
        width = config.width
        self.queries = nn.Parameter(torch.randn(config.detail_tokens, width) * 0.2)
        self.instruct = nn.Linear(width, width) if config.instruct_detail else None
        self.looks = nn.ModuleList(Attention(width, heads=config.heads) for _ in range(2))
        self.thinks = nn.ModuleList(FeedForward(width, times=2) for _ in range(2))
        self.query_norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(2))
        self.inner_norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(2))
        self.source_norm = nn.LayerNorm(width)

    def forward(self, patches: Tensor, pooled: Tensor) -> Tensor:
        """patches (B, k, P, D), pooled Ī (B, D) → (B, k, n, D)."""
        b, k, p, _ = patches.shape
        source = self.source_norm(patches).view(b * k, p, -1)
        queries = self.queries.expand(b, -1, -1)
        if self.instruct is not None:
            queries = queries + self.instruct(pooled)[:, None]
        x = queries[:, None].expand(b, k, -1, -1).reshape(b * k, queries.shape[1], -1)
        for look, think, outer, inner in zip(self.looks, self.thinks, self.query_norms, self.inner_norms, strict=True):
            x = x + look(outer(x), source)
            x = x + think(inner(x))
        return x.view(b, k, queries.shape[1], -1)


class PooledDetail(nn.Module):
    """The ablation: patches in raster order averaged to n, a grid to n cells, then projected."""

    def __init__(self, config: ReWindConfig) -> None:
        super().__init__()
        self.tokens = config.detail_tokens
        self.cells = _cells(config.detail_tokens)
        self.norm = nn.LayerNorm(config.width)
        self.project = nn.Linear(config.width, config.width)

    def forward(self, patches: Tensor, pooled: Tensor) -> Tensor:  # noqa: ARG002  (one signature for both details)
        b, k, p, d = patches.shape
        side = int(p**0.5)
        seen = self.norm(patches).view(b * k, p, d).transpose(1, 2)
        if side * side == p:
            pooling = nn.functional.adaptive_avg_pool2d(seen.view(b * k, d, side, side), self.cells).flatten(2)
        else:
            pooling = nn.functional.adaptive_avg_pool1d(seen, self.tokens)
        return self.project(pooling.transpose(1, 2)).view(b, k, self.tokens, -1)  # type: ignore[no-any-return]


def _cells(n: int) -> tuple[int, int]:
    """The most square grid of n cells, wider than high: 32 → 4 × 8."""
    rows = max(r for r in range(1, int(n**0.5) + 1) if n % r == 0)
    return rows, n // rows


def detail_of(config: ReWindConfig) -> nn.Module:
    return DetailTokens(config) if config.detail == "learned" else PooledDetail(config)
