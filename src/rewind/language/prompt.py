"""The prompt, in the paper's order: memory, τ, key frames' detail, instruction; each with its time ([P] Sec. 3)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from rewind.config import ReWindConfig

_WAVES = 8


@dataclass(frozen=True)
class PromptParts:
    """What goes into one batch of prompts.

    `memory` (B, n, D) shown memory tokens with `memory_place` (B, n, 2) and relevance `memory_score` (B, n);
    `detail` (B, k, m, D) with `detail_place` (B, k, 2); `text` (B, S, text_width) instruction features; `moments`,
    where the decoder is told what the scores found. Masks are True for real tokens. A place is what `places` gives.
    """

    memory: Tensor
    memory_place: Tensor
    memory_score: Tensor
    memory_mask: Tensor
    detail: Tensor
    detail_place: Tensor
    detail_mask: Tensor
    text: Tensor
    text_mask: Tensor
    moments: MomentParts | None = None


@dataclass(frozen=True)
class MomentParts:
    """Up to m stretches a video: their mean memory `tokens` (B, m, W, D), `start` and `end` places (B, m, 2),
    `track`, `ordinal` and `rank` (B, m) long, `score` (B, m), `mask` (B, m)."""

    tokens: Tensor
    start: Tensor
    end: Tensor
    track: Tensor
    ordinal: Tensor
    rank: Tensor
    score: Tensor
    mask: Tensor


def places(seconds: Tensor, *, start_s: float | Tensor, end_s: float | Tensor) -> Tensor:
    """Where times lie: (…, 2) of the share of the video that has passed, and the seconds left to its end.

    A share carries order to videos of any length; the seconds left tell what is on screen *now*.
    """
    span = torch.as_tensor(end_s - start_s).clamp(min=1e-6)
    share = (seconds - start_s) / span
    return torch.stack([share, torch.as_tensor(end_s) - seconds], dim=-1)


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


class MomentEmbedding(nn.Module):
    """One token a stretch: memory, start and end, which thing it is of, the how-manieth of it and of all [us].

    A softmax over all memory cannot count; a list of what was found can be read off, whatever the video's length. What
    the list says as a whole goes before it: a decoder of this size did not learn in 20,000 questions which of two
    things comes first from times and ranks, nor to count.
    """

    def __init__(self, config: ReWindConfig) -> None:
        super().__init__()
        width = config.decoder_width
        self.norm = nn.LayerNorm(config.width)
        self.memory = nn.Linear(config.write_tokens * config.width, width)
        self.end = PlaceEmbedding(width)
        self.track = nn.Embedding(config.tracks, width)
        self.ordinal = nn.Embedding(config.moments, width)
        self.rank = nn.Embedding(config.moments, width)
        self.score = nn.Parameter(torch.randn(width) * 0.2)
        self.first = nn.Embedding(config.tracks + 1, width)
        self.counts = nn.ModuleList(nn.Embedding(config.moments + 1, width) for _ in range(config.tracks))
        self.now = nn.Linear(config.tracks, width)
        for table in (self.track, self.ordinal, self.rank, self.first, *self.counts):
            nn.init.normal_(table.weight, std=0.5)

    def tally(self, parts: MomentParts) -> Tensor:
        """One token (B, 1, H) of what the list says as a whole: how many stretches each thing has, whose is the first,
        and which is there at the end."""
        first, counts, now = tally(parts, tracks=self.track.num_embeddings)
        said = self.first(first) + self.now(now.to(self.now.weight.dtype))
        for track, table in enumerate(self.counts):
            said = said + table(counts[:, track])
        return said[:, None]  # type: ignore[no-any-return]

    def forward(self, parts: MomentParts, place: nn.Module) -> Tensor:
        seen = self.memory(self.norm(parts.tokens).flatten(2)) + place(parts.start) + self.end(parts.end)
        which = self.track(parts.track) + self.ordinal(parts.ordinal) + self.rank(parts.rank)
        return seen + which + parts.score[..., None] * self.score  # type: ignore[no-any-return]


def tally(parts: MomentParts, *, tracks: int) -> tuple[Tensor, Tensor, Tensor]:
    """What a list of moments says as a whole.

    Returns: the track whose stretch begins first (B,), `tracks` where there is none; stretches of each track (B,
    tracks); whether one of each track's reaches the end (B, tracks).
    """
    mask = parts.mask
    of = (parts.track[..., None] == torch.arange(tracks, device=mask.device)) & mask[..., None]
    counts = of.sum(1)
    if mask.shape[1] == 0:
        return torch.full_like(counts[:, 0], tracks), counts, counts > 0
    begins = torch.where(mask, parts.rank, torch.full_like(parts.rank, mask.shape[1]))
    earliest = parts.track.gather(1, begins.argmin(1, keepdim=True))[:, 0]
    first = torch.where(mask.any(1), earliest, torch.full_like(earliest, tracks))
    return first, counts, (of & (parts.end[..., 1:] <= 0)).any(1)


class Prompt(nn.Module):
    """Projects every part to the decoder's width at like scale: LayerNorm before anything is added or joined.

    In an earlier trial memory of norm 21 drowned times of norm 4, and localisation fell.
    """

    def __init__(self, config: ReWindConfig) -> None:
        super().__init__()
        width = config.decoder_width
        self.memory_norm = nn.LayerNorm(config.width)
        self.memory = nn.Linear(config.width, width)  # [us]: linear
        self.detail_norm = nn.LayerNorm(config.width)
        self.detail = nn.Sequential(nn.Linear(config.width, width), nn.GELU(), nn.Linear(width, width))  # [us]
        self.text_norm = nn.LayerNorm(config.text_width)
        self.text = nn.Linear(config.text_width, width)
        self.text_place = nn.Parameter(torch.randn(config.instruction_limit, width) * 0.1)
        self.place = PlaceEmbedding(width)
        self.kind = nn.Parameter(torch.randn(3, width) * 0.2)
        self.tau = nn.Parameter(torch.randn(width) * 0.2)  # τ, one learned vector [us]
        self.slot = nn.Parameter(torch.randn(config.detail_tokens, width) * 0.1)
        self.writes = nn.Parameter(torch.randn(config.write_tokens, width) * 0.1)
        self.score = nn.Parameter(torch.randn(width) * 0.2) if config.score_in_prompt else None
        self.moments = MomentEmbedding(config) if config.moments else None

    def forward(self, parts: PromptParts, *, instruction: bool = True) -> tuple[Tensor, Tensor]:
        """Embeddings (B, L, H) and their mask (B, L); `instruction=False` leaves the words to the decoder's own."""
        b, n, _ = parts.memory.shape
        memory = self.memory(self.memory_norm(parts.memory)) + self.place(parts.memory_place) + self.kind[0]
        w = self.writes.shape[0]
        memory = memory + self.writes.repeat(n // w, 1)
        if self.score is not None:
            memory = memory + parts.memory_score[..., None] * self.score
        detail = self.detail(self.detail_norm(parts.detail)) + self.place(parts.detail_place)[:, :, None]
        detail = (detail + self.slot + self.kind[1]).flatten(1, 2)
        tau = self.tau.expand(b, 1, -1)
        per_frame = parts.detail.shape[2]
        masks = [parts.memory_mask, parts.memory_mask.new_ones(b, 1)]
        masks.append(parts.detail_mask.repeat_interleave(per_frame, dim=1))
        tokens = [memory, tau, detail]
        if self.moments is not None and parts.moments is not None:
            tokens += [self.moments.tally(parts.moments), self.moments(parts.moments, self.place)]
            masks += [parts.memory_mask.new_ones(b, 1), parts.moments.mask]
        if instruction:
            words = parts.text.shape[1]
            tokens.append(self.text(self.text_norm(parts.text)) + self.text_place[:words] + self.kind[2])
            masks.append(parts.text_mask)
        return torch.cat(tokens, dim=1), torch.cat(masks, dim=1)
