"""Every recipe: within its tokens, extents that make sense, gradients that reach its weights."""

from __future__ import annotations

from dataclasses import fields

import pytest
import torch
from tests.arena.conftest import SMALL, text_of

from rewind.arena import CONTENDERS
from rewind.arena.answer import Videos, answers, losses
from rewind.arena.contenders import chosen, to_train
from rewind.arena.recipe import Ask, Hints, Kit
from rewind.config import SLOTS
from rewind.errors import BudgetError, ConfigError

TRAINED = [c.name for c in to_train(chosen(full=True, choices=True))]


def batch_of(frames: int, *, count: int = 2) -> Videos:
    g = torch.Generator().manual_seed(frames)
    patches = torch.randn(count, frames, SMALL.salient, SMALL.width, generator=g)
    relevant = torch.zeros(count, frames, SLOTS)
    relevant[:, frames // 3 : frames // 2] = 1
    answer = torch.tensor([[7, 2], [9, 2]] * (count // 2))
    return Videos(patches, text_of(count), relevant, answer, torch.ones(count, dtype=torch.bool))


@pytest.mark.parametrize("frames", [5, 40, 97])
@pytest.mark.parametrize("name", list(CONTENDERS))
def test_a_recipe_keeps_to_its_tokens_and_its_extents_make_sense(kit: Kit, name: str, frames: int) -> None:
    contender = CONTENDERS[name]
    recipe = contender.make(kit).eval()
    batch = batch_of(frames)
    for tokens in (kit.tokens, kit.tokens // 2):
        with torch.no_grad():
            seen = recipe(batch.patches, batch.text, Ask(tokens, selector=contender.selector))
        assert int(seen.tokens_used().max()) <= tokens
        held = seen.entries
        assert seen.relevance.shape == (2, frames, SMALL.tracks)
        assert torch.isfinite(seen.relevance).all()
        start, end = held.start[held.mask], held.end[held.mask]
        assert bool((start >= 0).all() and (end > start).all() and (end <= frames).all())
        if seen.rows is not None:
            assert bool((seen.rows.diff(dim=1) > 0).all() and (seen.rows < frames).all())


@pytest.mark.parametrize("name", ["rewind", "uniform", "independent", "moviechat", "bank"])
def test_every_frame_has_an_entry_that_stands_for_it(kit: Kit, name: str) -> None:
    recipe = CONTENDERS[name].make(kit).eval()
    batch = batch_of(97)
    with torch.no_grad():
        held = recipe(batch.patches, batch.text, Ask(kit.tokens)).entries
    frame = torch.arange(97)
    inside = (frame >= held.start[..., None]) & (frame < held.end[..., None])
    torch.testing.assert_close(inside.sum(1), torch.ones_like(inside.sum(1)))


MUST_LEARN = {
    "rewind": ("model.read", "model.perceiver", "model.write", "model.score", "model.detail", "model.aim.mark"),
    "rewind-no-instruction": ("model.read", "model.perceiver", "model.write", "model.score", "model.detail"),
    "rewind-no-read": ("model.perceiver", "model.write", "model.score", "model.detail"),
    "rewind-no-memory": ("model.read", "model.perceiver", "model.write", "model.score", "model.detail"),
    "rewind-no-selection": ("model.read", "model.perceiver", "model.write", "model.score"),
    "uniform": ("project", "norm", "instruct.pool", "score"),
    "independent": ("ask", "context", "content", "norm", "instruct.words", "instruct.aim.mark", "score"),
    "moviechat": ("project", "norm", "instruct.pool", "score", "extent"),
    "question-only": ("instruct.pool", "score.threshold"),
    "bank": ("queries", "look", "hear", "think", "norms", "instruct.words", "score"),
    "bridge": ("memory", "first", "bridge", "recall", "think", "project", "score"),
}
"""Parts whose every weight must get a gradient: recipe by recipe; a changed choice learns what `rewind` does."""


@pytest.mark.parametrize("name", TRAINED)
def test_gradients_reach_what_a_recipe_must_learn(kit: Kit, name: str) -> None:
    recipe = CONTENDERS[name].make(kit)
    batch = batch_of(24)
    hints = Hints(batch.relevant.amax(-1), 0.5, torch.Generator().manual_seed(0))
    losses(recipe, batch, Ask(kit.tokens, hints=hints)).total().backward()
    parts = (
        *MUST_LEARN.get(name, MUST_LEARN["rewind"]),
        *(f"model.{p}" if "rewind" in name else p for p in ("prompt.tau", "prompt.of_slot", "decoder")),
    )
    for part in parts:
        mine = [(n, p) for n, p in recipe.named_parameters() if n == part or n.startswith(f"{part}.")]
        assert mine, part
        silent = [n for n, p in mine if p.grad is None or not bool(p.grad.abs().sum() > 0)]
        # A key's bias shifts a whole softmax, and one layer's own memory may be too short to be read.
        assert len(silent) <= len(mine) // 2, silent


def test_the_encoder_stays_as_it_is(kit: Kit) -> None:
    for name in TRAINED:
        recipe = CONTENDERS[name].make(kit)
        frozen = [n for n, p in recipe.named_parameters() if not p.requires_grad]
        assert any(".facets." in n for n in frozen)
        assert not any(".mark." in n or ".tell." in n for n in frozen)


def test_swaps_differ_in_frames_alone(kit: Kit) -> None:
    recipe = CONTENDERS["rewind"].make(kit).eval()
    batch = batch_of(60)
    with torch.no_grad():
        peaks, even = (recipe(batch.patches, batch.text, Ask(64, selector=s)) for s in (None, "uniform"))
    torch.testing.assert_close(peaks.relevance, even.relevance)
    assert not torch.equal(peaks.rows, even.rows)
    assert peaks.tokens_used().tolist() == even.tokens_used().tolist()


def test_the_oracle_takes_true_frames_first(kit: Kit) -> None:
    recipe = CONTENDERS["rewind"].make(kit).eval()
    batch = batch_of(60)
    hints = Hints(batch.relevant.amax(-1), 1.0, torch.Generator().manual_seed(0))
    with torch.no_grad():
        seen = recipe(batch.patches, batch.text, Ask(64, hints=hints))
    assert bool(torch.gather(batch.relevant.amax(-1), 1, seen.rows).bool().all())


def test_memory_without_instruction_is_the_same_for_all_questions(kit: Kit) -> None:
    plain = CONTENDERS["rewind-no-instruction"].make(kit).eval()
    batch = batch_of(20)
    with torch.no_grad():
        a = plain(batch.patches, text_of(2, seed=1), Ask(kit.tokens))
        b = plain(batch.patches, text_of(2, seed=2), Ask(kit.tokens))
    torch.testing.assert_close(a.frames, b.frames)
    assert not torch.allclose(a.relevance, b.relevance)


def test_answers_are_marked_in_one_pass_as_greedy_decoding_would(kit: Kit) -> None:
    recipe = CONTENDERS["uniform"].make(kit).eval()
    batch = batch_of(12)
    given = answers(recipe, batch, Ask(kit.tokens))
    from rewind.arena.answer import prompt_parts

    with torch.no_grad():
        embeddings, mask = recipe.prompt(prompt_parts(recipe, given.seen, batch.text, frames=12))
        for i in range(2):
            said = recipe.decoder.generate(embeddings[i : i + 1, mask[i]], limit=1)
            batch.answer[i, 0] = said.ids[0] if said.ids else 2
    again = answers(recipe, batch, Ask(kit.tokens))
    assert given.right.shape == again.right.shape == (2,)


def test_too_many_tokens_are_refused(kit: Kit) -> None:
    recipe = CONTENDERS["uniform"].make(kit).eval()
    batch = batch_of(30)
    with torch.no_grad():
        seen = recipe(batch.patches, batch.text, Ask(64))
    with pytest.raises(BudgetError, match="visual tokens"):
        seen.within(8)


def test_each_choice_changes_one_field_of_the_config(kit: Kit) -> None:
    plain = CONTENDERS["rewind"].make(kit).kit_config
    for contender in chosen(choices=True):
        if contender.group == "choices" and contender.weights_of is None:
            mine = contender.make(kit).kit_config
            assert sum(getattr(mine, f.name) != getattr(plain, f.name) for f in fields(mine)) == 1, contender.name


def test_groups_take_part_when_they_are_asked_for() -> None:
    core = chosen()
    assert {c.group for c in core} == {"core"}
    assert set(chosen(full=True)) - set(core) == {c for c in CONTENDERS.values() if c.group == "full"}
    assert set(chosen(choices=True)) - set(core) == {c for c in CONTENDERS.values() if c.group == "choices"}
    assert [c.name for c in chosen(["bridge", "rewind-clips-of-4"])] == ["bridge", "rewind-clips-of-4"]


def test_an_unknown_recipe_is_named(kit: Kit) -> None:
    with pytest.raises(ConfigError, match="nonesuch"):
        chosen(["rewind", "nonesuch"])
