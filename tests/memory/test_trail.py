"""The trail: places of best patches from frame to frame, against plain loops."""

from __future__ import annotations

import math
from itertools import chain

import pytest
import torch
from torch import Tensor

from rewind.config import SLOTS
from rewind.memory.trail import (
    _ALONE,
    _LOST,
    _NEAR,
    _SCALE,
    _STILL,
    _WAYS,
    MOVING,
    Trail,
    along,
    how_many,
)

FRAMES, PATCHES = 4, 5


@pytest.fixture
def trail() -> Trail:
    torch.manual_seed(0)
    made = Trail(8).eval()
    torch.nn.init.normal_(made.outer.weight, std=0.5)
    return made


def drawn(seed: int) -> tuple[Tensor, Tensor, Tensor]:
    made = torch.Generator().manual_seed(seed)
    place = torch.rand(1, FRAMES, PATCHES, 2, generator=made) * 2 - 1
    asked = torch.randn(1, SLOTS, MOVING, generator=made)
    return place, 3 * torch.randn(1, FRAMES, PATCHES, SLOTS, generator=made), asked


def half_at(a: Tensor, b: Tensor, distance: float) -> float:
    return math.exp2(-float((a - b).square().sum()) / distance**2)


@torch.no_grad()
def test_it_equals_a_plain_loop(trail: Trail) -> None:
    place, logits, asked = drawn(1)
    got = trail(place, logits, asked)
    fit = torch.sigmoid(logits)[0]
    at, every = place[0], []
    for f in range(FRAMES):
        ways: list[list[float]] = [[] for _ in range(SLOTS)]
        crossing: list[float] = []
        best = torch.zeros(PATCHES, SLOTS)
        for step in (1, -1):
            other = f - step
            inside = 0 <= other < FRAMES
            beside = torch.zeros(PATCHES, SLOTS)
            rows = [[torch.zeros(6)] * SLOTS for _ in range(PATCHES)]
            for p in range(PATCHES if inside else 0):
                for k in range(SLOTS):
                    weights = [half_at(at[f, p], at[other, q], _NEAR) * float(fit[other, q, k]) for q in range(PATCHES)]
                    beside[p, k] = max(weights)
                    then = sum((w * at[other, q] for q, w in enumerate(weights)), torch.zeros(2)) / sum(weights)
                    dx, dy = (at[f, p] - then).tolist()
                    still = half_at(at[f, p], then, _STILL)
                    moved = [_SCALE * max(0, d) for d in (dx, dy, -dx, -dy)]
                    rows[p][k] = float(fit[f, p, k]) * float(beside[p, k]) * torch.tensor([*moved, still, 1.0])
            for k in range(SLOTS):
                ways[k] += torch.stack([rows[p][k] for p in range(PATCHES)]).amax(0).tolist()
            for a in range(SLOTS):
                crossing += [float((fit[f, :, a] * beside[:, b]).max()) for b in range(SLOTS) if b != a]
            for k in range(SLOTS):
                best[:, k] = torch.maximum(best[:, k], sum(beside[:, j] for j in range(SLOTS) if j != k))
        features = torch.tensor([*chain.from_iterable(ways), *crossing])
        want = trail.outer(torch.nn.functional.gelu(trail.inner(features), approximate="tanh"))
        torch.testing.assert_close(got.told[0, f], want, atol=1e-5, rtol=1e-5)
        torch.testing.assert_close(got.taken[0, f], best, atol=1e-5, rtol=1e-5)
        every.append(ways)
    torch.testing.assert_close(got.fit[0], plain_fits(trail, torch.tensor(every), asked[0]), atol=1e-4, rtol=1e-4)


def plain_fits(trail: Trail, ways: Tensor, asked: Tensor) -> Tensor:
    """Of ways (F, SLOTS, 2 · WAYS), frame by frame: the mean fit of all frames of the stretch, by how far each leads to
    this one and how well it is seen, and of this one alone a little."""
    frames = len(ways)
    want = torch.zeros(frames, SLOTS)
    for k in range(SLOTS):
        moves = torch.nn.functional.gelu(trail.ways(ways[:, k]), approximate="tanh")
        alone = moves @ asked[k, :-1] + asked[k, -1]
        for f in range(frames):
            value, mass = _ALONE * float(alone[f]), _ALONE
            for g in range(frames):
                leads = math.prod(
                    float(ways[h, k, _WAYS - 1].clamp(min=_LOST)) for h in range(min(f, g) + 1, max(f, g) + 1)
                )
                seen = float(ways[g, k, _WAYS - 1] + ways[g, k, 2 * _WAYS - 1])
                value, mass = value + leads * seen * float(alone[g]), mass + leads * seen
            want[f, k] = value / mass
    return want


@torch.no_grad()
def test_what_is_handed_on_makes_clips_tell_what_lies_behind_them(trail: Trail) -> None:
    """In two clips, all that looks back is told as in one; what looks ahead ends with the clip."""
    place, logits, asked = drawn(4)
    whole = trail(place, logits, asked)
    one = trail(place[:, :2], logits[:, :2], asked)
    two = trail(place[:, 2:], logits[:, 2:], asked, one.last)
    cut = trail(place[:, 2:], logits[:, 2:], asked)
    torch.testing.assert_close(two.told[:, 1:], whole.told[:, 3:])
    torch.testing.assert_close(two.taken[:, 1:], whole.taken[:, 3:])
    torch.testing.assert_close(two.told[:, 0], whole.told[:, 2])
    assert (cut.told[:, 0] - whole.told[:, 2]).abs().max() > 1e-3
    assert (cut.fit[:, 0] - two.fit[:, 0]).abs().max() > 1e-3


