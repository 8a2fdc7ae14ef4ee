"""A whole model of small sizes with weights of a seed, videos and instructions as features, and the way from them to an
answer."""

from __future__ import annotations

from dataclasses import replace

import torch

from rewind.config import ReWindConfig
from rewind.language.answer import Decoded
from rewind.language.tokenizer import AnswerTokenizer
from rewind.memory import MemoryState
from rewind.model import ReWind
from rewind.text import TextFeatures

TOKENIZER = AnswerTokenizer.from_words(["red", "blue", "yes", "no"])
CONFIG = replace(
    ReWindConfig(), width=16, heads=4, queries=3, patches=4, fine_grid=4, vision_width=6, fine_width=5, text_width=12,
    score_width=8, detail_tokens=4, decoder_width=24, decoder_heads=4, decoder_layers=2, vocabulary=len(TOKENIZER),
    budget=240, instruction_limit=16, answer_reserve=6, key_frames=4, candidates=12, reserve=2, neck_blocks=1,
    salient=6, moments=4, patch_place=True,
)  # fmt: skip


def tiny(**changes: object) -> ReWind:
    torch.manual_seed(3)
    model = ReWind(replace(CONFIG, **changes), tokenizer=TOKENIZER).eval().requires_grad_(False)
    model.answers.fill_(1.0)
    return model


def text(seed: int = 0, *, words: int = 5) -> TextFeatures:
    made = torch.Generator().manual_seed(seed)
    tokens = torch.randn(1, words, 12, generator=made)
    pooled = torch.nn.functional.normalize(tokens.mean(1), dim=-1)
    return TextFeatures((f"question {seed}",), tokens, torch.ones(1, words, dtype=torch.bool), pooled)


def video(frames: int, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    made = torch.Generator().manual_seed(seed)
    return torch.randn(frames, 4, 6, generator=made), torch.randn(frames, 16, 5, generator=made)


def watch(model: ReWind, deep: torch.Tensor, fine: torch.Tensor, question: TextFeatures) -> MemoryState:
    state = model.begin(question)
    for start in range(0, len(deep), model.config.clip_frames):
        part = slice(start, start + model.config.clip_frames)
        state = model.update(state, deep[part], fine[part])
    return state


def ask(
    model: ReWind, deep: torch.Tensor, fine: torch.Tensor, question: TextFeatures, *, familiarity: float | None = None
) -> Decoded:  # fmt: skip
    state = watch(model, deep, fine, question)
    scores = model.frame_scores(state)
    picks = model.select(state, scores=scores)
    seconds = torch.arange(len(deep), dtype=torch.float64)
    rows = torch.tensor(picks.rows)
    patches = model.project(deep[rows], fine[rows])
    return model.answer(
        state, picks, text=question, patches=patches, seconds=seconds, scores=scores, familiarity=familiarity
    )
