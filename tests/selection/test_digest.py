"""The digest: a fixed budget at any length, checked against a plain loop and by what must always hold."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from rewind.errors import BudgetError, ConfigError
from rewind.selection.digest import digest, group_sizes


def memory(frames: int, *, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    tokens = torch.randn(frames, 2, 6, generator=generator)
    return tokens, torch.rand(frames, generator=generator), torch.arange(frames).double() * 0.5 + 3


def plainly(tokens: torch.Tensor, scores: torch.Tensor, sizes: list[int]) -> tuple[list[torch.Tensor], list[float]]:
    out, best, row = [], [], 0
    for size in sizes:
        out.append(sum(tokens[i] for i in range(row, row + size)) / size)
        best.append(max(float(scores[i]) for i in range(row, row + size)))
        row += size
    return out, best


@given(st.integers(1, 300), st.integers(2, 80), st.integers(0, 5))
@settings(max_examples=60, deadline=None)
def test_what_must_always_hold(frames: int, budget: int, seed: int) -> None:
    tokens, scores, seconds = memory(frames, seed=seed)
    got = digest(tokens, scores, seconds, budget_tokens=budget)
    n = len(got.tokens)
    assert n == min(frames, budget // 2)  # the whole budget is used, and no more
    assert int(got.weight.sum()) == frames
    assert int(got.weight.min()) >= 1
    assert got.merged_frames == int(got.weight[got.weight > 1].sum())
    expected, best = plainly(tokens, scores, got.weight.tolist())
    torch.testing.assert_close(got.tokens, torch.stack(expected))
    assert got.scores.tolist() == pytest.approx(best)
    torch.testing.assert_close((got.tokens * got.weight[:, None, None]).sum(0), tokens.sum(0), atol=1e-4, rtol=1e-4)
    assert got.start_s[0] == seconds[0]
    assert got.end_s[-1] == pytest.approx(float(seconds[-1]) + (0.5 if frames > 1 else 1.0))
    assert torch.equal(got.start_s[1:], got.end_s[:-1])  # contiguous, in time order
    assert (got.end_s > got.start_s).all()


@given(st.integers(20, 300), st.integers(8, 40), st.integers(0, 5))
@settings(max_examples=60, deadline=None)
def test_the_most_relevant_frames_stay_whole(frames: int, groups: int, seed: int) -> None:
    _, scores, _ = memory(frames, seed=seed)
    sizes = group_sizes(scores, groups=groups)
    alone = set((sizes.cumsum(0) - 1)[sizes == 1].tolist())
    best = scores.sort(descending=True, stable=True).indices[: (min(groups, frames) - 1) // 2].tolist()
    assert set(best) <= alone


def test_merged_groups_are_even() -> None:
    scores = torch.zeros(1000)
    scores[500] = 1.0
    sizes = group_sizes(scores, groups=3)
    assert sizes.tolist() == [500, 1, 499]
    sizes = group_sizes(scores, groups=103).tolist()
    assert len(sizes) == 103
    # 51 whole frames (500 and, ties by time, 0 to 49) leave 450 and 499 frames to 52 groups.
    assert sizes[:50] == [1] * 50
    assert max(sizes) == 19
    assert sizes[50:].count(1) == 1
    assert sum(sizes[: 50 + sizes[50:].index(1)]) == 500


def test_a_short_memory_is_given_back_as_it_is() -> None:
    tokens, scores, seconds = memory(10)
    got = digest(tokens, scores, seconds, budget_tokens=20)
    assert got.tokens is tokens
    assert got.merged_frames == 0
    assert got.weight.tolist() == [1] * 10


def test_a_shift_in_time_shifts_the_extents_only() -> None:
    tokens, scores, seconds = memory(200)
    here = digest(tokens, scores, seconds, budget_tokens=30)
    later = digest(tokens, scores, seconds + 1000, budget_tokens=30, end_s=float(seconds[-1]) + 1000.5)
    assert torch.equal(here.tokens, later.tokens)
    assert torch.equal(here.start_s + 1000, later.start_s)
    assert torch.equal(here.end_s + 1000, later.end_s)


def test_ten_hours_fit_the_budget() -> None:
    tokens = torch.randn(36_000, 2, 16, generator=torch.Generator().manual_seed(0))
    scores = torch.rand(36_000, generator=torch.Generator().manual_seed(1))
    got = digest(tokens, scores, torch.arange(36_000).double(), budget_tokens=1024)
    assert got.tokens.shape == (512, 2, 16)
    assert int((got.weight == 1).sum()) >= 255


def test_gradients_flow_through_what_is_merged() -> None:
    tokens, scores, seconds = memory(40)
    tokens.requires_grad_(True)
    got = digest(tokens, scores, seconds, budget_tokens=10)
    (got.tokens * got.weight[:, None, None]).sum().backward()
    torch.testing.assert_close(tokens.grad, torch.ones_like(tokens))


def test_what_does_not_fit_is_refused() -> None:
    tokens, scores, seconds = memory(10)
    with pytest.raises(BudgetError, match="1 tokens"):
        digest(tokens, scores, seconds, budget_tokens=1)
    with pytest.raises(ConfigError, match="strictly rising"):
        digest(tokens, scores, seconds.flip(0), budget_tokens=4)
    with pytest.raises(ConfigError, match="tokens"):
        digest(tokens, scores[:9], seconds, budget_tokens=4)
