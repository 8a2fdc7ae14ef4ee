"""What tests of training share: a bank of cards whose features are noise."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

from rewind.train.bank import Bank
from rewind.train.rows import Rows
from rewind.worlds.cards import CARD_SECONDS, plan_card


@pytest.fixture(scope="session")
def make_card_bank() -> Callable[..., Bank]:
    def make(*, cards: int, deep: int, fine: int) -> Bank:
        """The first `cards` cards with features of `deep` and `fine` channels."""
        truths = tuple(plan_card(seed) for seed in range(cards))
        made = torch.Generator().manual_seed(0)
        rows = cards * CARD_SECONDS
        patches, more = torch.randn(rows, 49, deep, generator=made), torch.randn(rows, 196, fine, generator=made)
        return Bank(truths, np.arange(cards) * CARD_SECONDS, Rows([patches.half()]), Rows([more.half()]))

    return make
