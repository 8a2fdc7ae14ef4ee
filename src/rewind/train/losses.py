"""What training minimises: next token on answers, relevance on frames, SigLIP on clips and captions."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from rewind.language.aloud import said_alone
from rewind.language.place import places
from rewind.language.prompt import PromptParts
from rewind.language.tokenizer import PAD
from rewind.memory import MemoryState
from rewind.model import ReWind
from rewind.text import TextFeatures

_FEWEST_FALSE = 4


@dataclass(frozen=True)
class Batch:
    """B videos of T frames each with one instruction.

    `patches` (B, T, P, D) of `ReWind.project`, `relevant` (B, T, SLOTS) 0/1 for each thing that the instruction names,
    `answer` (B, A) END-closed ids, PAD-filled; `speaks` (B,) whether the answer counts for the language loss; `reads`
    (B,) whether one relevant frame is enough to know it.
    """

    patches: Tensor
    text: TextFeatures
    relevant: Tensor
    answer: Tensor
    speaks: Tensor
    reads: Tensor


@dataclass(frozen=True)
class Losses:
    """Mean loss of each kind; `correct` is the share of speaking samples whose whole answer was right."""

    answer: Tensor
    relevance: Tensor
    reading: Tensor
    correct: Tensor

    def total(self, *, relevance_weight: float, reading_weight: float = 0.0) -> Tensor:
        return self.answer + relevance_weight * self.relevance + reading_weight * self.reading


def remember(model: ReWind, patches: Tensor, text: TextFeatures) -> MemoryState:
    """Walk B videos (B, T, P, D) clip by clip, gradients kept through every write."""
    state = model.begin(text)
    for clip in patches.split(model.config.clip_frames, dim=1):
        state = model.perceive(state, clip)
    return state


def told(model: ReWind, patches: Tensor, text: TextFeatures) -> tuple[MemoryState, Tensor]:
    """Memory as `Aim` alone would write it, nothing perceived: an empty state of `text`, and tokens (B, T, W, D).

    Costs a small part of `remember`: the decoder can be taught with it on ten times as many videos.
    """
    state, config = model.begin(text), model.config
    assert model.aim is not None and state.slots is not None  # noqa: S101, PT018  (only sizes that aim are trained so)
    logits = model.aim.logits(patches, state.slots)
    each, handed = [], None
    for clip, fit in zip(patches.split(config.clip_frames, 1), logits.split(config.clip_frames, 1), strict=True):
        of_clip, handed = model.aim.tell_frames(clip, fit, state.slots, state.pooled, handed)
        each.append(of_clip)
    return state, torch.cat(each, dim=1)[:, :, None].expand(-1, -1, config.write_tokens, -1)


def instruct_losses(
    model: ReWind, batch: Batch, *, keep: int, teacher: float, generator: torch.Generator, perceive: bool = True,
    shown: int = 0, hard: float = 0.0,
) -> Losses:  # fmt: skip
    """Stages 2 and 3. With probability `teacher` a sample's key frames are drawn by the truth, else by its own scores.

    Selection itself gets no gradient from the answer: top-k is discrete. The relevance loss trains it.

    Args:
        perceive: False teaches the decoder on what `told` gives.
        shown: frames whose memory the decoder sees, half of them by relevance; 0 for all.
        hard: see `relevance_loss`.
    """
    if perceive:
        state = remember(model, batch.patches, batch.text)
        tokens = state.tokens()
    else:
        state, tokens = told(model, batch.patches, batch.text)
    logits = model.score(tokens, state.pooled).float()
    relevance = relevance_loss(logits, batch.relevant[..., : logits.shape[-1]], hard=hard)
    rows = draw_key_frames(
        logits.detach().amax(-1), batch.relevant.amax(-1), keep=min(keep, logits.shape[1]), teacher=teacher,
        generator=generator,
    )  # fmt: skip
    some = None
    if 0 < shown < logits.shape[1]:
        some = draw_shown(logits.detach().amax(-1), shown, generator=generator)
    parts = prompt_parts(model, state, tokens, logits.detach(), batch, rows, shown=some)
    reading = reading_loss(model, tokens, parts.detail, rows, batch)
    embeddings, mask = model.prompt(parts)
    assert model.decoder is not None  # noqa: S101  (training makes the model with its bundled decoder)
    words = model.decoder(embeddings, mask, batch.answer).float()
    speaks = batch.speaks.bool()
    answer, correct = answer_loss(words[speaks], batch.answer[speaks])
    return Losses(answer, relevance, reading, correct)


def prompt_parts(
    model: ReWind, state: MemoryState, tokens: Tensor, logits: Tensor, batch: Batch, rows: Tensor, *,
    shown: Tensor | None = None,
) -> PromptParts:  # fmt: skip
    """The prompt of B whole memories with key frames `rows` (B, k): nothing merged, as training lengths fit.

    `shown` (B, n): the frames whose memory goes into it; all where not given.
    """
    b, t, w, d = tokens.shape
    seconds = torch.arange(t, device=tokens.device, dtype=torch.float32).expand(b, -1)
    place = places(seconds, start_s=0.0, end_s=float(t))
    if shown is None:
        shown = torch.arange(t, device=tokens.device).expand(b, -1)
    n = shown.shape[1]
    memory = torch.gather(tokens, 1, shown[:, :, None, None].expand(-1, -1, w, d)).reshape(b, n * w, d)
    memory_place = torch.gather(place, 1, shown[:, :, None].expand(-1, -1, 2))
    keys = torch.gather(batch.patches, 1, rows[:, :, None, None].expand(-1, -1, *batch.patches.shape[2:]))
    key_place = torch.gather(place, 1, rows[:, :, None].expand(-1, -1, 2))
    return PromptParts(
        memory=memory,
        memory_place=memory_place.repeat_interleave(w, dim=1),
        memory_score=torch.sigmoid(torch.gather(logits.amax(-1), 1, shown)).repeat_interleave(w, dim=1),
        memory_mask=torch.ones(b, n * w, dtype=torch.bool, device=tokens.device),
        detail=model.look(keys, state),
        detail_place=key_place,
        detail_mask=torch.ones_like(rows, dtype=torch.bool),
        text=batch.text.tokens.to(tokens.device),
        text_mask=batch.text.mask.to(tokens.device),
        words=state.words,
        moments=model.moment_parts(tokens, logits, seconds[0], end_s=float(t)),
    )


def reading_loss(model: ReWind, tokens: Tensor, detail: Tensor, rows: Tensor, batch: Batch) -> Tensor:
    """The answer's first token, read straight off relevant frames' memory and detail by the decoder's own output layer.

    The answer's own loss reaches a frame's content through attention over a hundred tokens, which has to find the frame
    first: for thousands of steps neither learns. This says what the content should be; the decoder need only fetch it.

    Args:
        tokens: memory (B, T, W, D); detail: (B, k, n, D) of key frames `rows` (B, k).
    """
    assert model.decoder is not None  # noqa: S101
    prompt, decoder = model.prompt, model.decoder
    on = batch.relevant.any(-1) & batch.reads.bool()[:, None]
    shown = torch.gather(on, 1, rows)
    # Where each token reads a patch of its own, the first reads the one that fits best.
    spoken = detail[:, :, :1] if model.config.read_detail else detail
    from_detail = prompt.detail(prompt.detail_norm(spoken)).mean(2)[shown]
    logits = torch.cat([said_alone(prompt, decoder, tokens[on]), decoder.out(decoder.norm(from_detail))]).float()
    if not len(logits):
        return torch.as_tensor(logits.sum())
    first = batch.answer[:, :1]
    wanted = torch.cat([first.expand_as(on)[on], first.expand_as(shown)[shown]])
    return functional.cross_entropy(logits, wanted)


def draw_shown(scores: Tensor, frames: int, *, generator: torch.Generator) -> Tensor:
    """Rows (B, frames) in time order: half those with the best scores (B, T), half drawn from all others."""
    best = scores.topk(frames // 2, dim=1).indices
    keys = torch.rand(scores.shape, generator=generator).to(scores.device).scatter(1, best, 2.0)
    return keys.topk(frames, dim=1).indices.sort(dim=1).values


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


def relevance_loss(logits: Tensor, relevant: Tensor, *, hard: float = 0.0) -> Tensor:
    """Binary cross-entropy over frames and tracks (B, T, tracks), half over all and half over true ones.

    True frames are few and weigh so much more than others that what cannot be told from them is scored as one of them,
    at .95 and more. Where that is to be unlearnt, `hard` weighs the false frames with the best scores, as many as there
    are true ones.
    """
    logits, relevant = logits.flatten(1), relevant.flatten(1)
    each = functional.binary_cross_entropy_with_logits(logits, relevant.float(), reduction="none")
    on = relevant.float()
    per_video = (each * on).sum(1) / on.sum(1).clamp(min=1)
    has = (on.sum(1) > 0).float()
    loss = each.mean() + 0.5 * (per_video * has).sum() / has.sum().clamp(min=1)
    if hard:
        false = (each * (1 - on)).sort(dim=1, descending=True).values
        taken = torch.arange(false.shape[1], device=false.device) < on.sum(1, keepdim=True).clamp(min=_FEWEST_FALSE)
        loss = loss + hard * ((false * taken).sum(1) / taken.sum(1)).mean()
    return torch.as_tensor(loss)


def answer_loss(words: Tensor, answer: Tensor) -> tuple[Tensor, Tensor]:
    """Cross-entropy over answer tokens (n, A, vocabulary), and the share of answers right to the last token."""
    if words.shape[0] == 0:
        return words.sum() * 0, words.new_zeros(())
    loss = functional.cross_entropy(words.flatten(0, 1), answer.flatten(), ignore_index=PAD)
    right = (words.argmax(-1) == answer) | (answer == PAD)
    return loss, right.all(1).float().mean()


def aim_loss(logits: Tensor, fits: Tensor) -> Tensor:
    """SigLIP's sigmoid loss between patches and instructions: both (patches, instructions, SLOTS).

    Every pair is a yes or a no of its own; the few that fit weigh, together, as much as those that do not.
    """
    each = functional.binary_cross_entropy_with_logits(logits.float(), fits, reduction="none")
    many = fits.sum().clamp(min=1)
    return torch.as_tensor(((each * fits).sum() + (each * (1 - fits)).sum()) / many)
