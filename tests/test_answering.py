"""What memory was taught: questions of training count; a known thing that none of them names does not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rewind import models as ours
from rewind.answering import Engine
from rewind.loaded import engine as load_engine
from rewind.text.spelling import read_instructions
from rewind.worlds import make_world, questions
from rewind.worlds.glyphs import CHARACTERS
from rewind.worlds.looks import COLOURS, COMMON_SHAPES, MOTION_WORDS, SHAPES, SIGN_SHAPES, SIZES, SYMBOLS, TEXTURES
from rewind.worlds.wording import PLACES, TEMPLATES, board_phrase, plural, with_article


@pytest.fixture(scope="module")
def engine() -> Engine:
    return load_engine("nano")


def world_questions(count: int) -> list[str]:
    """Every wording of the worlds, with things drawn from all looks."""
    rng = np.random.default_rng(0)

    def one(names: tuple[str, ...]) -> str:
        return names[int(rng.integers(len(names)))]

    def thing() -> str:
        moves = tuple(MOTION_WORDS.values())
        return f"{one(SIZES)} {one(COLOURS)} {one(TEXTURES)} {one(SHAPES)} {one(moves)}"

    asked = []
    for number in range(count):
        sign = board_phrase(one(SIGN_SHAPES), one(COLOURS), "white", one(SYMBOLS))
        code = "".join(one(CHARACTERS) for _ in range(3 + number % 2))
        shown = thing() if number % 3 else sign
        values = {
            "place": one(PLACES), "sign": sign, "code": code, "a_thing": with_article(shown), "a": thing(),
            "b": thing(), "shape": one(SHAPES), "shapes": plural(one(COMMON_SHAPES)), "thing": thing(),
            "colour": one(COLOURS),
        }  # fmt: skip
        asked += [t.format(**values) for templates in TEMPLATES.values() for t in templates]
        asked += [shown, values["a"]]
    return asked


def test_no_question_of_the_worlds_names_what_was_not_taught(engine: Engine) -> None:
    asked = world_questions(40)
    assert len(asked) > 3000
    assert [question for question in asked if engine.names_untaught(question)] == []


@pytest.mark.parametrize(
    "query",
    ["the globe seen from space", "a red bus", "a bracelet of black beads", "colour bars", "two women hugging",
     "a scoreboard", "What colour is the dog?", "a street sign", "a white cup with blue letters",
     "Is there a red car in the video?"],
)  # fmt: skip
def test_what_the_classifier_knows_and_no_world_shows_is_left_to_it(engine: Engine, query: str) -> None:
    """However like the worlds' it sounds: *the globe seen from space* had been found in a meadow, at .999."""
    text = read_instructions(engine.text, [query])
    assert engine.names_untaught(query)
    assert engine.familiarity(text) == 0.0


@pytest.mark.parametrize("query", ["a sign", "How many signs are there?", "What symbol is on the sign?"])
def test_memory_is_not_asked_for_what_looks_like_anything(engine: Engine, query: str) -> None:
    """It finds nothing then: *How many signs are there?* was answered by 0, at .94."""
    text = read_instructions(engine.text, [query])
    assert engine.model.familiarity(text) > 0.9
    assert engine.vague(text)
    assert engine.familiarity(text) == 0.0


def test_every_question_of_the_worlds_says_what_its_thing_looks_like(engine: Engine) -> None:
    worlds = [(make_world(seed, seconds=seconds), seed) for seed, seconds in ((1_000_000, 60), (1_000_001, 600))]
    asked = [q.text for world, seed in worlds for q in questions(world, np.random.default_rng(seed), per_kind=12)]
    assert len(asked) > 150
    assert [q for q in asked if not engine.model.names_a_look(read_instructions(engine.text, [q]))] == []


def test_what_sounds_like_no_question_of_the_worlds_is_not_vague(engine: Engine) -> None:
    for query in ("a dog", "what happens?", "a street sign", "xyzzy"):
        assert not engine.vague(read_instructions(engine.text, [query]))


def test_memory_was_taught_the_same_words_whichever_decoder_speaks(
    engine: Engine, tiny_hub_decoder: Path, tmp_path: Path
) -> None:
    borrowed = ours.load(f"hub:{tiny_hub_decoder}")
    ours.save_pretrained(borrowed, tmp_path / "saved")
    for model in (borrowed, ours.from_pretrained(tmp_path / "saved")):
        other = replace(engine, model=model)
        assert other.names_untaught("the globe seen from space")
        assert not other.names_untaught("a blue ring")


def test_codes_and_unknown_words_name_nothing(engine: Engine) -> None:
    for query in ("What colour is the sign with the code HEN?", "Show the crimson zorblax now", "a blue ring"):
        assert not engine.names_untaught(query)
    text = read_instructions(engine.text, ["a blue ring"])
    assert engine.familiarity(text) == engine.model.familiarity(text) > 0.9
