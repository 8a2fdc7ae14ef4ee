"""Dense truth is the scenes' own, and instructions fit the things that their words name."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

from rewind.config import ReWindConfig
from rewind.memory.facets import Facets
from rewind.memory.neck import Grid, Neck
from rewind.train.aiming import VALUES
from rewind.train.aims import draw_aim, fits
from rewind.train.bank import Bank
from rewind.train.dense import (
    ANY,
    CODE_FIELDS,
    FACETS,
    FIELDS,
    NOT,
    NOTHING,
    PLACES,
    FieldHeads,
    asked_loss,
    dense_losses,
    dense_truth,
    words_loss,
)
from rewind.worlds import glyphs
from rewind.worlds.cards import CARD_SECONDS
from rewind.worlds.looks import SHAPES


@pytest.fixture(scope="module")
def bank(make_card_bank: Callable[..., Bank]) -> Bank:
    return make_card_bank(cards=12, deep=320, fine=272)


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
    frame, things, middles = truth.of(np.array([row, row + 1]))
    assert [x, y] in ((middles[frame == 0] + 1) * 112).round().tolist()
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
                pairs = list(zip(aim.wanted[slot].tolist(), thing[2:].tolist(), strict=True))
                want = all(w in (ANY, v) or (w <= NOT and v not in (-1, NOT - w)) for w, v in pairs)
                assert got[t, n, slot] == want


def test_a_question_on_a_change_is_about_a_thing_in_one_colour_and_in_others(bank: Bank) -> None:
    things = dense_truth(bank, side=14).things
    objects = things[things[:, 2] >= 0]
    rng = np.random.default_rng(3)
    aims = [draw_aim(objects[i % len(objects)], objects[0], rng) for i in range(300)]
    changes = [aim for aim in aims if (aim.wanted <= NOT).any()]
    assert len(changes) > 20
    for aim in changes:
        other, same = aim.wanted
        named = VALUES[1][same[1]]
        assert other[1] == NOT - same[1]
        assert named in aim.text.replace(".", " ").replace("?", " ").split()
        # No thing is in the named colour and in another.
        assert not fits(aim.wanted[None], objects).all(-1).any()
        assert (np.delete(other, 1) == np.delete(same, 1)).all()


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
    neck, heads = Neck(ReWindConfig(width=32, heads=4, neck_blocks=1)), Facets(32, FACETS)
    optimiser = torch.optim.Adam([*neck.parameters(), *heads.parameters()], lr=3e-3)
    rows = np.arange(8)
    seen = []
    for _ in range(12):
        grid = neck.grid(bank.deep[rows].float(), bank.fine[rows].float())
        salient, read, right, middles = dense_losses(neck, heads, grid, truth.of(rows))
        assert middles.shape == (len(truth.of(rows)[1]), 32)
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


def test_what_words_allow_is_taught_value_by_value() -> None:
    facets = Facets(8, FACETS)
    wanted = torch.full((1, 2, FIELDS), ANY)
    wanted[0, 0, 1], wanted[0, 0, 2], wanted[0, 1] = 3, NOT - 1, NOTHING
    right = torch.ones(2, sum(FACETS))
    colours = slice(FACETS[0], FACETS[0] + FACETS[1])
    right[0, colours] = 0
    right[0, FACETS[0] + 3] = 1
    textures = FACETS[0] + FACETS[1]
    right[0, textures + 1] = right[0, textures + FACETS[2] - 1] = 0  # neither dotted nor without a texture
    right[1] = 0
    sure = 40 * (2 * right - 1)[None]
    assert float(asked_loss(facets, sure, wanted)) == pytest.approx(0.0, abs=1e-6)
    for at in (0, FACETS[0] + 2, textures + 1, sum(FACETS) - 1):
        for slot in (0, 1):
            wrong = sure.clone()
            wrong[0, slot, at] *= -1
            assert float(asked_loss(facets, wrong, wanted)) > 0.05


def test_a_model_has_a_facet_for_each_field() -> None:
    assert ReWindConfig.of_size("nano").facets == ReWindConfig.of_size("small").facets == FACETS


class Known(torch.nn.Module):
    """Reads off each patch what is written in it: field f's value at number f, the last one where it has none."""

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        values = [features[:, f].long() for f in range(FIELDS)]
        return torch.cat(
            [
                torch.nn.functional.one_hot(torch.where(value < 0, size - 1, value), size).float() * 50
                for value, size in zip(values, FACETS, strict=True)
            ],
            dim=-1,
        )


class Read(Neck):
    """A neck whose patches have nothing around them to read."""

    def read(self, grid: Grid, frame: torch.Tensor, place: torch.Tensor) -> torch.Tensor:
        return grid.patches[frame, place]


def test_a_perfect_reading_is_all_correct_and_costs_nothing(bank: Bank) -> None:
    rows = np.arange(6)
    frame, things, _ = where = dense_truth(bank, side=14).of(rows)
    patches, salience = torch.zeros(6, 196, FIELDS), torch.full((6, 196), -40.0)
    patches[frame, things[:, 1]] = things[:, 2:].float()
    salience[frame, things[:, 1]] = 40.0
    neck, heads = Read(ReWindConfig(width=32, heads=4, neck_blocks=1)), Facets(FIELDS, FACETS)
    heads.shown = Known()  # type: ignore[assignment]

    def losses(salience: torch.Tensor) -> list[float]:
        return [float(v) for v in dense_losses(neck, heads, Grid(patches, patches, salience), where)[:3]]

    assert losses(salience) == pytest.approx((0.0, 0.0, 1.0), abs=1e-5)
    # Beside a middle nothing is asked; elsewhere a patch that calls itself salient costs.
    shifted = torch.full((6, 196), -40.0)
    shifted[frame, things[:, 1]] = 40.0
    middles = set(zip(frame.tolist(), things[:, 1].tolist(), strict=True))
    near = {(f, p + d) for f, p in middles for d in (-15, -14, -13, -1, 1, 13, 14, 15)} | middles
    far = next(p for p in range(196) if (0, p) not in near)
    beside = next(p + 1 for f, p in sorted(middles) if f == 0 and p % 14 < 13 and (0, p + 1) not in middles)
    shifted[0, beside] = 40.0
    assert losses(shifted)[0] == pytest.approx(0.0, abs=1e-6)
    shifted[0, far] = 40.0
    assert losses(shifted)[0] > 1e-3
    patches[frame[0], things[0, 1]] += 1
    assert losses(salience)[2] < 1
