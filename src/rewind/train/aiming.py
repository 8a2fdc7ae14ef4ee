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

from rewind.language.prompt import PromptParts
from rewind.language.tokenizer import PAD, AnswerTokenizer
from rewind.memory import Aim, MemoryState, Neck
from rewind.model import ReWind
from rewind.text import TextEncoder, TextFeatures
from rewind.text.spelling import read_instructions
from rewind.train.aims import NO_FIELD, WHOLE_CODE, Aimed, fits
from rewind.train.bank import Bank
from rewind.train.dense import (
    CODE_FIELDS,
    FIELDS,
    OBJECT_FIELDS,
    PLACES,
    FieldHeads,
    Things,
    dense_truth,
    phrase_loss,
    shown_loss,
)  # fmt: skip
from rewind.train.losses import aim_loss, answer_loss
from rewind.train.moves import Moves, moves_loss
from rewind.worlds import glyphs
from rewind.worlds.looks import COLOURS, GLYPH_COLOUR_NAMES, SHAPES, SIGN_SHAPES, SIZES, SYMBOLS, TEXTURES

_WORDS_WEIGHT, _CODE_WEIGHT, _MOVES_WEIGHT, _DENSE_WEIGHT = 0.4, 0.25, 2.0, 0.3
_BACKGROUND = 2
_PAIRS = 96
_SIGN = len(OBJECT_FIELDS)
"""The first of the fields that signs have."""
VALUES: tuple[tuple[str, ...], ...] = (
    *(SHAPES, COLOURS, TEXTURES, SIZES),
    *(SIGN_SHAPES, COLOURS, GLYPH_COLOUR_NAMES, SYMBOLS),
    *((glyphs.CHARACTERS,) * PLACES),
)
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
        grid = neck.grid(bank.deep[rows].to(device).float(), bank.fine[rows].to(device).float())
        frame, things, _ = (part.to(device) for part in truth.of(rows))
        found.append(neck.read(grid, frame, things[:, 1]).bfloat16().cpu())
        # The least salient of what is handed on: background, and what else is taken for something.
        handed = grid.salience.topk(neck.keep, dim=1).indices[:, neck.keep // 2 :]
        drawn = torch.from_numpy(rng.integers(0, handed.shape[1], (len(rows), _BACKGROUND)))
        rest = handed.gather(1, drawn.to(handed.device))
        beside = torch.arange(len(rows), device=rest.device).repeat_interleave(_BACKGROUND)
        others.append(neck.read(grid, beside, rest.flatten()).bfloat16().cpu())
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
        self.tokenizer = tokenizer

    ids: Tensor

    def forward(
        self, model: ReWind, middles: Middles, rows: npt.NDArray[np.int64], aims: Sequence[Aimed], text: TextEncoder,
        rng: np.random.Generator, moves: Moves, *, aloud: bool = False,
    ) -> tuple[Tensor, dict[str, float]]:  # fmt: skip
        """Things of frames `rows`, and `moves`, against instructions `aims` → the loss, and its parts; with `aloud` the
        decoder says all that is read off signs, not codes alone."""
        picked = np.concatenate([np.arange(middles.first[r], middles.first[r + 1]) for r in rows])
        beside = (rows[:, None] * _BACKGROUND + np.arange(_BACKGROUND)).ravel()
        things = middles.things[picked]
        shown = torch.cat([middles.patches[picked], middles.others[beside]]).to(model.device).float()
        aim = model.aim
        assert isinstance(aim, Aim)  # noqa: S101  (only sizes that aim are trained here)
        features = read_instructions(text, [one.text for one in aims])
        state = model.begin(features)
        assert state.slots is not None and state.thoughts is not None  # noqa: S101, PT018
        wanted = np.stack([one.wanted for one in aims])
        asked = torch.from_numpy(wanted).to(model.device)
        words = phrase_loss(self.words, aim.facets, state.thoughts, state.slots, asked)
        logits = aim.logits(shown[None], state.slots).transpose(0, 1)
        fit = np.zeros(logits.shape, dtype=np.float32)
        fit[: len(things)] = fits(wanted, things)
        # What else a frame hands on may be a thing beside its middle: it is no evidence against a match.
        sure = torch.from_numpy(_sure(fit, things, rows, middles)).to(model.device)
        matched = aim_loss(
            torch.where(sure, logits.float(), torch.full_like(logits.float(), -20.0)),
            torch.from_numpy(fit).to(model.device),
        )
        read = self._read(model, state, shown[: len(things)], things, aims, features, rng, aloud=aloud)
        seen = aim.facets.split(aim.facets.shown(shown[: len(things)]))
        dense, _ = shown_loss(seen, torch.from_numpy(things).to(model.device))
        loss = (
            _WORDS_WEIGHT * words
            + _DENSE_WEIGHT * dense
            + matched
            + read["reading"]
            + _CODE_WEIGHT * read["code"]
            + read["spoken"]
        )
        parts = {"words": words, "dense": dense, "aim": matched, **read}
        if aim.trail is not None:
            parts["moves"] = moves_loss(aim.trail, state.slots, aims, moves, rng)
            loss = loss + _MOVES_WEIGHT * parts["moves"]
        return loss, {name: float(value.detach()) for name, value in parts.items()}

    def _read(
        self, model: ReWind, state: MemoryState, patches: Tensor, things: npt.NDArray[np.int64], aims: Sequence[Aimed],
        features: TextFeatures, rng: np.random.Generator, *, aloud: bool,
    ) -> dict[str, Tensor]:  # fmt: skip
        """What is asked of a thing, read off its patch by the decoder's own output layer: the loss `reading` and the
        share `correct`; of whole codes, the loss of linear heads (`code`); of whole codes, and with `aloud` of whatever
        signs are asked for, that of the decoder's words (`spoken`).

        What stands at the second place of a code can be read off every sign, not only off the one that is meant: each
        field has some `_PAIRS` readings a step. Left to the pairs that fit, characters had one reading in ten, and were
        not learnt.
        """
        aim, decoder, prompt = model.aim, model.decoder, model.prompt
        assert aim is not None and decoder is not None  # noqa: S101, PT018
        asked = np.array([one.asks for one in aims])
        thing, which = draw_readings(things, asked, rng)
        read = aim.read(torch.stack([patches, patches.roll(1, 0)], dim=1)[thing], state.pooled[which])
        asks = asked[which]
        known = asks >= 0
        seen = decoder.out(decoder.norm(prompt.memory(prompt.memory_norm(read[known])))).float()
        target = self.ids[asks[known], things[thing[known], 2 + asks[known]]]
        codes = read[~known]
        labels = torch.from_numpy(things[thing[~known]][:, -PLACES:]).to(patches.device)
        spelled = [
            functional.cross_entropy(logits, labels[:, place])
            for place, logits in enumerate(self.code(codes)[-len(CODE_FIELDS) :])
            if len(codes)
        ]
        nothing = seen.sum() * 0
        loss = functional.cross_entropy(seen, target) if len(seen) else nothing
        right = (seen.argmax(-1) == target).float().mean() if len(seen) else nothing
        code = torch.stack(spelled).sum() if spelled else nothing
        said = np.flatnonzero(~known)
        if aloud:
            said = np.concatenate([said, rng.permutation(np.flatnonzero(asks >= _SIGN))[: 3 * _PAIRS]])
        names = [_name_of(things[thing[i], 2:], int(asks[i])) for i in said]
        spoken = self._speak(model, read[said], names, features, state.words, which[said]) if len(said) else nothing
        return {"reading": loss, "correct": right, "code": code, "spoken": spoken}

    def _speak(
        self, model: ReWind, read: Tensor, names: Sequence[str], features: TextFeatures, words: Tensor | None,
        which: npt.NDArray[np.int64],
    ) -> Tensor:  # fmt: skip
        """`names` in the decoder's words, from a memory of one frame, which holds what was read (n, D): loss.

        Of the questions on videos few ask for a whole code, and none of those was answered after all stages without
        this. And the few thousand signs of the videos can be known by heart from their looks: single characters were
        missed of signs whose code was told right, and of cards that no training saw up to half.
        """
        decoder, n, wide = model.decoder, len(read), model.config.write_tokens
        assert decoder is not None  # noqa: S101
        ids = [torch.tensor(self.tokenizer.encode(name)) for name in names]
        answer = nn.utils.rnn.pad_sequence(ids, batch_first=True, padding_value=PAD).to(read.device)
        place = read.new_zeros(n, wide, 2)
        place[..., 0], place[..., 1] = 0.5, 30.0
        parts = PromptParts(
            memory=read[:, None].expand(-1, wide, -1), memory_place=place, memory_score=read.new_ones(n, wide),
            memory_mask=torch.ones(n, wide, dtype=torch.bool, device=read.device),
            detail=read.new_zeros(n, 0, model.config.detail_tokens, read.shape[1]),
            detail_place=read.new_zeros(n, 0, 2), detail_mask=torch.ones(n, 0, dtype=torch.bool, device=read.device),
            text=features.tokens[which].to(read.device), text_mask=features.mask[which].to(read.device),
            words=None if words is None else words[which],
        )  # fmt: skip
        return answer_loss(decoder(*model.prompt(parts), answer).float(), answer)[0]


def _name_of(values: Things, asks: int) -> str:
    """What a sign (FIELDS,) is said to show of the field that is asked for, or its whole code."""
    if asks != WHOLE_CODE:
        return VALUES[asks][int(values[asks])]
    return "".join(glyphs.CHARACTERS[c] for c in values[-PLACES:] if c < len(glyphs.CHARACTERS))


def draw_readings(
    things: npt.NDArray[np.int64], asks: npt.NDArray[np.int64], rng: np.random.Generator
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Which of `things` (m, 2 + FIELDS) are read under which instructions, of what they ask (n,): two rows of pairs."""
    found = []
    for field in sorted({int(field) for field in asks if field != NO_FIELD}):
        values = things[:, 2 + (FIELDS - PLACES if field == WHOLE_CODE else field)]
        has = values >= 0
        if field >= FIELDS - PLACES:
            has &= values < len(glyphs.CHARACTERS)
        pairs = np.stack(np.meshgrid(np.flatnonzero(has), np.flatnonzero(asks == field), indexing="ij")).reshape(2, -1)
        found.append(pairs[:, rng.permutation(pairs.shape[1])[:_PAIRS]])
    thing, which = np.concatenate(found, axis=1) if found else np.empty((2, 0), np.int64)
    return thing, which


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
