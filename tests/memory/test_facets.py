"""Facets: a patch fits where it fits in every respect."""

from __future__ import annotations

import math

import pytest
import torch

from rewind.config import SLOTS
from rewind.memory.facets import Facets

SIZES = (3, 4, 2)


@pytest.fixture
def facets() -> Facets:
    torch.manual_seed(0)
    return Facets(6, SIZES)


@torch.no_grad()
def test_the_fit_equals_a_plain_loop(facets: Facets) -> None:
    patches, asked = torch.randn(2, 5, 6), 3 * torch.randn(2, SLOTS, sum(SIZES))
    facets.sharpness.fill_(0.7)
    got = facets(facets.values(patches), asked)
    assert got.shape == (2, 5, SLOTS)
    for b in range(2):
        for n in range(5):
            for slot in range(SLOTS):
                log_p = 0.0
                for shown, wants in zip(
                    facets.split(facets.shown(patches[b, n])), facets.split(asked[b, slot]), strict=True
                ):
                    log_p += math.log(sum(p * w for p, w in zip(shown.softmax(0), torch.sigmoid(wants), strict=True)))
                assert float(got[b, n, slot]) == pytest.approx(0.7 * log_p + 4.0, abs=1e-4)


@torch.no_grad()
def test_shares_are_probabilities_within_each_facet(facets: Facets) -> None:
    patches = torch.randn(2, 5, 6)
    parts = facets.split(facets.shown(patches))
    torch.testing.assert_close(facets.shares(patches), torch.cat([part.softmax(-1) for part in parts], dim=-1))


@torch.no_grad()
def test_patches_that_all_share_give_the_same_as_repeated_ones(facets: Facets) -> None:
    values, asked = facets.values(torch.randn(1, 5, 6)), torch.randn(3, SLOTS, sum(SIZES))
    torch.testing.assert_close(facets(values, asked), facets(values.expand(3, -1, -1), asked))


@torch.no_grad()
def test_one_respect_that_does_not_fit_is_enough_and_what_is_open_does_not_count(facets: Facets) -> None:
    shown = torch.tensor([0, 10.0, 0, 0, 0, 10.0, 0, 10.0, 0])  # values 1, 2 and 0
    facets.shown.weight.zero_()
    facets.shown.bias.copy_(shown)
    values = facets.values(torch.zeros(1, 1, 6))

    def fit(*allowed: set[int]) -> float:
        parts = [
            torch.tensor([20.0 if v in of else -20.0 for v in range(size)])
            for of, size in zip(allowed, SIZES, strict=True)
        ]
        return float(facets(values, torch.cat(parts).expand(1, SLOTS, -1))[0, 0, 0])

    everything = ({0, 1, 2}, {0, 1, 2, 3}, {0, 1})
    assert fit(*everything) == pytest.approx(4.0, abs=1e-3)
    assert fit({1}, {2}, {0}) == pytest.approx(4.0, abs=1e-2)
    assert fit({1}, {0, 1, 2}, {0, 1}) == pytest.approx(4.0, abs=1e-2)
    assert fit({1}, {2}, {1}) < -4  # two of three respects fit
    assert fit({0, 2}, {2}, {0}) < -4  # any but what it is
    assert fit(set(), set(), set()) < fit({1}, {2}, {1})


@torch.no_grad()
def test_words_that_name_nothing_find_nothing_once_they_are_learnt() -> None:
    torch.manual_seed(1)
    facets = Facets(6, (11, 4))
    values = facets.values(torch.randn(1, 5, 6))
    last = torch.zeros(11, dtype=torch.bool)
    last[-1] = True

    def ask(shape: torch.Tensor, size: torch.Tensor) -> torch.Tensor:
        return torch.where(torch.cat([shape, size]), 20.0, -20.0).expand(1, SLOTS, -1)

    anything, one = torch.ones(4, dtype=torch.bool), torch.arange(11) == 3
    any_shape = torch.ones(11, dtype=torch.bool)
    asked = {
        "one": ask(one, anything), "all": ask(any_shape, anything), "without": ask(last, anything),
        "size": ask(any_shape, torch.arange(4) == 1), "none": ask(~any_shape, anything),
    }  # fmt: skip
    learning = {name: facets(values, of) for name, of in asked.items()}
    facets.eval()
    learnt = {name: facets(values, of) for name, of in asked.items()}
    for name in ("one", "none"):
        assert torch.equal(learnt[name], learning[name])
    for name in ("all", "without", "size"):
        assert (learnt[name] < -8).all()
    facets.train().requires_grad_(False)
    assert torch.equal(facets(values, asked["all"]), learnt["all"])


def test_nothing_overflows_and_gradients_reach_both_sides(facets: Facets) -> None:
    patches = (1e4 * torch.randn(1, 5, 6)).requires_grad_()
    logits = facets(facets.values(patches), 1e4 * torch.randn(1, SLOTS, sum(SIZES)))
    assert torch.isfinite(logits).all()
    patches = torch.randn(1, 5, 6, requires_grad=True)
    asked = torch.randn(1, SLOTS, sum(SIZES), requires_grad=True)
    facets(facets.values(patches), asked).sum().backward()
    assert patches.grad is not None
    assert asked.grad is not None
    assert patches.grad.abs().min() > 0
    assert asked.grad.abs().min() > 0
