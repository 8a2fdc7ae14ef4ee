"""The prompt, in the paper's order: memory, τ, key frames' detail, instruction; each with its time ([P] Sec. 3)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from rewind.config import SLOTS, ReWindConfig
from rewind.language.aloud import Heard
from rewind.language.moments import MomentEmbedding, MomentParts
from rewind.language.place import PlaceEmbedding


@dataclass(frozen=True)
class PromptParts:
    """What goes into one batch of prompts.

    `memory` (B, n, D) shown memory tokens with `memory_place` (B, n, 2) and relevance `memory_score` (B, n);
    `detail` (B, k, m, D) with `detail_place` (B, k, 2); `text` (B, S, text_width) instruction features; `moments`,
    where the decoder is told what the scores found; `words` (B, S, SLOTS), where it is told which thing each word is
    of. Masks are True for real tokens. A place is what `places` gives. `heard` is no part of the prompt: the
    say that memory, read aloud, has in the bundled decoder's first token.
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
    words: Tensor | None = None
    heard: Heard | None = None


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
        self.of_slot = nn.Parameter(torch.zeros(SLOTS, width)) if config.words_in_prompt else None

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
            tokens += [self.moments.whole(parts.moments), self.moments(parts.moments, self.place)]
            masks += [parts.memory_mask.new_ones(b, 1), parts.moments.mask]
        if instruction:
            words = parts.text.shape[1]
            text = self.text(self.text_norm(parts.text)) + self.text_place[:words] + self.kind[2]
            if self.of_slot is not None and parts.words is not None:
                text = text + parts.words @ self.of_slot
            tokens.append(text)
            masks.append(parts.text_mask)
        return torch.cat(tokens, dim=1), torch.cat(masks, dim=1)
