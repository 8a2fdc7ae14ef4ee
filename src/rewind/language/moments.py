"""Moments in the prompt: the stretches that the scores found, a token each, and one for the list as a whole ([us])."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from rewind.config import ReWindConfig
from rewind.language.place import PlaceEmbedding, places
from rewind.selection.digest import frame_step
from rewind.selection.tracks import mean_tokens, stretches


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


def moment_parts(
    tokens: Tensor, logits: Tensor, seconds: Tensor, *, end_s: float, limit: int, dtype: torch.dtype
) -> MomentParts:
    """The stretches that relevance finds in each of B videos of T frames, the fewer padded.

    Args:
        tokens: memory (B, T, W, D); logits: relevance (B, T, tracks); seconds: (T,), of the same frames.
        end_s: where the video ends. limit: stretches of a video at most. dtype: of times and scores.
    """
    found = [stretches(torch.sigmoid(of_one), limit=limit) for of_one in logits.detach()]
    step, start_s = frame_step(seconds), float(seconds[0])

    def padded(values: list[Tensor]) -> Tensor:
        return nn.utils.rnn.pad_sequence(values, batch_first=True).to(tokens.device)

    start = [places(seconds[one.first], start_s=start_s, end_s=end_s) for one in found]
    end = [places(seconds[one.last] + step, start_s=start_s, end_s=end_s) for one in found]
    return MomentParts(
        tokens=padded([mean_tokens(of_one, one) for of_one, one in zip(tokens, found, strict=True)]),
        start=padded(start).to(dtype),
        end=padded(end).to(dtype),
        track=padded([one.track for one in found]),
        ordinal=padded([one.ordinal for one in found]),
        rank=padded([one.rank for one in found]),
        score=padded([one.score for one in found]).to(dtype),
        mask=padded([torch.ones(len(one), dtype=torch.bool) for one in found]),
    )


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

    def whole(self, parts: MomentParts) -> Tensor:
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
