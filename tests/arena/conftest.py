"""A tiny arena without weights: random patches, random text, a small config."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from rewind.arena import ArenaPlan, chosen
from rewind.arena.encoder import Encoder, encoder_of, part_of
from rewind.arena.recipe import Kit
from rewind.arena.run import Banks, play
from rewind.config import ReWindConfig
from rewind.model import ReWind
from rewind.text import TextFeatures
from rewind.train.bank import ProjectedBank
from rewind.worlds.plan import plan_scene
from rewind.worlds.splits import VALIDATION_SEEDS

SMALL = ReWindConfig(
    size="tiny", vision_width=12, patches=4, fine_width=6, fine_grid=4, text_width=16, width=32, heads=2, layers=1,
    queries=4, salient=6, neck_blocks=1, detail_tokens=4, decoder_width=24, decoder_layers=1, decoder_heads=2,
    vocabulary=40, score_width=8, score_after=True, words_in_prompt=True,
)  # fmt: skip

TINY = ArenaPlan(minutes=0.5, tokens=64, per_kind=8, scenes=24, test_scenes=12, short=4, long=4, long_frames=24)


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


class Words:
    """A text encoder of nothing but noise that depends on the text."""

    name, weights_hash, width = "noise", "0", SMALL.text_width

    def encode(self, texts: Any) -> Any:
        one = [text_of(1, words=6, seed=sum(map(ord, t)) % 997) for t in texts]
        return replace(
            one[0], texts=tuple(texts), tokens=torch.cat([o.tokens for o in one]),
            mask=torch.cat([o.mask for o in one]), pooled=torch.cat([o.pooled for o in one]),
        )  # fmt: skip


def bank_of(seed: int, scenes: int) -> ProjectedBank:
    truths = tuple(plan_scene(seed + i, 0) for i in range(scenes))
    lengths = np.array([t.duration_s for t in truths])
    g = torch.Generator().manual_seed(seed)
    patches = torch.randn(int(lengths.sum()), SMALL.salient, SMALL.width, generator=g)
    return ProjectedBank(truths, np.concatenate([[0], np.cumsum(lengths)[:-1]]), patches)


@pytest.fixture(scope="session")
def banks() -> Banks:
    whole = bank_of(0, TINY.scenes)
    return Banks(part_of(whole, 0, 16), part_of(whole, 16, 24), bank_of(VALIDATION_SEEDS.start, TINY.test_scenes))


def run(
    encoder: Encoder, banks: Banks, out: Path, *names: str, stop_at: float | None = None, said: list[str] | None = None,
    plan: ArenaPlan = TINY, seeds: int = 1, weights: Path | None = None,
) -> dict[str, Any]:  # fmt: skip
    return play(
        plan, encoder, banks, Words(), out, chosen(names), seeds=seeds, stop_at=stop_at, device=torch.device("cpu"),
        say=(said if said is not None else []).append, progress=lambda *_: None, weights=weights,
    )  # fmt: skip
