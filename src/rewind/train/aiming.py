"""Stage 1, second part: instructions meet the things of many frames, and read off them what they ask for ([us]).

The neck is done by now, so that every thing is one patch, kept. Hundreds of instructions a step then cost no more than
their words, where a question on a video teaches one thing a step.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from rewind.language.tokenizer import AnswerTokenizer
from rewind.memory import Aim, Neck
from rewind.model import ReWind
from rewind.text import TextEncoder
from rewind.text.spelling import read_instructions
from rewind.train.aims import WHOLE_CODE, Aimed, fits
from rewind.train.bank import Bank
from rewind.train.dense import CODE_FIELDS, FIELDS, PLACES, FieldHeads, dense_truth, words_loss
from rewind.train.losses import aim_loss
from rewind.worlds import glyphs
from rewind.worlds.looks import COLOURS, GLYPH_COLOUR_NAMES, SHAPES, SIGN_SHAPES, SIZES, SYMBOLS, TEXTURES

_WORDS_WEIGHT, _CODE_WEIGHT = 0.4, 0.25
_BACKGROUND = 2
VALUES: tuple[tuple[str, ...], ...] = (
    SHAPES, COLOURS, TEXTURES, SIZES, SIGN_SHAPES, COLOURS, GLYPH_COLOUR_NAMES, SYMBOLS, *((glyphs.CHARACTERS,) *
    PLACES), )  # fmt: skip
"""What the values of each field are called."""


@dataclass(frozen=True)
class Middles:
    """Every thing of a bank: its middle `patches` (m, D) and what it is, `things` (m, 2 + FIELDS), sorted by frame;
    `first` (N + 1,): where each frame's begin. `others` (N · k, D): salient patches of the same frames, mostly of
    things too, k a frame."""

    patches: Tensor
    things: npt.NDArray[np.int64]
    first: npt.NDArray[np.int64]
    others: Tensor


@torch.no_grad()
def middles_of(bank: Bank, neck: Neck, *, seed: int, device: torch.device | str = "cpu", batch: int = 64) -> Middles:
    """Run the neck over a bank once."""
    truth = dense_truth(bank, side=neck.side)
    rng = np.random.default_rng([seed, 17])
    found, others = [], []
    for start in range(0, len(bank.deep), batch):
        rows = np.arange(start, min(start + batch, len(bank.deep)))
        patches, salience = neck.grid(bank.deep[rows].to(device).float(), bank.fine[rows].to(device).float())
        frame, things = truth.of(rows)
        found.append(patches[frame, things[:, 1]].bfloat16().cpu())
        # The least salient of what is handed on: background, and what else is taken for something.
        handed = salience.topk(neck.keep, dim=1).indices[:, neck.keep // 2 :]
        drawn = torch.from_numpy(rng.integers(0, handed.shape[1], (len(rows), _BACKGROUND)))
        rest = handed.gather(1, drawn.to(handed.device))
        others.append(
            patches.gather(1, rest[..., None].expand(-1, -1, patches.shape[-1])).flatten(0, 1).bfloat16().cpu()
        )
    return Middles(torch.cat(found), truth.things, truth.first, torch.cat(others))


class Aiming(nn.Module):
    """One step of the stage; its heads are thrown away after."""

    def __init__(self, model: ReWind, tokenizer: AnswerTokenizer) -> None:
        super().__init__()
        self.words = FieldHeads(2 * model.config.width, more=1)
        self.code = FieldHeads(model.config.width)
        most = max(len(values) for values in VALUES)
        table = [[tokenizer.encode(value)[0] for value in values] + [0] * (most - len(values)) for values in VALUES]
        self.register_buffer("ids", torch.tensor(table), persistent=False)

    ids: Tensor

    def forward(
        self, model: ReWind, middles: Middles, rows: npt.NDArray[np.int64], aims: Sequence[Aimed], text: TextEncoder
    ) -> tuple[Tensor, dict[str, float]]:
        """Things of frames `rows` against instructions `aims` → the loss, and its parts."""
        picked = np.concatenate([np.arange(middles.first[r], middles.first[r + 1]) for r in rows])
        beside = (rows[:, None] * _BACKGROUND + np.arange(_BACKGROUND)).ravel()
        things = middles.things[picked]
        shown = torch.cat([middles.patches[picked], middles.others[beside]]).to(model.device).float()
        aim = model.aim
        assert isinstance(aim, Aim)  # noqa: S101  (only sizes that aim are trained here)
        state = model.begin(read_instructions(text, [one.text for one in aims]))
        assert state.slots is not None and state.thoughts is not None  # noqa: S101, PT018
        wanted = np.stack([one.wanted for one in aims])
        words = words_loss(self.words, state.thoughts, torch.from_numpy(wanted).to(model.device))
        logits = aim.logits(shown[None].expand(len(aims), -1, -1), state.slots).transpose(0, 1)
        fit = np.zeros(logits.shape, dtype=np.float32)
        fit[: len(things)] = fits(wanted, things)
        # What else a frame hands on may be a thing beside its middle: it is no evidence against a match.
        sure = torch.from_numpy(_sure(fit, things, rows, middles)).to(model.device)
        matched = aim_loss(
            torch.where(sure, logits.float(), torch.full_like(logits.float(), -20.0)),
            torch.from_numpy(fit).to(model.device),
        )
        reading, right, code = self._read(model, state.pooled, shown[: len(things)], things, fit, aims)
        parts = {"words": words, "aim": matched, "reading": reading, "correct": right, "code": code}
        loss = _WORDS_WEIGHT * words + matched + reading + _CODE_WEIGHT * code
        return loss, {name: float(value.detach()) for name, value in parts.items()}

    def _read(
        self, model: ReWind, pooled: Tensor, patches: Tensor, things: npt.NDArray[np.int64],
        fit: npt.NDArray[np.float32], aims: Sequence[Aimed],
    ) -> tuple[Tensor, Tensor, Tensor]:  # fmt: skip
        """What is asked of a thing, read off its patch by the decoder's own output layer: loss, share right, code
        loss.
        """
        aim, decoder, prompt = model.aim, model.decoder, model.prompt
        assert aim is not None and decoder is not None  # noqa: S101, PT018
        thing, which = np.nonzero(fit[: len(things), :, 0])
        asks = np.array([one.asks for one in aims])[which]
        label = np.where(asks >= 0, things[thing, 2 + np.maximum(asks, 0)], -1)
        known = (asks >= 0) & (label >= 0) & ~((asks >= FIELDS - PLACES) & (label == len(glyphs.CHARACTERS)))
        read = aim.read(torch.stack([patches, patches.roll(1, 0)], dim=1)[thing], pooled[which])
        seen = decoder.out(decoder.norm(prompt.memory(prompt.memory_norm(read[known])))).float()
        target = self.ids[asks[known], label[known]]
        codes = read[asks == WHOLE_CODE]
        labels = torch.from_numpy(things[thing][asks == WHOLE_CODE][:, -PLACES:]).to(patches.device)
        spelled = [
            functional.cross_entropy(logits, labels[:, place])
            for place, logits in enumerate(self.code(codes)[-len(CODE_FIELDS) :])
            if len(codes)
        ]
        nothing = seen.sum() * 0
        loss = functional.cross_entropy(seen, target) if len(seen) else nothing
        right = (seen.argmax(-1) == target).float().mean() if len(seen) else nothing
        return loss, right, torch.stack(spelled).sum() if spelled else nothing


def _sure(
    fit: npt.NDArray[np.float32], things: npt.NDArray[np.int64], rows: npt.NDArray[np.int64], middles: Middles
) -> npt.NDArray[np.bool_]:
    """Pairs that teach: all of things, and of other patches those whose frame holds nothing that fits."""
    sure = np.ones(fit.shape, dtype=np.bool_)
    counts = middles.first[rows + 1] - middles.first[rows]
    frame = np.repeat(np.arange(len(rows)), counts)
    held = np.zeros((len(rows), *fit.shape[1:]), dtype=np.bool_)
    np.logical_or.at(held, frame, fit[: len(things)] > 0)
    sure[len(things) :] = ~np.repeat(held, _BACKGROUND, axis=0)
    return sure
