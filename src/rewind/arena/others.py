"""The other systems, each a few lines: uniform sampling, two tokens a frame, FIFO and merging, a compressed bank.

All are written from the papers' descriptions, at this house's size and on its encoder: the rule that keeps memory
small is theirs, the widths are not (docs/arena.md says what was changed).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from rewind.arena.encoder import marked
from rewind.arena.merging import compress, consolidate, extents, means
from rewind.arena.recipe import Entries, Heard, Kit, Recipe
from rewind.memory.attention import Attention, FeedForward

POOLED = 4
"""Tokens to which a frame's patches are averaged, in raster order."""


class QuestionOnly(Recipe):
    """A control: no visual token at all. What it gets right, the words give away."""

    def __init__(self, kit: Kit) -> None:
        super().__init__(kit, wide=1)

    def entries(self, patches: Tensor, heard: Heard, *, tokens: int) -> Entries:  # noqa: ARG002  (one signature)
        b, width = patches.shape[0], patches.shape[-1]
        none = patches.new_zeros(b, 0, 1)
        return Entries(patches.new_zeros(b, 0, 1, width), none, none, none.bool())


class PooledFrames(Recipe):
    """Patches averaged to `POOLED` tokens a frame, then one linear layer; what is kept of them is up to the heirs."""

    def __init__(self, kit: Kit) -> None:
        super().__init__(kit, wide=POOLED)
        self.norm = nn.LayerNorm(kit.config.width)
        self.project = nn.Linear(kit.config.width, kit.config.width)

    def pool(self, patches: Tensor) -> Tensor:
        """(B, T, P, D) → (B, T, POOLED, D)."""
        b, t, _, d = patches.shape
        seen = functional.adaptive_avg_pool1d(patches.flatten(0, 1).transpose(1, 2).float(), POOLED)
        return seen.transpose(1, 2).reshape(b, t, POOLED, d).to(patches.dtype)

    def write(self, pooled: Tensor) -> Tensor:
        return torch.as_tensor(self.project(self.norm(pooled)))


class Uniform(PooledFrames):
    """The paper's baseline: as many evenly spaced frames as fit (64 at 256 tokens), pooled, no memory."""

    def entries(self, patches: Tensor, heard: Heard, *, tokens: int) -> Entries:  # noqa: ARG002  (one signature)
        b, t = patches.shape[:2]
        keep = min(t, tokens // POOLED)
        edges = torch.arange(keep + 1, device=patches.device) * t // keep
        rows = (2 * torch.arange(keep, device=patches.device) + 1) * t // (2 * keep)
        start, end = (e[None, :, None].expand(b, -1, POOLED) for e in (edges[:-1], edges[1:]))
        held = self.write(self.pool(patches[:, rows]))
        return Entries(held, start, end, torch.ones_like(start, dtype=torch.bool), rows.expand(b, -1))


class MovieChat(PooledFrames):
    """Short-term FIFO, its likest neighbours merged into a long-term memory (Song et al. 2024). No instruction."""

    def entries(self, patches: Tensor, heard: Heard, *, tokens: int) -> Entries:  # noqa: ARG002  (one signature)
        pooled, keep = self.pool(patches), tokens // POOLED
        short = max(1, keep // 4)
        plans = [consolidate(v.float(), short=short, into=max(1, short // 2), keep=keep) for v in pooled.detach()]
        counts = torch.stack(plans)[..., None].expand(-1, -1, POOLED)
        start, end = extents(counts)
        return Entries(means(self.write(pooled), counts), start, end, torch.ones_like(start, dtype=torch.bool))


class Bank(Recipe):
    """Learned queries read every frame under the instruction; a bank of fixed length is compressed slot by slot.

    MA-LMM (He et al. 2024) lets a query transformer read the bank; here the decoder reads the bank itself, so that
    every token has an extent.
    """

    def __init__(self, kit: Kit) -> None:
        super().__init__(kit, wide=POOLED)
        width, heads = kit.config.width, kit.config.heads
        self.queries = nn.Parameter(torch.randn(POOLED, width) * 0.2)
        self.look, self.hear = Attention(width, heads=heads), Attention(width, heads=heads)
        self.think = FeedForward(width, times=2)
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(3))

    def entries(self, patches: Tensor, heard: Heard, *, tokens: int) -> Entries:
        b, t, p, d = patches.shape
        query = self.queries.expand(b, -1, -1)
        query = query + self.hear(query, heard.words, mask=heard.mask[:, None, None])
        source = self.norms[0](patches).view(b * t, p, d)
        x = query.repeat_interleave(t, 0)
        x = x + self.look(self.norms[1](x), source)
        x = (x + self.think(self.norms[2](x))).view(b, t, POOLED, d)
        counts = compress(x.detach().float(), keep=tokens // POOLED)
        start, end = extents(counts)
        return Entries(means(x, counts), start, end, torch.ones_like(start, dtype=torch.bool))


class Independent(Recipe):
    """Two tokens a frame, each frame by itself (LLaMA-VID, Li et al. 2024): one that the instruction attends for, and
    the mean of the patches. Where the frames do not fit, evenly spaced ones are kept."""

    def __init__(self, kit: Kit) -> None:
        super().__init__(kit, wide=2)
        width = kit.config.width
        self.ask = nn.Linear(width, width)
        self.context, self.content = nn.Linear(width, width), nn.Linear(width, width)
        self.norm = nn.LayerNorm(width)

    def entries(self, patches: Tensor, heard: Heard, *, tokens: int) -> Entries:
        b, t = patches.shape[:2]
        keep = min(t, tokens // 2)
        edges = torch.arange(keep + 1, device=patches.device) * t // keep
        rows = (2 * torch.arange(keep, device=patches.device) + 1) * t // (2 * keep)
        seen = self.norm(marked(self.instruct.aim, patches[:, rows], heard.slots))
        # Every word asks; their answers are averaged, as published.
        asks = self.ask(heard.words) * seen.shape[-1] ** -0.5
        weights = torch.einsum("bsd,bkpd->bksp", asks, seen).softmax(-1)
        real = heard.mask.to(weights.dtype) / heard.mask.sum(1, keepdim=True)
        context = self.context(torch.einsum("bksp,bs,bkpd->bkd", weights, real, seen))
        held = torch.stack([context, self.content(seen.mean(2))], dim=2)
        start, end = (e[None, :, None].expand(b, -1, 2) for e in (edges[:-1], edges[1:]))
        looked = rows.expand(b, -1) if keep < t else None
        return Entries(held, start, end, torch.ones_like(start, dtype=torch.bool), looked)
