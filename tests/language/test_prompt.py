"""The prompt: parts in the paper's order, moments as tokens of their own, padding hidden by the mask."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from rewind.config import SLOTS, ReWindConfig
from rewind.language.moments import MomentParts
from rewind.language.prompt import Prompt, PromptParts

CONFIG = replace(
    ReWindConfig(), width=16, heads=4, text_width=12, detail_tokens=3, decoder_width=24, decoder_heads=4, moments=6,
)  # fmt: skip
MEMORY, KEYS, WORDS = 8, 2, 5


def moments(count: int, *, batch: int = 2) -> MomentParts:
    made = torch.Generator().manual_seed(count)
    number = torch.arange(count).expand(batch, -1)
    return MomentParts(
        tokens=torch.randn(batch, count, 2, 16, generator=made), start=torch.rand(batch, count, 2, generator=made),
        end=torch.rand(batch, count, 2, generator=made), track=number % 2, ordinal=number // 2, rank=number,
        score=torch.rand(batch, count, generator=made), mask=torch.ones(batch, count, dtype=torch.bool),
    )  # fmt: skip


def parts(found: MomentParts | None, *, batch: int = 2) -> PromptParts:
    made = torch.Generator().manual_seed(9)

    def drawn(*shape: int) -> Tensor:
        return torch.randn(batch, *shape, generator=made)

    text_mask = torch.ones(batch, WORDS, dtype=torch.bool)
    text_mask[-1, 3:] = False
    return PromptParts(
        memory=drawn(MEMORY, 16), memory_place=drawn(MEMORY, 2).abs(), memory_score=drawn(MEMORY).sigmoid(),
        memory_mask=torch.ones(batch, MEMORY, dtype=torch.bool), detail=drawn(KEYS, 3, 16),
        detail_place=drawn(KEYS, 2).abs(), detail_mask=torch.tensor([[True, True], [True, False]])[:batch],
        text=drawn(WORDS, 12), text_mask=text_mask, moments=found,
    )  # fmt: skip


@pytest.fixture
def prompt() -> Prompt:
    torch.manual_seed(0)
    return Prompt(CONFIG).eval()


@torch.no_grad()
def test_parts_stand_in_the_papers_order_and_carry_their_masks(prompt: Prompt) -> None:
    given = parts(None)
    tokens, mask = prompt(given)
    assert tokens.shape == (2, MEMORY + 1 + KEYS * 3 + WORDS, 24)
    torch.testing.assert_close(tokens[0, MEMORY], prompt.tau)
    want = [True] * (MEMORY + 1) + [True] * 3 + [False] * 3 + [True] * 3 + [False] * 2
    assert mask[1].tolist() == want
    bare, short = prompt(given, instruction=False)
    torch.testing.assert_close(bare, tokens[:, :-WORDS])
    assert short[1].tolist() == want[:-WORDS]


@torch.no_grad()
def test_words_carry_the_thing_that_they_are_of(prompt: Prompt) -> None:
    told = Prompt(replace(CONFIG, words_in_prompt=True)).eval()
    told.load_state_dict(prompt.state_dict(), strict=False)
    assert told.of_slot is not None
    words = torch.rand(2, WORDS, SLOTS)
    given = replace(parts(None), words=words)
    torch.testing.assert_close(told(given)[0], prompt(parts(None))[0])  # nothing yet
    torch.nn.init.normal_(told.of_slot)
    tokens, plain = told(given)[0], prompt(given)[0]
    torch.testing.assert_close(tokens[:, :-WORDS], plain[:, :-WORDS])
    torch.testing.assert_close(tokens[:, -WORDS:], plain[:, -WORDS:] + words @ told.of_slot)
    torch.testing.assert_close(told(parts(None))[0], plain)


@torch.no_grad()
def test_moments_enter_between_detail_and_instruction(prompt: Prompt) -> None:
    found = moments(4)
    found.mask[1, 2:] = False
    without, _ = prompt(parts(None))
    tokens, mask = prompt(parts(found))
    at = MEMORY + 1 + KEYS * 3
    torch.testing.assert_close(torch.cat([tokens[:, :at], tokens[:, at + 5 :]], dim=1), without)
    assert mask[:, at : at + 5].tolist() == [[True] * 5, [True, True, True, False, False]]


@torch.no_grad()
def test_a_moments_token_equals_the_plain_sum_of_what_is_known_of_it(prompt: Prompt) -> None:
    found = moments(4)
    at = MEMORY + 1 + KEYS * 3
    got = prompt(parts(found))[0][1, at + 1 + 3]
    embed = prompt.moments
    assert embed is not None
    memory = embed.memory(torch.cat([embed.norm(found.tokens[1, 3, w]) for w in range(2)]))
    times = prompt.place(found.start[1, 3]) + embed.end(found.end[1, 3])
    which = embed.track.weight[1] + embed.ordinal.weight[1] + embed.rank.weight[3]
    torch.testing.assert_close(got, memory + times + which + found.score[1, 3] * embed.score, atol=1e-5, rtol=1e-5)


@torch.no_grad()
def test_no_moment_found_adds_only_the_token_that_says_so(prompt: Prompt) -> None:
    embed = prompt.moments
    assert embed is not None
    at = MEMORY + 1 + KEYS * 3
    tokens, mask = prompt(parts(moments(0)))
    without, _ = prompt(parts(None))
    torch.testing.assert_close(torch.cat([tokens[:, :at], tokens[:, at + 1 :]], dim=1), without)
    nothing = embed.first.weight[2] + embed.counts[0].weight[0] + embed.counts[1].weight[0] + embed.now.bias
    torch.testing.assert_close(tokens[1, at], nothing, atol=1e-5, rtol=1e-5)
    assert mask[:, at].all()


@torch.no_grad()
def test_a_config_without_moments_has_no_tokens_for_them() -> None:
    prompt = Prompt(replace(CONFIG, moments=0)).eval()
    assert prompt.moments is None
    assert prompt(parts(moments(3)))[0].shape == prompt(parts(None))[0].shape
