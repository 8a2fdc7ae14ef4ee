"""Stage 1: aligning and aiming teach pairs that are sure, and their losses fall on a tiny model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest
import torch

from rewind.config import SLOTS, ReWindConfig
from rewind.language.tokenizer import AnswerTokenizer
from rewind.memory import Neck
from rewind.model import ReWind
from rewind.text import TextFeatures
from rewind.train.aiming import VALUES, Aiming, Middles, _sure, draw_readings, middles_of
from rewind.train.aims import NO_FIELD, WHOLE_CODE, draw_aim, fits
from rewind.train.align import Align, Source, draw_aims, draw_rows
from rewind.train.bank import Bank
from rewind.train.dense import FIELDS, NOTHING, PLACES, dense_truth
from rewind.train.moves import moves_of
from rewind.worlds import glyphs, vocabulary
from rewind.worlds.plan import plan_scene

CONFIG = replace(
    ReWindConfig(), width=32, heads=4, layers=1, queries=4, vision_width=6, fine_width=5, text_width=12, salient=8,
    neck_blocks=1, score_width=8, detail_tokens=4, decoder_width=24, decoder_heads=4, decoder_layers=1,
    patch_place=True,
)  # fmt: skip


class Words:
    """A text encoder that hashes words: as many features as it takes to tell instructions apart."""

    def encode(self, texts: list[str]) -> TextFeatures:
        split = [text.lower().split() for text in texts]
        tokens = torch.zeros(len(texts), max(map(len, split)), 12)
        mask = torch.zeros(tokens.shape[:2], dtype=torch.bool)
        for row, words in enumerate(split):
            for place, word in enumerate(words):
                seed = int.from_bytes(word.encode(), "little") % (1 << 31)
                tokens[row, place] = torch.from_numpy(np.random.default_rng(seed).standard_normal(12)).float()
            mask[row, : len(words)] = True
        return TextFeatures(tuple(texts), tokens, mask, torch.nn.functional.normalize(tokens.sum(1), dim=-1))


@pytest.fixture(scope="module")
def bank(make_card_bank: Callable[..., Bank]) -> Bank:
    return make_card_bank(cards=8, deep=6, fine=5)


@pytest.fixture(scope="module")
def tokenizer() -> AnswerTokenizer:
    return AnswerTokenizer.from_words(vocabulary())


def tiny(tokenizer: AnswerTokenizer) -> ReWind:
    torch.manual_seed(0)
    return ReWind(replace(CONFIG, vocabulary=len(tokenizer)), tokenizer=tokenizer)


def test_middles_are_the_necks_patches_at_the_middle_of_each_thing(bank: Bank, tokenizer: AnswerTokenizer) -> None:
    neck = tiny(tokenizer).patches
    assert isinstance(neck, Neck)
    made = middles_of(bank, neck, seed=0, batch=5)
    truth = dense_truth(bank, side=14)
    assert np.array_equal(made.things, truth.things)
    assert made.patches.shape == (len(truth.things), 32)
    assert made.others.shape == (2 * len(bank.deep), 32)
    with torch.no_grad():
        grid = neck.grid(bank.deep[:].float(), bank.fine[:].float())
    for row in (0, 7, 19, 31):
        for number in range(made.first[row], made.first[row + 1]):
            frame, middle = made.things[number, :2]
            assert frame == row
            read = neck.read(grid, torch.tensor([row]), torch.tensor([middle]))
            torch.testing.assert_close(made.patches[number], read[0].bfloat16())
        handed = neck.read(grid, torch.full((8,), row), grid.salience[row].topk(8).indices).bfloat16()
        for other in made.others[2 * row : 2 * row + 2]:
            assert (handed - other).abs().amax(-1).min() < 2e-2


def test_pairs_that_teach_equal_a_plain_loop(bank: Bank) -> None:
    truth = dense_truth(bank, side=14)
    none = torch.zeros(0, 32)
    middles = Middles(none, truth.things, truth.first, none)
    rows = np.array([1, 4, 5, 20])
    things = np.concatenate([truth.things[truth.first[r] : truth.first[r + 1]] for r in rows])
    rng = np.random.default_rng(0)
    wanted = np.stack([draw_aim(things[rng.integers(len(things))], things[0], rng).wanted for _ in range(20)])
    fit = np.zeros((len(things) + 2 * len(rows), 20, SLOTS), dtype=np.float32)
    fit[: len(things)] = fits(wanted, things)
    sure = _sure(fit, things, rows, middles)
    assert sure[: len(things)].all()
    for number, row in enumerate(rows):
        here = fit[: len(things)][things[:, 0] == row]
        for beside in (0, 1):
            assert np.array_equal(sure[len(things) + 2 * number + beside], ~(here > 0).any(0))


def test_every_field_is_read_off_all_things_that_have_it_and_no_more(bank: Bank) -> None:
    things = dense_truth(bank, side=14).things[:200]
    rng = np.random.default_rng(0)
    asks = rng.integers(-1, FIELDS, 30)
    asks[::7] = WHOLE_CODE
    thing, which = draw_readings(things, asks, rng)
    for t, n in zip(thing, which, strict=True):
        if asks[n] == WHOLE_CODE:
            assert things[t, 2] < 0
        else:
            value = things[t, 2 + asks[n]]
            assert 0 <= value < len(VALUES[asks[n]])
    drawn = {int(field): int((asks[which] == field).sum()) for field in set(asks.tolist())}
    assert NO_FIELD not in drawn or not drawn[NO_FIELD]
    assert all(0 < count <= 96 for field, count in drawn.items() if field != NO_FIELD)
    assert max(drawn.values()) == 96
    assert draw_readings(things, np.array([NO_FIELD]), rng)[0].shape == (0,)


def test_the_table_of_values_names_each_with_one_token(tokenizer: AnswerTokenizer) -> None:
    ids = Aiming(tiny(tokenizer), tokenizer).ids
    assert ids.shape[0] == len(VALUES) == FIELDS
    for field, values in enumerate(VALUES):
        assert [tokenizer.decode([int(i)]) for i in ids[field, : len(values)]] == list(values)


@pytest.mark.slow
def test_the_losses_of_both_parts_fall(bank: Bank, tokenizer: AnswerTokenizer) -> None:
    model, source, text = tiny(tokenizer), Source.of(bank, side=14, share=1.0), Words()
    align, aiming = Align(model), Aiming(model, tokenizer)
    rows = draw_rows(source, np.random.default_rng(0), size=6)
    assert sorted(set(rows.tolist())) == rows.tolist()
    aims = draw_aims(source.truth.of(rows)[1].numpy(), np.random.default_rng(1), count=24)
    middles = middles_of(bank, model.patches, seed=0)  # type: ignore[arg-type]
    moves = moves_of([plan_scene(seed, 0) for seed in range(40)])

    def fall(modules: list[torch.nn.Module], step: object, *, steps: int = 10) -> dict[str, tuple[float, float]]:
        parameters = [p for module in modules for p in module.parameters()]
        optimiser = torch.optim.Adam(parameters, lr=3e-3)
        seen: list[dict[str, float]] = []
        for _ in range(steps):
            loss, numbers = step()  # type: ignore[operator]
            seen.append({"loss": float(loss.detach()), **numbers})
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        return {name: (seen[0][name], seen[-1][name]) for name in seen[0]}

    first = fall([model, align], lambda: align(model, source, rows, aims, text, np.random.default_rng(2)))  # type: ignore[arg-type]
    second = fall([model, aiming], lambda: aiming(model, middles, rows, aims, text, np.random.default_rng(2), moves))  # type: ignore[arg-type]
    assert set(first) == {"loss", "salience", "read", "correct", "words", "aim"}
    assert set(second) == {"loss", "words", "aim", "reading", "correct", "code", "spoken", "moves", "dense"}
    for parts, names in ((first, ("loss", "salience", "read", "words", "aim")), (second, ("loss", "aim", "reading"))):
        for name in names:
            before, after = parts[name]
            assert after < 0.9 * before, (name, before, after)


def test_aloud_the_decoder_says_what_signs_show_and_else_whole_codes_alone(
    bank: Bank, tokenizer: AnswerTokenizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, text = tiny(tokenizer), Words()
    aiming, middles = Aiming(model, tokenizer), middles_of(bank, model.patches, seed=0)  # type: ignore[arg-type]
    aims = draw_aims(middles.things, np.random.default_rng(1), count=48)
    moves, rows = moves_of([plan_scene(seed, 0) for seed in range(4)]), np.arange(len(middles.first) - 1)
    signs = [row[2:] for row in middles.things if row[2] < 0]
    codes = {"".join(glyphs.CHARACTERS[c] for c in row[-PLACES:] if c < len(glyphs.CHARACTERS)) for row in signs}
    said: set[tuple[str, int]] = set()  # what was said, and the field that was asked for
    speak = aiming._speak

    def spy(
        model: ReWind, read: torch.Tensor, names: list[str], features: TextFeatures, words: torch.Tensor | None,
        which: npt.NDArray[np.int64],
    ) -> torch.Tensor:  # fmt: skip
        assert len(read) == len(names)
        said.update((name, aims[row].asks) for name, row in zip(names, which, strict=True))
        return speak(model, read, names, features, words, which)

    monkeypatch.setattr(aiming, "_speak", spy)
    losses = {}
    for aloud in (False, True):
        said.clear()
        _, numbers = aiming(model, middles, rows, aims, text, np.random.default_rng(2), moves, aloud=aloud)  # type: ignore[arg-type]
        losses[aloud] = numbers["spoken"]
        fields = {field for _, field in said}
        assert {name for name, field in said if field == WHOLE_CODE} <= codes
        if not aloud:
            assert fields == {WHOLE_CODE}
    singles = fields - {WHOLE_CODE}
    assert min(singles) >= 4, "what objects show is told well enough without"
    assert singles & set(range(FIELDS - PLACES, FIELDS)), "characters of codes"
    for name, field in said:
        if field != WHOLE_CODE:
            assert name in {VALUES[field][row[field]] for row in signs if 0 <= row[field] < len(VALUES[field])}
    assert losses[True] != losses[False]


def test_instructions_are_about_signs_and_objects_in_turn(bank: Bank) -> None:
    things = dense_truth(bank, side=14).things
    aims = draw_aims(things, np.random.default_rng(0), count=40)
    for number, aim in enumerate(aims):
        about: npt.NDArray[np.int64] = aim.wanted[0]
        assert (about != NOTHING).all()
        sign = about[4:] >= 0
        assert sign.any() == bool(number % 2)
    only_objects = draw_aims(things[things[:, 2] >= 0], np.random.default_rng(0), count=10)
    assert all((aim.wanted[:, 4:] < 0).all() for aim in only_objects)
