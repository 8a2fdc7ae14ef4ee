"""The bundled decoder: a small prefix language model. The prompt sees all of itself; the answer sees what is before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from rewind.config import ReWindConfig
from rewind.language.aloud import Heard
from rewind.language.tokenizer import BEGIN, END, PAD
from rewind.memory.attention import Attention, FeedForward


@dataclass(frozen=True)
class Words:
    """Greedy answer: token `ids` (END left out), the `log_probability` of each token, END included, and whether END was
    reached."""

    ids: tuple[int, ...]
    log_probabilities: tuple[float, ...]

    @property
    def complete(self) -> bool:
        return len(self.log_probabilities) > len(self.ids)


class DecoderLayer(nn.Module):
    """Pre-norm transformer layer whose keys and values may come from earlier calls."""

    def __init__(self, width: int, *, heads: int) -> None:
        super().__init__()
        self.attention = Attention(width, heads=heads)
        self.feed_forward = FeedForward(width, times=4)
        self.before_attention = nn.LayerNorm(width)
        self.before_feed_forward = nn.LayerNorm(width)

    def forward(
        self, x: Tensor, mask: Tensor | None, past: tuple[Tensor, Tensor] | None, *, first: int = 0
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """x (B, L, H), mask (B or 1, 1, L, L_past + L) → x from row `first` on, and keys and values of all rows.

        What nobody reads need not be worked out: behind the last layer that is the prompt.
        """
        look = self.before_attention(x)
        key, value = self.attention.project(look)
        if past is not None:
            key, value = torch.cat([past[0], key], dim=2), torch.cat([past[1], value], dim=2)
        x = x[:, first:] + self.attention.attend(look[:, first:], key, value, mask=mask)
        return x + self.feed_forward(self.before_feed_forward(x)), (key, value)


class BundledDecoder(nn.Module):
    """Prompt embeddings (B, L, H) → answer tokens. Widths from the config's `decoder_*` fields."""

    def __init__(self, config: ReWindConfig) -> None:
        super().__init__()
        width = config.decoder_width
        self.words = nn.Embedding(config.vocabulary, width, padding_idx=PAD)
        self.position = nn.Embedding(config.answer_reserve, width)
        self.layers = nn.ModuleList(
            DecoderLayer(width, heads=config.decoder_heads) for _ in range(config.decoder_layers)
        )
        self.norm = nn.LayerNorm(width)
        self.out = nn.Linear(width, config.vocabulary)
        nn.init.normal_(self.words.weight, std=0.5)
        nn.init.normal_(self.position.weight, std=0.1)

    def forward(self, prompt: Tensor, prompt_mask: Tensor, answer: Tensor) -> Tensor:
        """Teacher-forced logits.

        Args:
            prompt: (B, L, H); prompt_mask: (B, L), True for real tokens.
            answer: (B, A) ids, END-closed, PAD-filled.

        Returns: (B, A, vocabulary): the logits that predict each answer token.
        """
        begin = torch.full_like(answer[:, :1], BEGIN)
        x = torch.cat([prompt, self._embed(torch.cat([begin, answer[:, :-1]], dim=1), first=0)], dim=1)
        mask, first = prefix_mask(prompt_mask, answer.shape[1]), prompt.shape[1]
        for layer in self.layers[:-1]:
            x, _ = layer(x, mask, None)
        x, _ = self.layers[-1](x, mask[:, :, first:], None, first=first)
        return self.out(self.norm(x))  # type: ignore[no-any-return]

    @torch.no_grad()
    def generate(self, prompt: Tensor, *, limit: int, barred: Sequence[int] = (), heard: Heard | None = None) -> Words:
        """Greedy answer to one prompt (1, L, H), at most `limit` tokens, that begins with none of the ids `barred`: of
        the first token's probability they have no part. Keys and values are kept between tokens.

        `heard`: another (of one row) who has a say in the first token.
        """
        x, past = prompt, []
        for layer in self.layers:
            x, kept = layer(x, None, None, first=prompt.shape[1] if layer is self.layers[-1] else 0)
            past.append(kept)
        ids: list[int] = []
        scores: list[float] = []
        token = BEGIN
        for step in range(min(limit, self.position.num_embeddings)):
            x = self._embed(torch.tensor([[token]], device=prompt.device), first=step).to(prompt.dtype)
            for i, layer in enumerate(self.layers):
                x, past[i] = layer(x, None, past[i])
            logits = self.out(self.norm(x[:, -1])).float()[0]
            if not step:
                logits = logits if heard is None else heard.pool(logits.log_softmax(-1)[None])[0]
                logits[list(barred)] = -torch.inf
            logits = logits.log_softmax(-1)
            token = int(logits.argmax())
            scores.append(float(logits[token]))
            if token == END:
                break
            ids.append(token)
        return Words(tuple(ids), tuple(scores))

    def _embed(self, ids: Tensor, *, first: int) -> Tensor:
        positions = torch.arange(first, first + ids.shape[1], device=ids.device)
        return self.words(ids) + self.position(positions)  # type: ignore[no-any-return]


def prefix_mask(prompt_mask: Tensor, answer: int) -> Tensor:
    """(B, 1, L + A, L + A), True = seen: the prompt sees the prompt, the answer sees the prompt and its own past."""
    b, length = prompt_mask.shape
    total = length + answer
    causal = torch.ones(total, total, dtype=torch.bool, device=prompt_mask.device).tril()
    causal[:, :length] = True
    causal[:length, length:] = False
    real = torch.cat([prompt_mask, prompt_mask.new_ones(b, answer)], dim=1)
    return causal[None, None] & real[:, None, None, :]
