"""Memory read aloud: the surest frames' own words, and what they change of an answer's first token."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from rewind.config import ReWindConfig
from rewind.language.aloud import Heard, read_aloud, said_alone
from rewind.language.decoder import BundledDecoder
from rewind.language.prompt import Prompt
from rewind.language.tokenizer import END

CONFIG = replace(
    ReWindConfig(), width=16, heads=4, text_width=12, decoder_width=24, decoder_heads=4, decoder_layers=2,
    vocabulary=30, answer_reserve=6,
)  # fmt: skip


def made() -> tuple[Prompt, BundledDecoder]:
    torch.manual_seed(1)
    return Prompt(CONFIG).eval().requires_grad_(False), BundledDecoder(CONFIG).eval().requires_grad_(False)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=9), st.integers(1, 5))
def test_the_surest_frames_are_heard_by_their_score(scores: list[float], most: int) -> None:
    """The plain way: frame by frame, those of .5 and more, the best one always, `most` of them."""
    prompt, decoder = made()
    tokens = torch.randn(len(scores), 2, 16, generator=torch.Generator().manual_seed(2))
    order = sorted(range(len(scores)), key=lambda i: -torch.tensor(scores)[i].item())[:most]
    heard = [i for i in order if i == order[0] or scores[i] >= 0.5]
    total, weights = torch.zeros(30), 0.0
    for i in heard:
        weight = max(scores[i], 1e-6)
        total += weight * said_alone(prompt, decoder, tokens[i]).log_softmax(-1).clamp(min=-9)
        weights += weight
    mine = read_aloud(prompt, decoder, tokens, torch.tensor(scores), most=most)
    if len(set(scores)) == len(scores):  # of frames that are as sure any may be heard
        torch.testing.assert_close(mine, total / weights, atol=1e-4, rtol=1e-4)


def test_a_pool_lies_between_both_and_sums_to_one() -> None:
    said, words = torch.randn(2, 3, 30).log_softmax(-1)
    for weight in (0.0, 0.4, 1.0):
        pooled = Heard(words, torch.full((3,), weight)).pool(said)
        torch.testing.assert_close(pooled.exp().sum(-1), torch.ones(3))
    torch.testing.assert_close(Heard(words, torch.zeros(3)).pool(said), said)
    torch.testing.assert_close(Heard(words, torch.ones(3)).pool(said), words)
    assert torch.equal(Heard(words, torch.tensor([0.0, 0.5, 1.0])).row(1).weight, torch.tensor([0.5]))


@torch.no_grad()
def test_what_is_heard_has_its_share_in_the_first_token_alone() -> None:
    _, decoder = made()
    prompt = torch.randn(1, 9, 24, generator=torch.Generator().manual_seed(3))
    free = decoder.generate(prompt, limit=6)
    words = torch.full((1, 30), -9.0)
    words[0, 11] = 0.0
    led = decoder.generate(prompt, limit=6, heard=Heard(words, torch.tensor([1.0])))
    assert led.ids[0] == 11
    assert decoder.generate(prompt, limit=6, heard=Heard(words, torch.tensor([0.0]))).ids == free.ids
    answer = torch.tensor([[*led.ids, END][:6]])
    scores = decoder(prompt, torch.ones(1, 9, dtype=torch.bool), answer)[0].log_softmax(-1)
    for step, log_probability in enumerate(led.log_probabilities[1:], start=1):
        assert float(scores[step, answer[0, step]]) == pytest.approx(log_probability, abs=1e-4)
    assert decoder.generate(prompt, limit=6, heard=Heard(words, torch.tensor([1.0])), barred=[11]).ids[:1] != (11,)
