"""What every recipe shares: what it hears, what it must hand over, and how merged tokens tell of single frames."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from rewind.arena.encoder import Encoder
from rewind.config import ReWindConfig, Selector
from rewind.errors import BudgetError
from rewind.language.decoder import BundledDecoder
from rewind.language.prompt import Prompt
from rewind.selection.score import FrameScore
from rewind.text import TextFeatures


@dataclass(frozen=True)
class Kit:
    """What recipes are made of: the encoder, sizes, how many visual tokens the decoder gets, a generic instruction."""

    encoder: Encoder
    config: ReWindConfig
    tokens: int
    generic: TextFeatures


@dataclass(frozen=True)
class Hints:
    """Where the truth may help: `relevant` (B, T); with probability `teacher` a video's key frames follow it."""

    relevant: Tensor
    teacher: float
    generator: torch.Generator


@dataclass(frozen=True)
class Ask:
    """How a video is to be remembered: the token budget, the selector (None: its own), and hints from the truth."""

    tokens: int
    selector: Selector | None = None
    hints: Hints | None = None


@dataclass(frozen=True)
class Heard:
    """An instruction as memories read it: `words` (B, S, D) and `mask` (B, S), `pooled` Ī (B, D), `slots` of `Aim`, and
    `things` (B, S, SLOTS), which of them each word is of."""

    words: Tensor
    mask: Tensor
    pooled: Tensor
    slots: Tensor | None
    things: Tensor | None


@dataclass(frozen=True)
class Entries:
    """Memory: `tokens` (B, G, W, D), each standing for frames `start` … `end` (B, G, W), half-open; `mask` (B, G, W).

    `rows` (B, k) are the frames that were looked at, where a system looks at some only.
    """

    tokens: Tensor
    start: Tensor
    end: Tensor
    mask: Tensor
    rows: Tensor | None = None


@dataclass(frozen=True)
class Remembered:
    """All that the decoder is shown of B videos of T frames.

    `entries` with `score` (B, G, W) in 0–1; `relevance` logits (B, T, tracks); `frames` (B, T, W, D): what memory holds
    of each frame, for the tokens of the moments found; `detail` (B, k, m, D) of key frames `rows` (B, k), or neither;
    `things` as it was heard.
    """

    entries: Entries
    score: Tensor
    relevance: Tensor
    frames: Tensor
    detail: Tensor | None = None
    rows: Tensor | None = None
    things: Tensor | None = None

    def tokens_used(self) -> Tensor:
        """(B,) long: visual tokens that the decoder gets; τ and the moments, the same for all recipes, not counted."""
        shown = self.entries.mask.flatten(1).sum(1)
        return shown if self.detail is None else shown + self.detail.shape[1] * self.detail.shape[2]

    def within(self, tokens: int) -> Remembered:
        """Itself. Raises: BudgetError where more than `tokens` visual tokens would be shown."""
        used = int(self.tokens_used().max())
        if used > tokens:
            raise BudgetError(f"{used} visual tokens", allowed=f"{tokens}, the same for every recipe")
        return self


class Instruction(nn.Module):
    """Text features → `Heard`. The aligned parts come with the encoder and are frozen; the others are learnt."""

    def __init__(self, kit: Kit) -> None:
        super().__init__()
        text, width = kit.config.text_width, kit.config.width
        self.words = nn.Sequential(nn.LayerNorm(text), nn.Linear(text, width))
        self.pool = nn.Sequential(nn.LayerNorm(text), nn.Linear(text, width))
        self.aim = kit.encoder.fresh_aim()

    def forward(self, text: TextFeatures) -> Heard:
        device = next(self.pool.parameters()).device
        tokens, mask, mean = text.tokens.to(device), text.mask.to(device), text.pooled.to(device)
        pooled, slots, things = self.pool(mean), None, None
        if self.aim is not None:
            thoughts, things = self.aim.thoughts(tokens, mask, mean)
            aimed, slots = self.aim(thoughts)
            pooled = pooled + aimed
        return Heard(self.words(tokens), mask, pooled, slots, things)


class Recipe(nn.Module):
    """A memory system: `forward` gives what the decoder is shown. It owns its prompt and its decoder.

    A system other than ReWind fills in `entries`: patches and instruction → memory. Frame scores and prompt are alike
    for all: what memory holds of a frame is the mean of the tokens that stand for it.

    Args:
        wide: W, tokens that stand side by side for the same frames.
    """

    prompt: Prompt
    decoder: BundledDecoder

    def __init__(self, kit: Kit, *, wide: int, heads: bool = True) -> None:
        super().__init__()
        self.kit_config = replace(kit.config, write_tokens=wide)
        self.tokens = kit.tokens
        if heads:
            self.instruct = Instruction(kit)
            self.score = FrameScore(self.kit_config)
            self.extent = nn.Linear(1, kit.config.width)
            self.prompt = Prompt(self.kit_config)
            self.decoder = BundledDecoder(self.kit_config)

    def entries(self, patches: Tensor, heard: Heard, *, tokens: int) -> Entries:
        """Patches (B, T, P, D) → memory of at most `tokens` tokens a video."""
        raise NotImplementedError

    def forward(self, patches: Tensor, text: TextFeatures, ask: Ask) -> Remembered:
        """Remember B videos of projected patches (B, T, P, D), one instruction each."""
        heard = self.instruct(text)
        held = self.entries(patches, heard, tokens=ask.tokens)
        inside = covers(held, patches.shape[1])
        frames = frame_tokens(held, inside)
        relevance = self.score(frames, heard.pooled)
        told = torch.sigmoid(relevance.detach().amax(-1))[:, None, None]
        score = torch.where(inside, told, told.new_zeros(())).amax(-1) if held.tokens.shape[1] else held.start * 0.0
        length = torch.log1p((held.end - held.start - 1).clamp(min=0))[..., None]
        shown = replace(held, tokens=held.tokens + self.extent(length.to(held.tokens.dtype)))
        return Remembered(shown, score, relevance, frames, rows=held.rows, things=heard.things).within(ask.tokens)


def covers(held: Entries, frames: int) -> Tensor:
    """(B, G, W, T) bool: whether a token stands for a frame."""
    frame = torch.arange(frames, device=held.start.device)
    return (frame >= held.start[..., None]) & (frame < held.end[..., None]) & held.mask[..., None]


def frame_tokens(held: Entries, inside: Tensor) -> Tensor:
    """Tokens (B, G, W, D) mapped back to frames: the mean of those that stand for each, (B, T, W, D); 0 for none."""
    share = inside.to(held.tokens.dtype)
    share = share / share.sum(1, keepdim=True).clamp(min=1.0)
    return torch.einsum("bgwt,bgwd->btwd", share, held.tokens)
