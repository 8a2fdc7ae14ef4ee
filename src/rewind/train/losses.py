"""What training minimises: next token on answers, relevance on frames, SigLIP on clips and captions."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from rewind.language.prompt import PromptParts, places
from rewind.language.tokenizer import PAD
from rewind.memory import MemoryState
from rewind.model import ReWind
from rewind.text import TextFeatures


@dataclass(frozen=True)
class Batch:
    """B videos of T frames each with one instruction.

    `deep` (B, T, P, C), `fine` (B, T, Pf, Cf), `relevant` (B, T) 0/1, `answer` (B, A) END-closed ids, PAD-filled;
    `speaks` (B,) whether the answer counts for the language loss (a find sample has only relevance).
    """

    deep: Tensor
    fine: Tensor
    text: TextFeatures
    relevant: Tensor
    answer: Tensor
    speaks: Tensor


@dataclass(frozen=True)
class Losses:
    """Mean loss of each kind; `correct` is the share of speaking samples whose whole answer was right."""

    answer: Tensor
    relevance: Tensor
    correct: Tensor

    def total(self, *, relevance_weight: float) -> Tensor:
        return self.answer + relevance_weight * self.relevance


def remember(model: ReWind, deep: Tensor, fine: Tensor, text: TextFeatures) -> MemoryState:
    """Walk B videos (B, T, …) clip by clip, gradients kept through every write."""
    state = model.begin(text)
    patches = model.project(deep, fine)
    for clip in patches.split(model.config.clip_frames, dim=1):
        state = model.perceive(state, clip)
    return state


def instruct_losses(model: ReWind, batch: Batch, *, keep: int, teacher: float, generator: torch.Generator) -> Losses:
    """Stages 2 and 3. With probability `teacher` a sample's key frames are drawn by the truth, else by its own scores.

    Selection itself gets no gradient from the answer: top-k is discrete. The relevance loss trains it.
    """
    state = remember(model, batch.deep, batch.fine, batch.text)
    tokens = state.tokens()
    logits = model.score(tokens, state.pooled).float()
    relevance = relevance_loss(logits, batch.relevant)
    rows = draw_key_frames(
        logits.detach(), batch.relevant, keep=min(keep, logits.shape[1]), teacher=teacher,
        generator=generator,
    )  # fmt: skip
    parts = prompt_parts(model, state, tokens, logits.detach(), batch, rows)
    embeddings, mask = model.prompt(parts)
    assert model.decoder is not None  # noqa: S101  (training makes the model with its bundled decoder)
    words = model.decoder(embeddings, mask, batch.answer).float()
    speaks = batch.speaks.bool()
    answer, correct = answer_loss(words[speaks], batch.answer[speaks])
    return Losses(answer, relevance, correct)


def prompt_parts(
    model: ReWind, state: MemoryState, tokens: Tensor, logits: Tensor, batch: Batch, rows: Tensor
) -> PromptParts:
    """The prompt of B whole memories with key frames `rows` (B, k): nothing merged, as training lengths fit."""
    b, t, w, d = tokens.shape
    seconds = torch.arange(t, device=tokens.device, dtype=torch.float32).expand(b, -1)
    place = places(seconds, start_s=0.0, end_s=float(t))
    fine = torch.gather(batch.fine, 1, rows[:, :, None, None].expand(-1, -1, *batch.fine.shape[2:]))
    key_place = torch.gather(place, 1, rows[:, :, None].expand(-1, -1, 2))
    return PromptParts(
        memory=tokens.reshape(b, t * w, d),
        memory_place=place.repeat_interleave(w, dim=1),
        memory_score=model.score.probability(logits).repeat_interleave(w, dim=1),
        memory_mask=torch.ones(b, t * w, dtype=torch.bool, device=tokens.device),
        detail=model.detail(fine.to(model.dtype), state.pooled),
        detail_place=key_place,
        detail_mask=torch.ones_like(rows, dtype=torch.bool),
        text=batch.text.tokens,
        text_mask=batch.text.mask,
    )


def draw_key_frames(
    logits: Tensor, relevant: Tensor, *, keep: int, teacher: float, generator: torch.Generator
) -> Tensor:
    """Rows (B, keep) in time order: the best scores, or, where the teacher speaks, true frames first."""
    b = logits.shape[0]
    by_truth = torch.rand(b, 1, generator=generator).to(logits.device) < teacher
    jitter = torch.rand(logits.shape, generator=generator).to(logits.device)
    truth = relevant.to(logits.dtype) * 2 + jitter
    keys = torch.where(by_truth, truth, torch.sigmoid(logits) + 0.02 * jitter)
    return keys.topk(keep, dim=1).indices.sort(dim=1).values


def relevance_loss(logits: Tensor, relevant: Tensor) -> Tensor:
    """Binary cross-entropy over frames, half over all of them and half over the true ones of each video."""
    each = functional.binary_cross_entropy_with_logits(logits, relevant.float(), reduction="none")
    on = relevant.float()
    per_video = (each * on).sum(1) / on.sum(1).clamp(min=1)
    has = (on.sum(1) > 0).float()
    return each.mean() + 0.5 * (per_video * has).sum() / has.sum().clamp(min=1)


def answer_loss(words: Tensor, answer: Tensor) -> tuple[Tensor, Tensor]:
    """Cross-entropy over answer tokens (n, A, vocabulary), and the share of answers right to the last token."""
    if words.shape[0] == 0:
        return words.sum() * 0, words.new_zeros(())
    loss = functional.cross_entropy(words.flatten(0, 1), answer.flatten(), ignore_index=PAD)
    right = (words.argmax(-1) == answer) | (answer == PAD)
    return loss, right.all(1).float().mean()


class Alignment(nn.Module):
    """Stage 1: perceived queries of a frame meet the features of phrases that hold in it (SigLIP sigmoid loss).

    One phrase may hold in many frames and many in one, so every (frame, phrase) pair is a yes or a no of its own; a
    frame's answer to a phrase is that of its best query.
    """

    def __init__(self, width: int, text_width: int, *, shared: int = 96) -> None:
        super().__init__()
        self.query = nn.Linear(width, shared)
        self.phrase = nn.Linear(text_width, shared)
        self.scale = nn.Parameter(torch.tensor(2.3))
        self.bias = nn.Parameter(torch.tensor(-4.0))

    def forward(self, perceived: Tensor, phrases: Tensor, holds: Tensor) -> Tensor:
        """perceived Q̂ (B, F, R, D), phrases (n, text_width), holds (B, F, n) → the loss, yes and no weighing alike."""
        query = functional.normalize(self.query(perceived).float(), dim=-1)
        phrase = functional.normalize(self.phrase(phrases).float(), dim=-1)
        best = torch.einsum("bfrd,nd->bfrn", query, phrase).amax(2)
        logits = best * self.scale.exp() + self.bias
        each = functional.binary_cross_entropy_with_logits(logits, holds, reduction="none")
        return (each * holds).sum() / holds.sum().clamp(min=1) + (each * (1 - holds)).sum() / (1 - holds).sum().clamp(
            min=1
        )
