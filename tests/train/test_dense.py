"""Dense truth is the scenes' own, and instructions fit the things that their words name."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from rewind.config import ReWindConfig
from rewind.memory.neck import Neck
from rewind.train.aiming import VALUES
from rewind.train.aims import ANY, NOTHING, draw_aim, fits
from rewind.train.bank import Bank
from rewind.train.dense import CODE_FIELDS, FIELDS, PLACES, FieldHeads, dense_losses, dense_truth, words_loss
from rewind.worlds import glyphs
from rewind.worlds.cards import CARD_SECONDS, plan_card
from rewind.worlds.looks import SHAPES


@pytest.fixture(scope="module")
def bank() -> Bank:
    cards = tuple(plan_card(seed) for seed in range(12))
    made = torch.Generator().manual_seed(0)
    rows = len(cards) * CARD_SECONDS
    deep, fine = torch.randn(rows, 49, 320, generator=made), torch.randn(rows, 196, 112, generator=made)
    return Bank(cards, np.arange(len(cards)) * CARD_SECONDS, deep.half(), fine.half())


def test_every_thing_stands_at_the_patch_of_its_middle(bank: Bank) -> None:
    truth = dense_truth(bank, side=14)
    count = sum(len(card.appearances) + len(card.signs) for card in bank.scenes)
    assert truth.things.shape == (count, 2 + FIELDS)
    card = bank.scenes[5]
    first = card.appearances[0]
    x, y = first.centre(first.start_s)
    row = 5 * CARD_SECONDS + first.start_s
    here = truth.things[truth.things[:, 0] == row]
    assert [int(y // 16) * 14 + int(x // 16), SHAPES.index(first.shape)] in here[:, 1:3].tolist()
    frame, things = truth.of(np.array([row, row + 1]))
    assert things[frame == 0].tolist() == here.tolist()


def test_codes_are_spelled_and_short_ones_end_open(bank: Bank) -> None:
    truth = dense_truth(bank, side=14)
    codes = {tuple(t[-PLACES:]) for t in truth.things.tolist() if t[2] < 0}
    want = {
        tuple([glyphs.CHARACTERS.index(c) for c in s.code] + [len(glyphs.CHARACTERS)] * (PLACES - len(s.code)))
        for card in bank.scenes
        for s in card.signs
    }
    assert codes == want


def test_fits_equals_a_plain_loop(bank: Bank) -> None:
    things = dense_truth(bank, side=14).things[:40]
    rng = np.random.default_rng(1)
    aims = [draw_aim(things[i], things[(i + 1) % 40], rng) for i in range(40)]
    got = fits(np.stack([a.wanted for a in aims]), things)
    for t, thing in enumerate(things):
        for n, aim in enumerate(aims):
            for slot in range(2):
                want = all(w in (ANY, v) for w, v in zip(aim.wanted[slot], thing[2:], strict=True))
                assert got[t, n, slot] == want


def test_an_instruction_says_what_it_wants_and_mostly_fits_its_thing(bank: Bank) -> None:
    things = dense_truth(bank, side=14).things
    objects = things[things[:, 2] >= 0]
    rng = np.random.default_rng(2)
    fitting = 0
    for thing in things:
        aim = draw_aim(thing, objects[0], rng)
        for row in aim.wanted:
            if row[0] == NOTHING:
                continue
            for field, value in enumerate(row[: FIELDS - PLACES]):
                if value >= 0:
                    assert VALUES[field][value].rstrip("s") in aim.text
        fitting += bool(fits(aim.wanted[None], thing[None]).any())
    assert 0.5 < fitting / len(things) < 0.9


def test_losses_fall_on_a_small_neck(bank: Bank) -> None:
    torch.manual_seed(0)
    truth = dense_truth(bank, side=14)
    neck, heads = Neck(ReWindConfig(width=32, heads=4, neck_blocks=1)), FieldHeads(32)
    optimiser = torch.optim.Adam([*neck.parameters(), *heads.parameters()], lr=3e-3)
    rows = np.arange(8)
    seen = []
    for _ in range(12):
        patches, salience = neck.grid(bank.deep[rows].float(), bank.fine[rows].float())
        salient, read, right = dense_losses(neck, heads, patches, salience, truth.of(rows))
        assert 0 <= float(right) <= 1
        optimiser.zero_grad()
        (salient + read).backward()
        optimiser.step()
        seen.append(float((salient + read).detach()))
    assert seen[-1] < 0.8 * seen[0]


def test_words_are_read_field_by_field() -> None:
    heads = FieldHeads(8, more=1)
    wanted = torch.full((1, 2, FIELDS), ANY)
    wanted[0, 0, 0] = 3
    with torch.no_grad():
        heads.read.weight.zero_()
        heads.read.bias.zero_()
        plain = words_loss(heads, torch.zeros(1, 2, 8), wanted)
        want = sum(np.log(size) for size in heads.sizes)
        assert float(plain) == pytest.approx(want, rel=1e-5)
    assert len(CODE_FIELDS) == PLACES
