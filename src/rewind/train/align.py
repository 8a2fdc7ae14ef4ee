"""Stage 1, align: patches learn what they show, instructions what they are about, and both meet ([us]).

The published stage contrasts a clip's tokens with its caption. Here the data knows more: which patch is the middle of
which thing. So every patch meets every instruction, and each pair is a yes or a no (SigLIP's loss); linear readings
of the same patches say what they show.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from rewind.memory import Aim, Neck
from rewind.model import ReWind
from rewind.text import TextEncoder
from rewind.text.spelling import read_instructions
from rewind.train.aims import Aimed, draw_aim, fits
from rewind.train.bank import Bank
from rewind.train.dense import DenseTruth, FieldHeads, Things, dense_losses, dense_truth, phrase_loss
from rewind.train.losses import aim_loss

_SALIENCE_WEIGHT, _READ_WEIGHT, _WORDS_WEIGHT = 2.0, 0.6, 0.4
_BACKGROUND = 2
"""Patches a frame, drawn anywhere, that mostly fit nothing."""


@dataclass(frozen=True)
class Source:
    """A bank, what is in its frames, and how often a batch comes from it."""

    bank: Bank
    truth: DenseTruth
    share: float

    @staticmethod
    def of(bank: Bank, *, side: int, share: float) -> Source:
        return Source(bank, dense_truth(bank, side=side), share)


class Align(nn.Module):
    """One step of the stage; the readings are trained beside the model and thrown away after."""

    def __init__(self, model: ReWind) -> None:
        super().__init__()
        self.words = FieldHeads(2 * model.config.width, more=1)

    def forward(
        self, model: ReWind, source: Source, rows: npt.NDArray[np.int64], aims: list[Aimed], text: TextEncoder,
        rng: np.random.Generator,
    ) -> tuple[Tensor, dict[str, float]]:  # fmt: skip
        """Frames `rows` of `source` against instructions `aims` → the loss, and its parts."""
        deep = source.bank.deep[rows].to(model.device).float()
        fine = source.bank.fine[rows].to(model.device).float()
        where = source.truth.of(rows)
        things = where[1]
        neck, aim = model.patches, model.aim
        assert isinstance(neck, Neck) and isinstance(aim, Aim)  # noqa: S101, PT018  (only sizes with both are trained)
        grid = neck.grid(deep, fine)
        salient, read, right, middles = dense_losses(neck, aim.facets, grid, where)
        any_frame = torch.arange(len(rows), device=model.device).repeat_interleave(_BACKGROUND)
        any_patch = torch.from_numpy(rng.integers(0, neck.side**2, len(any_frame))).to(model.device)
        features = read_instructions(text, [one.text for one in aims])
        thoughts, _ = aim.thoughts(
            features.tokens.to(model.device), features.mask.to(model.device), features.pooled.to(model.device)
        )
        _, slots = aim(thoughts)
        wanted = np.stack([one.wanted for one in aims])
        words = phrase_loss(self.words, aim.facets, thoughts, slots, torch.from_numpy(wanted).to(model.device))
        shown = torch.cat([middles, neck.read(grid, any_frame, any_patch)])
        logits = aim.logits(shown[None], slots).transpose(0, 1)
        fit = np.zeros(logits.shape, dtype=np.float32)
        fit[: len(things)] = fits(wanted, things.numpy())
        matched = aim_loss(logits, torch.from_numpy(fit).to(model.device))
        parts = {"salience": salient, "read": read, "correct": right, "words": words, "aim": matched}
        loss = _SALIENCE_WEIGHT * salient + _READ_WEIGHT * read + _WORDS_WEIGHT * words + matched
        return loss, {name: float(value.detach()) for name, value in parts.items()}


def draw_rows(source: Source, rng: np.random.Generator, *, size: int) -> npt.NDArray[np.int64]:
    """Frames of a bank, each as likely."""
    return np.sort(rng.choice(len(source.bank.deep), size, replace=False))


def draw_aims(things: Things, rng: np.random.Generator, *, count: int) -> list[Aimed]:
    """Instructions about things of some frames, signs and objects in turn."""
    signs, objects = np.flatnonzero(things[:, 2] < 0), np.flatnonzero(things[:, 2] >= 0)
    aims = []
    for number in range(count):
        pool = signs if number % 2 and len(signs) else objects
        aims.append(draw_aim(things[rng.choice(pool)], things[rng.choice(objects)], rng))
    return aims
