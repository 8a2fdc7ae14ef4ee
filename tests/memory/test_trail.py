"""The trail: places of best patches from frame to frame, against plain loops."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from rewind.config import SLOTS
from rewind.memory.trail import _NEAR, _SCALE, Trail

FRAMES, PATCHES = 4, 5


@pytest.fixture
def trail() -> Trail:
    torch.manual_seed(0)
    made = Trail(8).eval()
    torch.nn.init.normal_(made.outer.weight, std=0.5)
    return made


def drawn(seed: int) -> tuple[Tensor, Tensor]:
    made = torch.Generator().manual_seed(seed)
    place = torch.rand(1, FRAMES, PATCHES, 2, generator=made) * 2 - 1
    return place, 3 * torch.randn(1, FRAMES, PATCHES, SLOTS, generator=made)


def near(a: Tensor, b: Tensor) -> float:
    return math.exp2(-float((a - b).square().sum()) / _NEAR**2)


@torch.no_grad()
def test_it_equals_a_plain_loop(trail: Trail) -> None:
    place, logits = drawn(1)
    told, taken = trail(place, logits)
    at = [[logits[0, f, :, k].softmax(0) @ place[0, f] for k in range(SLOTS)] for f in range(FRAMES)]
    there = [[float(torch.sigmoid(logits[0, f, :, k].max())) for k in range(SLOTS)] for f in range(FRAMES)]
    for f in range(FRAMES):
        features: list[float] = []
        for step in (1, -1):
            other = f - step
            inside = 0 <= other < FRAMES
            both = [there[f][k] * there[other][k] if inside else 0.0 for k in range(SLOTS)]
            for k in range(SLOTS):
                moved = _SCALE * (at[f][k] - at[other][k]) * both[k] if inside else torch.zeros(2)
                features += moved.tolist()
            features += both
            features += [
                near(at[f][a], at[other][b]) * there[f][a] * there[other][b] if inside else 0.0
                for a in range(SLOTS) for b in range(SLOTS) if a != b
            ]  # fmt: skip
        want = trail.outer(torch.nn.functional.gelu(trail.inner(torch.tensor(features)), approximate="tanh"))
        torch.testing.assert_close(told[0, f], want, atol=1e-5, rtol=1e-5)
        for p in range(PATCHES):
            for k in range(SLOTS):
                best = 0.0
                for other in (f - 1, f + 1):
                    if 0 <= other < FRAMES:
                        rest = [j for j in range(SLOTS) if j != k]
                        best = max(best, sum(near(place[0, f, p], at[other][j]) * there[other][j] for j in rest))
                assert float(taken[0, f, p, k]) == pytest.approx(best, abs=1e-5)


@torch.no_grad()
def test_a_thing_that_moves_left_and_one_that_moves_right_tell_the_opposite(trail: Trail) -> None:
    """Without the output layer's shape between, the features themselves: dx of the first slot is the first number."""
    place = torch.zeros(1, FRAMES, PATCHES, 2)
    logits = torch.full((1, FRAMES, PATCHES, SLOTS), -8.0)
    logits[..., 0, 0] = 8.0
    seen: list[Tensor] = []
    trail.inner.register_forward_hook(lambda _module, given, _out: seen.append(given[0]))
    for pace in (0.1, -0.1):
        place[0, :, 0, 0] = pace * torch.arange(FRAMES)
        trail(place, logits)
    right, left = seen
    assert right[0, 1:, 0].min() > 0.9 * _SCALE * 0.1 * 0.99
    torch.testing.assert_close(left[..., 0], -right[..., 0])
    assert float(right[0, 0, 0]) == 0.0  # nothing is known before the clip


@torch.no_grad()
def test_what_gives_way_to_another_at_one_place_is_told_and_followed(trail: Trail) -> None:
    place = torch.linspace(-1, 1, PATCHES)[None, None, :, None].expand(1, FRAMES, PATCHES, 2).clone()
    logits = torch.full((1, FRAMES, PATCHES, SLOTS), -8.0)
    logits[0, :2, 3, 1] = 8.0  # the red one, at patch 3 …
    logits[0, 2:, 3, 0] = 8.0  # … is another colour from the third frame on,
    logits[0, :, 0, 0] = 6.0  # and something of another colour is elsewhere all the time
    _, taken = trail(place, logits)
    assert float(taken[0, 2, 3, 0]) > 0.9
    assert float(taken[0, 2, 0, 0]) < 0.1
    assert float(taken[0, 3, 3, 0]) < 0.1


def test_it_says_nothing_before_it_is_trained() -> None:
    told, _ = Trail(8)(*drawn(2))
    assert not told.any()
