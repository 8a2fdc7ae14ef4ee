"""Memory read aloud: what the surest frames say by themselves, beside what the decoder makes of them all ([us])."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from rewind.language.decoder import BundledDecoder
    from rewind.language.prompt import Prompt

SHARE = 0.7
"""Of what is heard in the first token, where the instruction asks for what one frame shows. From .5 to .8 validation
worlds of 1 and 10 minutes are answered alike; on those of 64 s alone .9 fits best, and decides wrongly in long ones
where a frame of another thing is as sure (LOG.md)."""
SURE = 0.5
"""The score from which on a frame is heard beside the best one."""
HEARD = 4
"""Frames that are heard: a sign is shown for 2 to 4 s, a change for 4; more of them are others' (LOG.md)."""
_LEAST = -9.0
_DEAF, _HARDLY = -20.0, 1e-3
"""Until it is taught which questions are read off a frame, a model hears nothing; and the share below which it is not
worth it."""


@dataclass(frozen=True)
class Heard:
    """Another's say in the first token of B answers: its log-probabilities `words` (B, vocabulary) and how much it
    counts, `weight` (B,) in 0–1."""

    words: Tensor
    weight: Tensor

    def row(self, row: int) -> Heard:
        """That of one answer alone."""
        return Heard(self.words[row : row + 1], self.weight[row : row + 1])

    def pool(self, said: Tensor) -> Tensor:
        """Log-probabilities `said` (B, vocabulary) and these as one: the logarithmic opinion pool (Genest and Zidek,
        1986)."""
        weight = self.weight[:, None].to(said.dtype)
        return ((1 - weight) * said + weight * self.words.to(said.dtype)).log_softmax(-1)


class Reads(nn.Sequential):
    """Instruction features (B, text_width) → logits (B, 1) that one frame is enough to answer from."""

    def __init__(self, text_width: int) -> None:
        super().__init__(nn.LayerNorm(text_width), deaf := nn.Linear(text_width, 1))
        nn.init.constant_(deaf.bias, _DEAF)

    def weight(self, pooled: Tensor) -> Tensor | None:
        """How much what is heard counts in each answer (B,); None where it hardly does in any."""
        weight = SHARE * torch.sigmoid(self(pooled))[:, 0]
        return None if bool((weight < _HARDLY).all()) else weight


def said_alone(prompt: Prompt, decoder: BundledDecoder, tokens: Tensor) -> Tensor:
    """Memory tokens (…, W, D) of frames → what each frame would have the decoder say first (…, vocabulary): logits of
    its own output layer, which training's reading loss has taught of frames that one is enough to answer from."""
    return decoder.out(decoder.norm(prompt.memory(prompt.memory_norm(tokens)).mean(-2)))  # type: ignore[no-any-return]


def read_aloud(prompt: Prompt, decoder: BundledDecoder, tokens: Tensor, scores: Tensor, *, most: int = HEARD) -> Tensor:
    """Log-probabilities of an answer's first token (vocabulary,), the mean over the surest frames by their score.

    Args:
        tokens: memory (T, W, D) with relevance `scores` (T,) in 0–1.
        most: frames that are heard, those of `SURE` and more; the best one always.
    """
    best = scores.topk(min(most, len(scores))).indices
    best = best[(scores[best] >= SURE) | (best == best[0])]
    each = said_alone(prompt, decoder, tokens[best]).float().log_softmax(-1).clamp(min=_LEAST)
    weights = scores[best].float().clamp(min=1e-6)
    return (each * (weights / weights.sum())[:, None]).sum(0)
