"""A tiny arena without weights: random patches, random text, a small config."""

from __future__ import annotations

import pytest
import torch

from rewind.arena.encoder import Encoder, encoder_of
from rewind.arena.recipe import Kit
from rewind.config import ReWindConfig
from rewind.model import ReWind
from rewind.text import TextFeatures

SMALL = ReWindConfig(
    size="tiny", vision_width=12, patches=4, fine_width=6, fine_grid=4, text_width=16, width=32, heads=2, layers=1,
    queries=4, salient=6, neck_blocks=1, detail_tokens=4, decoder_width=24, decoder_layers=1, decoder_heads=2,
    vocabulary=40, score_width=8,
)  # fmt: skip


def text_of(count: int, *, words: int = 5, seed: int = 3) -> TextFeatures:
    g = torch.Generator().manual_seed(seed)
    mask = torch.ones(count, words, dtype=torch.bool)
    mask[:, -1] = False
    tokens = torch.randn(count, words, SMALL.text_width, generator=g) * mask[..., None]
    pooled = torch.nn.functional.normalize(torch.randn(count, SMALL.text_width, generator=g), dim=-1)
    return TextFeatures(("what?",) * count, tokens, mask, pooled)


@pytest.fixture(scope="session")
def tiny_encoder() -> Encoder:
    torch.manual_seed(5)
    return encoder_of("tiny", SMALL, ReWind(SMALL).state_dict())


@pytest.fixture
def kit(tiny_encoder: Encoder) -> Kit:
    torch.manual_seed(1)
    return Kit(tiny_encoder, SMALL, 64, text_of(1))
