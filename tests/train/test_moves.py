"""Motions against words: paths of a bank's things, and a loss that falls where the words are read."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from rewind.config import SLOTS
from rewind.memory.trail import MOVING, Trail
from rewind.train.aims import Aimed
from rewind.train.dense import ANY, FIELDS, NOTHING
from rewind.train.moves import Moves, moves_loss, moves_of
from rewind.worlds.looks import MOTIONS
from rewind.worlds.plan import plan_scene

DIRECTIONS = {"left": (-1, 0), "right": (1, 0), "up": (0, -1), "down": (0, 1)}


@pytest.fixture(scope="module")
def moves() -> Moves:
    return moves_of([plan_scene(seed, 0) for seed in range(40)])


def about(*motions: int) -> Aimed:
    """An instruction on as many things as motions are given; −1 names none."""
    wanted = np.full((SLOTS, FIELDS), NOTHING)
    wanted[: len(motions)] = ANY
    return Aimed("", wanted, motions=(*motions, *[-1] * (SLOTS - len(motions))))  # type: ignore[arg-type]


def test_paths_are_three_seconds_of_middles_and_go_the_way_that_is_said(moves: Moves) -> None:
    assert moves.places.shape == (len(moves.motion), 3, 2)
    assert np.abs(moves.places).max() <= 1
    for motion, name in enumerate(MOTIONS):
        of = moves.places[moves.motion == motion]
        assert len(of) >= 10
        step = of[:, 2] - of[:, 1]
        way = DIRECTIONS.get(name.split()[-1])
        if way is not None:
            assert (step @ np.array(way) > 0.03).mean() > 0.9, name
        elif name == "still":
            assert not step.any()


def test_the_loss_is_that_of_a_plain_loop(moves: Moves) -> None:
    torch.manual_seed(0)
    trail = Trail(8)
    slots = torch.randn(3, SLOTS, 5 + MOVING)
    aims = [about(2), about(-1, 4), about(0)]
    seen: list[Tensor] = []
    trail.ways.register_forward_hook(lambda _module, _given, out: seen.append(out.detach()))
    loss = moves_loss(trail, slots, aims, moves, np.random.default_rng(0)).detach()
    told = nn.functional.gelu(seen[0][0, :, 0], approximate="tanh")
    parts: dict[str, list[float]] = {"named": [], "other": [], "any": []}
    for row in range(len(told)):
        shown = row // (len(told) // len(MOTIONS))
        for aim, slot in zip(aims, slots, strict=True):
            for k in range(SLOTS):
                fit = float(told[row] @ slot[k, -MOVING:-1] + slot[k, -1])
                named, empty = aim.motions[k], bool((aim.wanted[k] == NOTHING).all())
                if named < 0 and not empty:
                    parts["any"].append(np.log1p(np.exp(-fit)))
                elif named >= 0:
                    right = named == shown
                    parts["named" if right else "other"].append(np.log1p(np.exp(-fit if right else fit)))
    assert float(loss) == pytest.approx(np.mean([np.mean(p) for p in parts.values()]), abs=1e-4)


def test_words_for_motions_are_learnt_from_paths(moves: Moves) -> None:
    """Free slots stand for words: each motion finds its own things, by far better than chance."""
    torch.manual_seed(0)
    trail, aims = Trail(8), [about(motion) for motion in (*range(len(MOTIONS)), -1)]
    slots = nn.Parameter(0.1 * torch.randn(len(aims), SLOTS, MOVING))
    optimiser = torch.optim.Adam([slots, *trail.ways.parameters()], lr=0.02)
    losses = []
    for step in range(150):
        loss = moves_loss(trail, slots, aims, moves, np.random.default_rng(step))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    assert np.mean(losses[-10:]) < 0.4 * np.mean(losses[:10])


def test_instructions_that_name_no_motion_teach_that_any_fits(moves: Moves) -> None:
    trail = Trail(8)
    slots = torch.zeros(2, SLOTS, MOVING)
    slots[..., -1] = 9.0
    aims = [about(-1), about(-1, -1)]
    assert float(moves_loss(trail, slots, aims, moves, np.random.default_rng(0)).detach()) < 0.01
    slots[..., -1] = -9.0
    assert float(moves_loss(trail, slots, aims, moves, np.random.default_rng(0)).detach()) > 8
