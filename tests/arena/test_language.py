"""What recipes begin with: language, and nothing that has seen a picture."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from rewind.arena import chosen
from rewind.arena.encoder import load_encoder
from rewind.arena.language import Language, load_language
from rewind.arena.recipe import Recipe
from rewind.arena.teach import Teacher
from rewind.errors import WeightsError
from rewind.text import load_text
from rewind.train.bank import ProjectedBank

VISUAL = ("memory", "detail", "slot", "writes", "moments.norm", "moments.memory")


@pytest.fixture(scope="module")
def language() -> Language:
    found = load_language("nano")
    assert found is not None
    return found


@pytest.fixture(scope="module")
def recipes(language: Language) -> tuple[Recipe, Recipe]:
    """ReWind's and one of four tokens a frame, before their first step."""
    encoder = load_encoder("nano")
    empty = ProjectedBank((), torch.zeros(0).numpy(), torch.zeros(0))
    teacher = Teacher(encoder, empty, load_text(), language.tokenizer, torch.device("cpu"), language)
    one, other = (teacher.make(c, 0, tokens=256) for c in chosen(["rewind", "moviechat"]))
    return one, other


def test_every_part_of_the_prompt_is_either_language_or_sees_tokens(
    language: Language, recipes: tuple[Recipe, Recipe]
) -> None:
    names = set(recipes[0].prompt.state_dict())
    taught = set(language.prompt)
    assert taught <= names
    assert all(name.startswith(VISUAL) for name in names - taught)
    assert not any(name.startswith(VISUAL) for name in taught)


def test_recipes_begin_with_one_language_and_projections_of_their_own(
    language: Language, recipes: tuple[Recipe, Recipe]
) -> None:
    one, other = recipes
    for name, want in language.decoder.items():
        assert torch.equal(one.decoder.state_dict()[name], want)
        assert torch.equal(other.decoder.state_dict()[name], want)
    for name, want in language.prompt.items():
        assert torch.equal(one.prompt.state_dict()[name], want)
    trained = load_language("nano")
    assert trained is not None
    assert trained.fingerprint == language.fingerprint


@pytest.mark.parametrize(("name", "without"), [("rewind-no-moments", "moments."), ("rewind-no-scores", "score")])
def test_what_a_choice_switches_off_is_not_taught(language: Language, name: str, without: str) -> None:
    empty = ProjectedBank((), torch.zeros(0).numpy(), torch.zeros(0))
    teacher = Teacher(load_encoder("nano"), empty, load_text(), language.tokenizer, torch.device("cpu"), language)
    state = teacher.make(chosen([name])[0], 0, tokens=256).prompt.state_dict()
    assert not any(part.startswith(without) for part in state)
    for part, want in language.prompt.items():
        assert part.startswith(without) or torch.equal(state[part], want)


def test_none_is_from_scratch_and_other_sizes_are_refused(
    language: Language, recipes: tuple[Recipe, Recipe], tmp_path: Path
) -> None:
    assert load_language("none") is None
    strange = replace(language, prompt={**language.prompt, "text_more": torch.zeros(1)})
    with pytest.raises(WeightsError, match="text_more"):
        strange.teach(recipes[0])
    with pytest.raises(WeightsError):
        load_language(str(tmp_path / "nowhere"))
