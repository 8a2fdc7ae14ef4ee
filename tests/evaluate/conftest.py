"""A small model with random weights that believes itself, and one short world in a file and in a store."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from rewind.answering import Engine
from rewind.config import ReWindConfig
from rewind.evaluate.watched import Watched, watch_file
from rewind.language.tokenizer import AnswerTokenizer
from rewind.loaded import engine
from rewind.model import ReWind
from rewind.models import save_pretrained
from rewind.worlds import KINDS, Question, World, make_world, questions, save
from rewind.worlds.splits import VALIDATION_SEEDS

SEED, SECONDS = VALIDATION_SEEDS.start + 77, 45


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The folder of a model whose decoder always speaks, whatever the words name, and whose scores rise above the
    threshold now and then."""
    tokenizer = AnswerTokenizer.from_words(["red", "blue", "yes", "no", "at", "never"])
    torch.manual_seed(5)
    config = ReWindConfig.of_size(
        "nano", neck_blocks=1, width=32, heads=2, layers=1, queries=4, score_width=16, detail_tokens=4,
        decoder_width=24, decoder_heads=2, decoder_layers=1, vocabulary=len(tokenizer), answer_reserve=3,
    )  # fmt: skip
    made = ReWind(config, tokenizer=tokenizer)
    made.answers.fill_(1.0)
    made.answer_temperature.fill_(1000.0)
    made.score.shift.fill_(3.0)
    head = made.known[-1]
    torch.nn.init.constant_(head.bias, 20.0)
    assert made.aim is not None
    torch.nn.init.constant_(made.aim.facets.asked.bias, -4.0)
    folder = tmp_path_factory.mktemp("model") / "tiny"
    save_pretrained(made, folder, dtype=torch.float32)
    return str(folder)


@pytest.fixture(scope="session")
def speaker(model: str) -> Engine:
    return engine(model)


@pytest.fixture(scope="session")
def world() -> World:
    return make_world(SEED, seconds=SECONDS)


@pytest.fixture(scope="session")
def asked(world: World) -> list[Question]:
    rng = np.random.default_rng(SEED)
    finds = questions(world, rng, kinds=("find",), per_kind=4)
    assert sum(bool(q.moments) for q in finds) >= 2
    return questions(world, rng, kinds=[k for k in KINDS if k != "find"]) + finds


@pytest.fixture(scope="session")
def film(world: World, asked: list[Question], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The world's file, with its questions in two formats beside it."""
    return save(world, asked, tmp_path_factory.mktemp("films"), name="film", fps=4).video


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("store")


@pytest.fixture(scope="session")
def watched(film: Path, speaker: Engine, model: str, store: Path) -> Watched:
    return watch_file(film, engine=speaker, model=model, store=store)
