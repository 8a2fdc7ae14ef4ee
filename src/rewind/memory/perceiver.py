"""Perceive: a clip's patches, read in the light of the instruction and of what memory already holds (Sec. 3, [P])."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from rewind.config import ReWindConfig
from rewind.memory.attention import Attention, FeedForward


class PatchProjection(nn.Module):
    """Patch features (…, P, C) and fine features (…, Pf, Cf) → (…, P, D). Depends on no instruction: done once.

    With `perceives="deep+fine"` the four fine patches under each deep patch are laid beside it, so that small objects
    reach memory at no more tokens than the deep grid has.
    """

    def __init__(self, config: ReWindConfig) -> None:
        super().__init__()
        self.fold = config.perceives == "deep+fine"
        self.side = config.fine_grid
        self.deep_norm = nn.LayerNorm(config.vision_width)
        self.fine_norm = nn.LayerNorm(config.fine_width) if self.fold else None
        self.project = nn.Linear(config.vision_width + 4 * config.fine_width * self.fold, config.width)
        self.position = nn.Parameter(torch.randn(config.patches, config.width) * 0.02)

    def forward(self, deep: Tensor, fine: Tensor | None) -> Tensor:
        patches = self.deep_norm(deep)
        if self.fine_norm is not None:
            if fine is None:
                raise ValueError("perceives='deep+fine' needs the fine grid")
            patches = torch.cat([patches, fold(self.fine_norm(fine), side=self.side)], dim=-1)
        return self.project(patches) + self.position  # type: ignore[no-any-return]


def fold(fine: Tensor, *, side: int) -> Tensor:
    """Lay each 2 × 2 block of a (…, side², C) grid side by side: (…, side² / 4, 4 C)."""
    *lead, _, width = fine.shape
    half = side // 2
    blocks = fine.reshape(*lead, half, 2, half, 2, width).movedim(-4, -3)
    return blocks.reshape(*lead, half * half, 4 * width)


class PerceiverLayer(nn.Module):
    """One layer: condition on the instruction, read the patches frame by frame, then look along the clip's frames."""

    def __init__(self, config: ReWindConfig) -> None:
        super().__init__()
        width, heads = config.width, config.heads
        self.patch_text = Attention(width, heads=heads) if config.instruct_patches else None
        self.query_text = Attention(width, heads=heads) if config.instruct_queries else None
        self.query_patch = Attention(width, heads=heads)
        self.along_frames = Attention(width, heads=heads)
        self.feed_forward = FeedForward(width, times=config.feed_forward)
        self.norms = nn.ModuleDict(
            {name: nn.LayerNorm(width) for name in ("patch", "text", "read", "source", "inner", "frames")}
        )

    def forward(self, queries: Tensor, patches: Tensor, text: Tensor, text_mask: Tensor) -> tuple[Tensor, Tensor]:
        """queries (B, F, R, D), patches (B, F, P, D), text (B, S, D), text_mask (B, S) → new queries and patches."""
        b, f, r, d = queries.shape
        p = patches.shape[2]
        seen = text_mask[:, None, None, :]
        if self.patch_text is not None:
            look = self.norms["patch"](patches).view(b, f * p, d)
            patches = patches + self.patch_text(look, text, mask=seen).view(b, f, p, d)
        if self.query_text is not None:
            look = self.norms["text"](queries).reshape(b, f * r, d)
            queries = queries + self.query_text(look, text, mask=seen).view(b, f, r, d)
        look = self.norms["read"](queries).reshape(b * f, r, d)
        source = self.norms["source"](patches).view(b * f, p, d)
        queries = queries + self.query_patch(look, source).view(b, f, r, d)
        queries = queries + self.feed_forward(self.norms["inner"](queries))
        look = self.norms["frames"](queries).transpose(1, 2).reshape(b * r, f, d)
        return queries + self.along_frames(look, look).view(b, r, f, d).transpose(1, 2), patches


class Perceiver(nn.Module):
    """The layers in turn; the read summary R starts the queries of every frame [P]."""

    def __init__(self, config: ReWindConfig) -> None:
        super().__init__()
        self.layers = nn.ModuleList(PerceiverLayer(config) for _ in range(config.layers))
        self.frame_position = nn.Parameter(torch.randn(config.clip_frames, 1, config.width) * 0.02)
        self.own_queries = (
            nn.Parameter(torch.randn(config.queries, config.width) * 0.02) if config.own_perceive_queries else None
        )
        self.norm = nn.LayerNorm(config.width)

    def forward(self, summary: Tensor, patches: Tensor, text: Tensor, text_mask: Tensor) -> Tensor:
        """Perceive one clip.

        Args:
            summary: R (B, R, D), what read brought from memory.
            patches: X (B, F, P, D), projected patches; F at most the config's `clip_frames`.
            text: I (B, S, D); text_mask (B, S), True for real tokens.

        Returns: Q̂ (B, F, R, D).
        """
        frames = patches.shape[1]
        queries = summary[:, None] + self.frame_position[:frames]
        if self.own_queries is not None:
            queries = queries + self.own_queries
        for layer in self.layers:
            queries, patches = layer(queries, patches, text, text_mask)
        return self.norm(queries)  # type: ignore[no-any-return]
