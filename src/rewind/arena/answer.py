"""From what a recipe remembers to words: one prompt layout and one loss for all recipes."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from rewind.arena.recipe import Ask, Recipe, Remembered
from rewind.language.moments import MomentParts, moment_parts
from rewind.language.place import places
from rewind.language.prompt import PromptParts
from rewind.language.tokenizer import PAD
from rewind.text import TextFeatures
from rewind.train.losses import Batch, answer_loss, relevance_loss

_RELEVANCE_WEIGHT, _READING_WEIGHT = 2.0, 0.5


@dataclass(frozen=True)
class Videos:
    """B videos of T frames with one question each.

    `patches` (B, T, P, D), `relevant` (B, T, SLOTS) 0/1, `answer` (B, A) END-closed ids, PAD-filled; `reads` (B,):
    whether one relevant frame is enough to know the answer.
    """

    patches: Tensor
    text: TextFeatures
    relevant: Tensor
    answer: Tensor
    reads: Tensor

    @staticmethod
    def of(batch: Batch) -> Videos:
        return Videos(batch.patches, batch.text, batch.relevant, batch.answer, batch.reads.bool())


@dataclass(frozen=True)
class Parts:
    """Mean loss of each kind; `correct` is the share whose whole answer was right."""

    answer: Tensor
    relevance: Tensor
    reading: Tensor
    correct: Tensor

    def total(self) -> Tensor:
        return self.answer + _RELEVANCE_WEIGHT * self.relevance + _READING_WEIGHT * self.reading


def prompt_parts(recipe: Recipe, seen: Remembered, text: TextFeatures, *, frames: int) -> PromptParts:
    """What goes into the prompts of B videos of `frames` seconds."""
    held, end_s = seen.entries, float(frames)
    b, device = held.tokens.shape[0], held.tokens.device
    middle = ((held.start + held.end).float() / 2 - 0.5).flatten(1)
    if seen.detail is None or seen.rows is None:
        detail = held.tokens.new_zeros(b, 0, recipe.kit_config.detail_tokens, held.tokens.shape[-1])
        rows = torch.zeros(b, 0, dtype=torch.long, device=device)
    else:
        detail, rows = seen.detail, seen.rows
    return PromptParts(
        memory=held.tokens.flatten(1, 2),
        memory_place=places(middle, start_s=0.0, end_s=end_s),
        memory_score=seen.score.flatten(1).to(held.tokens.dtype),
        memory_mask=held.mask.flatten(1),
        detail=detail,
        detail_place=places(rows.float(), start_s=0.0, end_s=end_s),
        detail_mask=torch.ones_like(rows, dtype=torch.bool),
        text=text.tokens.to(device),
        text_mask=text.mask.to(device),
        moments=_found(recipe, seen, frames=frames),
        words=seen.things,
    )


def _found(recipe: Recipe, seen: Remembered, *, frames: int) -> MomentParts | None:
    """The stretches that a recipe's own scores found, as the engine lists them: the same for all recipes."""
    limit = recipe.kit_config.moments
    if not limit:
        return None
    seconds = torch.arange(frames, device=seen.frames.device, dtype=torch.float32)
    return moment_parts(seen.frames, seen.relevance, seconds, end_s=float(frames), limit=limit, dtype=torch.float32)


def words(recipe: Recipe, seen: Remembered, videos: Videos) -> Tensor:
    """Teacher-forced logits (B, A, vocabulary) of the answers."""
    parts = prompt_parts(recipe, seen, videos.text, frames=videos.patches.shape[1])
    embeddings, mask = recipe.prompt(parts)
    return torch.as_tensor(recipe.decoder(embeddings, mask, videos.answer)).float()


def losses(recipe: Recipe, videos: Videos, ask: Ask) -> Parts:
    """One step's losses, as the engine's training has them: the same for all recipes."""
    seen = recipe(videos.patches, videos.text, ask)
    relevance = relevance_loss(seen.relevance.float(), videos.relevant[..., : seen.relevance.shape[-1]])
    answer, correct = answer_loss(words(recipe, seen, videos), videos.answer)
    return Parts(answer, relevance, reading_loss(recipe, seen, videos), correct)


def reading_loss(recipe: Recipe, seen: Remembered, videos: Videos) -> Tensor:
    """The answer's first token, read straight off what is shown of relevant frames by the decoder's own output layer.

    As the engine's training has it; here off whatever a recipe shows of a frame, merged or not.
    """
    prompt, decoder = recipe.prompt, recipe.decoder
    on = videos.relevant.bool().any(-1) & videos.reads[:, None]
    content, wanted = [], []
    first = videos.answer[:, :1]
    if seen.entries.tokens.shape[1]:
        content.append(prompt.memory(prompt.memory_norm(seen.frames)).mean(2)[on])
        wanted.append(first.expand_as(on)[on])
    if seen.detail is not None and seen.rows is not None:
        shown = torch.gather(on, 1, seen.rows)
        # Where each token reads a patch of its own, the first reads the one that fits best.
        spoken = seen.detail[:, :, :1] if recipe.kit_config.read_detail else seen.detail
        content.append(prompt.detail(prompt.detail_norm(spoken)).mean(2)[shown])
        wanted.append(first.expand_as(shown)[shown])
    if not content or not sum(len(c) for c in content):
        return first.new_zeros((), dtype=torch.float32)
    logits = decoder.out(decoder.norm(torch.cat(content))).float()
    return nn.functional.cross_entropy(logits, torch.cat(wanted))


@dataclass(frozen=True)
class Answers:
    """Of B questions: whether greedy decoding gives the answer (B,), frame probabilities (B, T), what was shown."""

    right: Tensor
    probability: Tensor
    seen: Remembered


@torch.no_grad()
def answers(recipe: Recipe, videos: Videos, ask: Ask) -> Answers:
    """Try B questions.

    Greedy decoding gives exactly the answer if and only if every teacher-forced token of it is the likeliest: so one
    pass marks the whole batch.
    """
    seen = recipe(videos.patches, videos.text, ask)
    given = words(recipe, seen, videos).argmax(-1)
    right = ((given == videos.answer) | (videos.answer == PAD)).all(1)
    return Answers(right, torch.sigmoid(seen.relevance.float().amax(-1)), seen)
