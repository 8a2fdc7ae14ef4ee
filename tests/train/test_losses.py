"""What `told` teaches with is memory that perceived nothing; which frames the decoder is shown."""

from __future__ import annotations

import math
from dataclasses import fields, replace

import pytest
import torch

from rewind.config import ReWindConfig
from rewind.language.tokenizer import AnswerTokenizer
from rewind.model import ReWind
from rewind.text import TextFeatures
from rewind.train.losses import Batch, draw_shown, instruct_losses, prompt_parts, relevance_loss, remember, told

TOKENIZER = AnswerTokenizer.from_words(["red", "blue", "yes", "no"])
CONFIG = replace(
    ReWindConfig(), width=16, heads=4, queries=3, patches=4, fine_grid=4, vision_width=6, fine_width=5, text_width=12,
    score_width=8, detail_tokens=4, decoder_width=24, decoder_heads=4, decoder_layers=1, vocabulary=len(TOKENIZER),
    neck_blocks=1, salient=6, clip_frames=4,
)  # fmt: skip
FRAMES = 12


@pytest.fixture
def model() -> ReWind:
    torch.manual_seed(0)
    return ReWind(CONFIG, tokenizer=TOKENIZER)


@pytest.fixture
def batch() -> Batch:
    made = torch.Generator().manual_seed(1)
    mask = torch.ones(3, 5, dtype=torch.bool)
    mask[1, 3:] = False
    tokens = torch.randn(3, 5, 12, generator=made)
    text = TextFeatures(("a", "b", "c"), tokens, mask, torch.nn.functional.normalize(tokens.sum(1), dim=-1))
    return Batch(
        patches=torch.randn(3, FRAMES, 6, 16, generator=made), text=text,
        relevant=torch.rand(3, FRAMES, 2, generator=made) > 0.7, answer=torch.tensor([[4, 2], [5, 2], [6, 2]]),
        speaks=torch.ones(3), reads=torch.tensor([True, True, False]),
    )  # fmt: skip


@torch.no_grad()
def test_what_aim_tells_is_memory_that_perceived_nothing(model: ReWind, batch: Batch) -> None:
    assert model.write.scale is not None
    model.write.scale.zero_()
    state, tokens = told(model, batch.patches, batch.text)
    assert state.frames == 0
    torch.testing.assert_close(tokens, remember(model, batch.patches, batch.text).tokens(), atol=1e-5, rtol=1e-5)


def test_a_step_without_perceiving_teaches_the_decoder_and_not_the_perceiver(model: ReWind, batch: Batch) -> None:
    made = torch.Generator().manual_seed(2)
    losses = instruct_losses(model, batch, keep=2, teacher=0.5, generator=made, perceive=False, shown=4)
    losses.total(relevance_weight=1.0, reading_weight=1.0).backward()
    assert model.decoder is not None
    assert model.aim is not None
    for module in (model.decoder, model.aim, model.score):
        assert any(p.grad is not None and bool(p.grad.any()) for p in module.parameters())
    assert all(p.grad is None for p in [*model.perceiver.parameters(), *model.write.parameters()])


@torch.no_grad()
def test_the_prompt_holds_the_memory_of_the_frames_that_are_shown(model: ReWind, batch: Batch) -> None:
    state, tokens = told(model, batch.patches, batch.text)
    logits = model.score(tokens, state.pooled)
    rows = torch.tensor([[0, 1]]).expand(3, -1)
    shown = torch.tensor([[1, 5, 9], [0, 2, 11], [3, 4, 8]])
    every = prompt_parts(model, state, tokens, logits, batch, rows)
    some = prompt_parts(model, state, tokens, logits, batch, rows, shown=shown)
    for video in range(3):
        both = [2 * frame + token for frame in shown[video].tolist() for token in (0, 1)]
        for name in ("memory", "memory_place", "memory_score"):
            torch.testing.assert_close(getattr(some, name)[video], getattr(every, name)[video, both])
    assert some.memory_mask.shape == (3, 6)


@torch.no_grad()
@pytest.mark.parametrize("perceive", [False, True])
def test_a_prompt_is_made_where_the_model_lies(model: ReWind, batch: Batch, perceive: bool) -> None:
    """The text encoder works on the CPU, whatever trains: the meta device mixes with it no more than a GPU does."""
    model = ReWind(replace(CONFIG, moments=0), tokenizer=TOKENIZER).to("meta")
    there = {f.name: getattr(batch, f.name) for f in fields(batch) if f.name != "text"}
    batch = replace(batch, **{name: value.to("meta") for name, value in there.items()})
    state, tokens = told(model, batch.patches, batch.text)
    if perceive:
        state = remember(model, batch.patches, batch.text)
        tokens = state.tokens()
    logits = model.score(tokens, state.pooled, left=torch.arange(FRAMES).flip(0))
    rows = logits.amax(-1).topk(2, dim=1).indices
    embeddings, mask = model.prompt(prompt_parts(model, state, tokens, logits, batch, rows))
    assert model.decoder is not None
    assert model.decoder(embeddings, mask, batch.answer).device.type == "meta"


def test_half_of_what_is_shown_scores_best_and_the_rest_is_drawn() -> None:
    scores = torch.arange(40.0)[None].expand(2, -1)
    drawn = set()
    for seed in range(20):
        rows = draw_shown(scores, 8, generator=torch.Generator().manual_seed(seed))
        assert rows.shape == (2, 8)
        for row in rows.tolist():
            assert row == sorted(set(row))
            assert row[-4:] == [36, 37, 38, 39]
            drawn |= set(row[:-4])
    assert len(drawn) > 25


@pytest.mark.parametrize("true_frames", [0, 1, 5])
def test_hard_false_frames_weigh_as_many_as_there_are_true_ones(true_frames: int) -> None:
    """By hand, for two videos of ten frames and two things: the best false scores, at least four of them."""
    made = torch.Generator().manual_seed(true_frames)
    logits = torch.randn(2, 10, 2, generator=made)
    relevant = torch.zeros(2, 10, 2)
    relevant[0, :true_frames, 0] = 1
    plain, weighed = relevance_loss(logits, relevant), relevance_loss(logits, relevant, hard=0.5)
    means = []
    for video, (scores, truth) in enumerate(zip(logits, relevant, strict=True)):
        count = max(4, true_frames if video == 0 else 0)
        false = sorted((float(s) for s in scores[truth == 0]), reverse=True)[:count]
        means.append(sum(math.log1p(math.exp(s)) for s in false) / count)
    assert float(weighed) == pytest.approx(float(plain) + 0.5 * sum(means) / 2, rel=1e-5)
