"""Attention and feed-forward blocks that memory, detail and decoder share; keys and values can be projected once."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Attention(nn.Module):
    """Multi-head attention whose keys and values may be projected ahead of time and kept.

    Softmax is written out: on CPU the backward pass of the fused kernel was several times slower than this, and the
    sequences here are short.
    """

    def __init__(self, width: int, *, heads: int, key_width: int | None = None) -> None:
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(width, width)
        self.key_value = nn.Linear(key_width or width, 2 * width)
        self.out = nn.Linear(width, width)

    def project(self, source: Tensor) -> tuple[Tensor, Tensor]:
        """Keys and values (N, heads, L, D / heads) of `source` (N, L, key_width)."""
        n, length, _ = source.shape
        kv = self.key_value(source).view(n, length, 2, self.heads, -1).permute(2, 0, 3, 1, 4)
        return kv[0], kv[1]

    def split(self, query: Tensor) -> Tensor:
        """Queries (N, heads, L, D / heads) of `query` (N, L, D), scaled."""
        n, length, width = query.shape
        head = width // self.heads
        scaled: Tensor = self.query(query) * head**-0.5
        return scaled.view(n, length, self.heads, head).transpose(1, 2)

    def merge(self, heads: Tensor) -> Tensor:
        """(N, heads, L, D / heads) → (N, L, D), through the output projection."""
        return self.out(heads.transpose(1, 2).flatten(2))  # type: ignore[no-any-return]

    def attend(self, query: Tensor, key: Tensor, value: Tensor, *, mask: Tensor | None = None) -> Tensor:
        """Attend from `query` (N, L, D) to projected `key`, `value`; `mask` broadcasts to (N, 1, L, Lk), True = seen.

        Returns: (N, L, D).
        """
        logits = self.split(query) @ key.transpose(-1, -2)
        if mask is not None:
            logits = logits.masked_fill(~mask, float("-inf"))
        return self.merge(logits.softmax(-1) @ value)

    def forward(self, query: Tensor, source: Tensor, *, mask: Tensor | None = None) -> Tensor:
        """Attend from `query` (N, L, D) to `source` (N, Lk, key_width)."""
        return self.attend(query, *self.project(source), mask=mask)


class FeedForward(nn.Module):
    """Two linear layers with GELU between: (…, D) → (…, D)."""

    def __init__(self, width: int, *, times: int) -> None:
        super().__init__()
        self.inner = nn.Linear(width, times * width)
        self.outer = nn.Linear(times * width, width)

    def forward(self, x: Tensor) -> Tensor:
        return self.outer(torch.nn.functional.gelu(self.inner(x), approximate="tanh"))  # type: ignore[no-any-return]
