"""Detail: the key frames' own fine patches, brought down to a few tokens each (the last step of the rewind, [P])."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from rewind.config import ReWindConfig
from rewind.memory.attention import Attention, FeedForward


class DetailTokens(nn.Module):
    """Fine patches (B, k, Pf, Cf) → (B, k, n, D): learned queries that attend to the grid with 2-D positions [us].

    With `instruct_detail` the queries start from the pooled instruction, so that they may look for what is asked.
    """

    def __init__(self, config: ReWindConfig) -> None:
        super().__init__()
        width, side = config.width, config.fine_grid
        self.norm = nn.LayerNorm(config.fine_width)
        self.project = nn.Linear(config.fine_width, width)
        self.rows = nn.Parameter(torch.randn(side, 1, width) * 0.2)
        self.columns = nn.Parameter(torch.randn(1, side, width) * 0.2)
        self.queries = nn.Parameter(torch.randn(config.detail_tokens, width) * 0.2)
        self.instruct = nn.Linear(width, width) if config.instruct_detail else None
        self.looks = nn.ModuleList(Attention(width, heads=config.heads) for _ in range(2))
        self.thinks = nn.ModuleList(FeedForward(width, times=2) for _ in range(2))
        self.query_norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(2))
        self.inner_norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(2))
        self.source_norm = nn.LayerNorm(width)

    def forward(self, fine: Tensor, pooled: Tensor) -> Tensor:
        """fine (B, k, Pf, Cf), pooled Ī (B, D) → (B, k, n, D)."""
        b, k, p, _ = fine.shape
        source = self.project(self.norm(fine)) + (self.rows + self.columns).flatten(0, 1)
        source = self.source_norm(source).view(b * k, p, -1)
        queries = self.queries.expand(b, -1, -1)
        if self.instruct is not None:
            queries = queries + self.instruct(pooled)[:, None]
        x = queries[:, None].expand(b, k, -1, -1).reshape(b * k, queries.shape[1], -1)
        for look, think, outer, inner in zip(self.looks, self.thinks, self.query_norms, self.inner_norms, strict=True):
            x = x + look(outer(x), source)
            x = x + think(inner(x))
        return x.view(b, k, queries.shape[1], -1)


class PooledDetail(nn.Module):
    """The ablation: the fine grid averaged to n cells, then projected."""

    def __init__(self, config: ReWindConfig) -> None:
        super().__init__()
        self.side = config.fine_grid
        self.cells = _cells(config.detail_tokens)
        self.norm = nn.LayerNorm(config.fine_width)
        self.project = nn.Linear(config.fine_width, config.width)

    def forward(self, fine: Tensor, pooled: Tensor) -> Tensor:  # noqa: ARG002  (one signature for both details)
        b, k, _, c = fine.shape
        grid = self.norm(fine).reshape(b * k, self.side, self.side, c).permute(0, 3, 1, 2)
        cells = nn.functional.adaptive_avg_pool2d(grid, self.cells)
        return self.project(cells.flatten(2).transpose(1, 2)).view(b, k, self.cells[0] * self.cells[1], -1)  # type: ignore[no-any-return]


def _cells(n: int) -> tuple[int, int]:
    """The most square grid of n cells, wider than high: 32 → 4 × 8."""
    rows = max(r for r in range(1, int(n**0.5) + 1) if n % r == 0)
    return rows, n // rows


def detail_of(config: ReWindConfig) -> nn.Module:
    return DetailTokens(config) if config.detail == "learned" else PooledDetail(config)