@torch.no_grad()
def test_the_last_step_of_a_circle_is_not_taken_for_a_line(trail: Trail) -> None:
    """One frame alone fits, the others of the stretch do not, in this clip or the one before: none does."""
    frames, seen = 6, torch.full((1, 6, SLOTS, 2 * _WAYS), 0.9)
    seen[:, 0, :, _WAYS - 1] = 0
    seen[:, -1, :, 2 * _WAYS - 1] = 0
    fit = torch.full((1, frames, SLOTS), -6.0)
    fit[:, -1] = 5.0
    start = torch.zeros(1, SLOTS, 2)
    assert float(along(fit, seen, start)[0][:, -1].max()) < 0
    _, handed = along(fit[:, :-1], seen[:, :-1], start)
    assert float(along(fit[:, -1:], seen[:, -1:], handed)[0].max()) < 0
    assert float(along(fit[:, -1:], seen[:, -1:], start)[0].min()) > 4
    # What is not followed from one frame to the next is another thing.
    seen[:, -1, :, _WAYS - 1] = 0
    seen[:, -1, :, 2 * _WAYS - 1] = 0.9
    assert float(along(fit, seen, start)[0][:, -1].min()) > 4


def ways_of(trail: Trail, place: Tensor, logits: Tensor) -> Tensor:
    """What the first slot's things tell of the frame before: (FRAMES, WAYS)."""
    seen: list[Tensor] = []
    hook = trail.ways.register_forward_hook(lambda _module, given, _out: seen.append(given[0]))
    trail(place, logits, torch.zeros(1, SLOTS, MOVING))
    hook.remove()
    return seen[0][0, :, 0, :_WAYS]


@torch.no_grad()
def test_each_of_several_things_that_fit_tells_its_own_way(trail: Trail) -> None:
    """One moves right, one up, one is still."""
    place = torch.zeros(1, FRAMES, PATCHES, 2)
    logits = torch.full((1, FRAMES, PATCHES, SLOTS), -12.0)
    logits[..., :3, 0] = 12.0
    pace = 0.1 * torch.arange(FRAMES)
    place[0, :, 0, 0], place[0, :, 0, 1] = -0.8 + pace, 0.5
    place[0, :, 1, 0], place[0, :, 1, 1] = 0.8, 0.8 - pace
    place[0, :, 2] = -0.5
    right, down, left, up, still, _ = ways_of(trail, place, logits)[1:].T
    wanted = torch.full_like(right, _SCALE * 0.1 * 2 ** -(0.1**2 / _NEAR**2))
    torch.testing.assert_close(right, wanted, rtol=0.01, atol=0)
    torch.testing.assert_close(up, wanted, rtol=0.01, atol=0)
    assert max(float(down.max()), float(left.max())) < 0.01
    assert float(still.min()) > 0.99
    logits[..., 2, 0] = -12.0
    assert float(ways_of(trail, place, logits)[1:, 4].max()) < 0.05
    assert not ways_of(trail, place, logits)[0].any()  # nothing is known before the clip


@torch.no_grad()
def test_what_gives_way_to_another_at_one_place_is_told_and_followed(trail: Trail) -> None:
    place = torch.linspace(-1, 1, PATCHES)[None, None, :, None].expand(1, FRAMES, PATCHES, 2).clone()
    logits = torch.full((1, FRAMES, PATCHES, SLOTS), -8.0)
    logits[0, :2, 3, 1] = 8.0  # the red one, at patch 3 …
    logits[0, 2:, 3, 0] = 8.0  # … is another colour from the third frame on,
    logits[0, :, 0, 0] = 6.0  # and something of another colour is elsewhere all the time
    taken = trail(place, logits, torch.zeros(1, SLOTS, MOVING)).taken
    assert float(taken[0, 2, 3, 0]) > 0.9
    assert float(taken[0, 2, 0, 0]) < 0.1
    assert float(taken[0, 3, 3, 0]) < 0.1


def test_before_it_is_trained_it_says_nothing_and_every_motion_fits() -> None:
    trail = Trail(8)
    place, logits, _ = drawn(2)
    with torch.no_grad():
        got = trail(place, logits, trail.asked(torch.zeros(1, SLOTS, 16)) * torch.tensor([0.0] * (MOVING - 1) + [1.0]))
    assert not got.told.any()
    assert float(got.fit.min()) == pytest.approx(6.0)


def test_patches_of_one_middle_count_once() -> None:
    place = torch.tensor([[0.0, 0.0], [0.01, 0.0], [0.0, 0.01], [0.6, 0.6], [-0.7, 0.2], [-0.7, 0.21]])[None, None]
    fit = torch.tensor([1.0, 0.9, 1.0, 1.0, 0.0, 0.0])[None, None, :, None].repeat(1, 1, 1, SLOTS)
    fit[..., 1] = torch.tensor([0.0, 0.0, 0.0, 0.4, 1.0, 1.0])
    got = how_many(place, fit)[0, 0]
    assert float(got[0]) == pytest.approx(2, abs=0.1)
    assert float(got[1]) == pytest.approx(1.4, abs=0.1)
    assert not how_many(place, torch.zeros_like(fit)).any()


def test_how_many_equals_a_plain_loop() -> None:
    place, logits, _ = drawn(3)
    fit = torch.sigmoid(logits)
    got = how_many(place, fit)
    for f in range(FRAMES):
        for k in range(SLOTS):
            want = 0.0
            for p in range(PATCHES):
                among = sum(
                    half_at(place[0, f, p], place[0, f, q], 0.1) * float(fit[0, f, q, k]) for q in range(PATCHES)
                )
                want += float(fit[0, f, p, k]) ** 2 / among
            assert float(got[0, f, k]) == pytest.approx(want, abs=1e-4)
