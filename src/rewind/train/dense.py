"""Stage 1, patch by patch: what the middle patch of every thing shows, taught to the neck where the data knows it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from rewind.memory.facets import Facets
from rewind.memory.neck import Grid, Neck
from rewind.train.bank import Bank
from rewind.worlds import glyphs
from rewind.worlds.backgrounds import FRAME_PX
from rewind.worlds.looks import COLOURS, GLYPH_COLOUR_NAMES, SHAPES, SIGN_SHAPES, SIZES, SYMBOLS, TEXTURES

PLACES = 4
OBJECT_FIELDS = (len(SHAPES), len(COLOURS), len(TEXTURES), len(SIZES))
SIGN_FIELDS = (len(SIGN_SHAPES), len(COLOURS), len(GLYPH_COLOUR_NAMES), len(SYMBOLS))
CODE_FIELDS = (len(glyphs.CHARACTERS) + 1,) * PLACES
"""One class more than characters: the code has no glyph at that place."""
FIELDS = len(OBJECT_FIELDS) + len(SIGN_FIELDS) + PLACES
FACETS = tuple(size + 1 for size in (*OBJECT_FIELDS, *SIGN_FIELDS, *CODE_FIELDS))
"""What a model needs to be taught here: a facet for each field, with one value more for a thing without that field."""
ANY, NOTHING, NOT = -1, -2, -10
"""What an instruction wants of a field beside a value of it: any; a slot about nothing wants this of all; `NOT` − v is
any but v."""
_ASKED_WEIGHT = 50.0
_EMPTY = -1
Things = npt.NDArray[np.int64]


@dataclass(frozen=True)
class DenseTruth:
    """Every thing in every frame of a bank.

    `things` (n, 2 + FIELDS): frame row, patch of its middle, then the values of `OBJECT_FIELDS`, `SIGN_FIELDS` and
    `CODE_FIELDS`, −1 where a field is not of its kind; sorted by frame. `first` (N + 1,): where each frame's begin.
    `middles` (n, 2): of the things, x and y from −1 to 1 across the frame.
    """

    things: Things
    first: npt.NDArray[np.int64]
    middles: npt.NDArray[np.float32]

    def of(self, rows: npt.NDArray[np.int64]) -> tuple[Tensor, Tensor, Tensor]:
        """For frames `rows`: which of them each thing is in (m,), the things (m, 2 + FIELDS), their middles (m, 2)."""
        counts = self.first[rows + 1] - self.first[rows]
        picked = np.concatenate([np.arange(self.first[r], self.first[r + 1]) for r in rows])
        frame = torch.from_numpy(np.repeat(np.arange(len(rows)), counts))
        return frame, torch.from_numpy(self.things[picked]), torch.from_numpy(self.middles[picked])


def dense_truth(bank: Bank, *, side: int) -> DenseTruth:
    """The things of a bank's frames on a grid of side × side patches."""
    cell = FRAME_PX / side

    def patch(x: float, y: float) -> int:
        column, row = (min(side - 1, max(0, int(v // cell))) for v in (x, y))
        return row * side + column

    found: list[tuple[int, ...]] = []
    centres: list[tuple[float, float]] = []
    nothing = (_EMPTY,) * (len(SIGN_FIELDS) + PLACES)
    for truth, start in zip(bank.scenes, bank.first.tolist(), strict=True):
        for a in truth.appearances:
            look = (
                SHAPES.index(a.shape),
                COLOURS.index(a.colour),
                TEXTURES.index(a.texture),
                SIZES.index(a.size),
            )
            for k in range(a.start_s, a.end_s):
                centre = a.centre(k)
                found.append((start + k, patch(*centre), *look, *nothing))
                centres.append(centre)
        for s in truth.signs:
            code = [glyphs.CHARACTERS.index(c) for c in s.code]
            code += [len(glyphs.CHARACTERS)] * (PLACES - len(code))
            middle = ((s.box[0] + s.box[2]) / 2, (s.box[1] + s.box[3]) / 2)
            look = (
                SIGN_SHAPES.index(s.shape),
                COLOURS.index(s.colour),
                GLYPH_COLOUR_NAMES.index(s.glyph_colour),
                SYMBOLS.index(s.symbol),
            )
            empty = (_EMPTY,) * len(OBJECT_FIELDS)
            found += [(start + k, patch(*middle), *empty, *look, *code) for k in range(s.start_s, s.end_s)]
            centres += [middle] * (s.end_s - s.start_s)
    things, middles = np.array(found, dtype=np.int64), (np.array(centres) * 2 / FRAME_PX - 1).astype(np.float32)
    order = np.argsort(things[:, 0], kind="stable")
    first = np.searchsorted(things[order, 0], np.arange(len(bank.deep) + 1))
    return DenseTruth(things[order], first, middles[order])


class FieldHeads(nn.Module):
    """Linear readings of all fields, of what was read off a patch or of what an instruction is about; not kept.

    `more` classes a field has beyond its values: one for an instruction that leaves it open.
    """

    def __init__(self, width: int, *, more: int = 0) -> None:
        super().__init__()
        self.sizes = tuple(size + more for size in (*OBJECT_FIELDS, *SIGN_FIELDS, *CODE_FIELDS))
        self.read = nn.Linear(width, sum(self.sizes))

    def forward(self, features: Tensor) -> tuple[Tensor, ...]:
        """(m, width) → logits of every field, each (m, classes)."""
        logits: Tensor = self.read(features).float()
        return tuple(logits.split(self.sizes, dim=-1))


def words_loss(heads: FieldHeads, thoughts: Tensor, wanted: Tensor) -> Tensor:
    """Slots (B, SLOTS, width) read field by field against `wanted` (B, SLOTS, FIELDS), where below 0 is open."""
    flat = wanted.flatten(0, 1)
    losses = []
    for field, logits in enumerate(heads(thoughts.flatten(0, 1))):
        label = flat[:, field]
        losses.append(functional.cross_entropy(logits, torch.where(label < 0, logits.shape[1] - 1, label)))
    return torch.stack(losses).sum()


def shown_loss(shown: Sequence[Tensor], things: Tensor) -> tuple[Tensor, Tensor]:
    """Facets read off things (m, 2 + FIELDS), `shown` of each (m, values): cross-entropy, the fields that a thing has
    and those that it has not each as a mean, summed over fields; and the share of the former that is right."""
    losses, right, asked = [], things.new_zeros((), dtype=torch.float32), 0
    for field, logits in enumerate(shown):
        value = things[:, 2 + field]
        has = value >= 0
        label = torch.where(has, value, logits.shape[1] - 1)
        each = functional.cross_entropy(logits.float(), label, reduction="none")
        losses += [each[of].mean() for of in (has, ~has) if bool(of.any())]
        right += (logits[has].argmax(-1) == value[has]).float().sum()
        asked += int(has.sum())
    return torch.stack(losses).sum(), right / max(1, asked)


def asked_loss(facets: Facets, asked: Tensor, wanted: Tensor) -> Tensor:
    """Which values words allow, `asked` (B, SLOTS, values), against `wanted` (B, SLOTS, FIELDS) of `Aimed`: binary
    cross-entropy, a mean over values; a slot about nothing allows none."""
    allowed = []
    for field, size in enumerate(facets.sizes):
        value = torch.arange(size, device=wanted.device)
        want = wanted[..., field, None]
        one = (want >= 0) & (value == want)
        # "any but v" is said of things that have the field.
        but = (want <= NOT) & (value != NOT - want) & (value != size - 1)
        allowed.append(one | but | (want == ANY))
    right = torch.cat(allowed, dim=-1).float()
    return functional.binary_cross_entropy_with_logits(asked[..., : right.shape[-1]].float(), right)


def phrase_loss(heads: FieldHeads, facets: Facets, thoughts: Tensor, slots: Tensor, wanted: Tensor) -> Tensor:
    """What instructions are about, read off their thoughts and off what they allow: `words_loss` and `asked_loss`."""
    return words_loss(heads, thoughts, wanted) + _ASKED_WEIGHT * asked_loss(facets, slots, wanted)


def dense_losses(
    neck: Neck, facets: Facets, grid: Grid, where: tuple[Tensor, Tensor, Tensor]
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Salience loss, reading loss (of `shown_loss`; that of middles with it, where patches tell them), share of
    readings that are right, and the things' patches.

    Args:
        grid: of `Neck.grid`; where: of `DenseTruth.of` for the same frames.
    """
    salience = grid.salience
    frame, things = where[0].to(salience.device), where[1].to(salience.device)
    target = torch.zeros_like(salience)
    target[frame, things[:, 1]] = 1
    # A thing spreads over the patches beside its middle: they are neither right nor wrong.
    square = target.view(-1, 1, neck.side, neck.side)
    beside = functional.max_pool2d(square, 3, 1, 1).flatten(1) - target
    each = functional.binary_cross_entropy_with_logits(salience.float(), target, reduction="none")
    weight = torch.where(target > 0, 5.0, 1 - beside)
    salient = (each * weight).sum() / weight.sum()
    middles = neck.read(grid, frame, things[:, 1])
    read, right = shown_loss(facets.split(facets.shown(middles)), things)
    if neck.middle is not None:
        apart = (middles[:, -2:].float() - where[2].to(middles.device)) * (neck.side / 2)
        read = read + functional.smooth_l1_loss(apart, torch.zeros_like(apart), beta=0.2)
    return salient, read, right, middles
