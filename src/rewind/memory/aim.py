"""Aim: what an instruction is about, as vectors that patches are matched against (perceive's conditioning, [us])."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from rewind.config import SLOTS, ReWindConfig
from rewind.memory.facets import Facets
from rewind.memory.trail import Followed, Trail, how_many, shifted

_HEADS = 8
_UNSEEN = 1e-6


@dataclass(frozen=True)
class Handed:
    """A clip's last frame, as the next clip needs it: `said` (B, D), what it told of the things that are named,
    normalised, and how they moved."""

    said: Tensor
    followed: Followed | None

    def row(self, row: int) -> Handed:
        """That of one instruction alone."""
        return Handed(self.said[row : row + 1], self.followed and self.followed.row(row))


class Aim(nn.Module):
    """Instruction features (B, S, text_width) → Ī (B, D) and, for up to two things it names, what their patches look
    like.

    Softmax attention tells which patch fits an instruction best, not whether any fits. A match of its own, facet by
    facet, tells that; it is trained where the data knows what each patch shows.
    """

    def __init__(self, config: ReWindConfig) -> None:
        super().__init__()
        width, text = config.width, config.text_width
        self.norm = nn.LayerNorm(text)
        self.look = nn.Linear(text, 2 * SLOTS * _HEADS)
        self.value = nn.Linear(text, _HEADS * 48)
        self.think = nn.Sequential(
            nn.LayerNorm(_HEADS * 96 + text), nn.Linear(_HEADS * 96 + text, 2 * width), nn.GELU(approximate="tanh")
        )
        self.facets = Facets(width, config.facets)
        self.pooled = nn.Linear(2 * SLOTS * width, width)
        self.mark = nn.Linear(SLOTS, width)
        self.tell = nn.Linear(2 * SLOTS, width)
        self.content = nn.Linear(SLOTS * width, 2 * width)
        self.named = nn.Linear(SLOTS * sum(config.facets), 2 * width, bias=False) if config.read_facets else None
        if self.named is not None:
            nn.init.zeros_(self.named.weight)
        self.asked = nn.Linear(width, 2 * width)
        self.say = nn.Linear(2 * width, width)
        self.along_norm = nn.LayerNorm(width)
        self.along = nn.Linear(3 * width, width)
        self.change = nn.Linear(width, width)
        nn.init.zeros_(self.change.weight)
        nn.init.zeros_(self.change.bias)
        self.trail = Trail(width) if config.patch_place else None

    def thoughts(self, tokens: Tensor, mask: Tensor, mean: Tensor) -> tuple[Tensor, Tensor]:
        """tokens (B, S, text_width), mask (B, S), mean (B, text_width) → what each slot is about (B, SLOTS, 2 D), and
        which slot each word is of (B, S, SLOTS), as they attend to it: shares, none of padding."""
        b, s, _ = tokens.shape
        source = self.norm(tokens)
        weights = self.look(source).masked_fill(~mask[..., None], float("-inf")).softmax(1)
        weights = weights.view(b, s, SLOTS, 2, _HEADS)
        value = self.value(source).view(b, s, _HEADS, 48)
        gathered = torch.einsum("bskth,bshd->bkthd", weights, value).reshape(b, SLOTS, -1)
        looked = weights.detach().sum((-2, -1))
        words = looked / looked.sum(-1, keepdim=True).clamp(min=_UNSEEN)
        return self.think(torch.cat([gathered, mean[:, None].expand(-1, SLOTS, -1)], dim=-1)), words

    def forward(self, thoughts: Tensor) -> tuple[Tensor, Tensor]:
        """Thoughts (B, SLOTS, 2 D) → Ī (B, D), slots (B, SLOTS, values): what looks are asked for, and, where places
        are known, which motions: MOVING more."""
        slots = self.facets.asked(thoughts)
        if self.trail is not None:
            slots = torch.cat([slots, self.trail.asked(thoughts)], dim=-1)
        return self.pooled(thoughts.flatten(1)), slots

    def names_a_look(self, slots: Tensor) -> Tensor:
        """Slots of `forward` → whether the instruction says what the thing it asks for looks like (B,)."""
        return self.facets.names_a_look(self._looks(slots))

    def _looks(self, slots: Tensor) -> Tensor:
        return slots[..., : sum(self.facets.sizes)]

    def logits(self, patches: Tensor, slots: Tensor) -> Tensor:
        """patches (B, …, P, D), slots of `forward` → how well each patch's looks fit (B, …, P, SLOTS).

        Patches (1, …, P, D) meet the slots of all B.
        """
        values = self.facets.values(patches)
        flat = self.facets(values.flatten(1, -2), self._looks(slots))
        return torch.as_tensor(flat.view(len(slots), *patches.shape[1:-1], SLOTS))

    def mark_patches(self, patches: Tensor, slots: Tensor) -> tuple[Tensor, Tensor]:
        """X (B, F, P, D) → X marked where it fits, and the logits of the fit (B, F, P, SLOTS)."""
        logits = self.logits(patches, slots)
        return patches + self.mark(torch.sigmoid(logits).to(patches.dtype)), logits

    def condition(
        self, patches: Tensor, slots: Tensor, pooled: Tensor, before: Handed | None = None
    ) -> tuple[Tensor, Tensor, Handed]:
        """X (B, F, P, D) → X marked where it fits, what each frame tells of either thing, D wide (B, F, D), and what
        the next clip needs, which gets it as its `before`."""
        marked, logits = self.mark_patches(patches, slots)
        return marked, *self.tell_frames(patches, logits, slots, pooled, before)

    def tell_frames(
        self, patches: Tensor, logits: Tensor, slots: Tensor, pooled: Tensor, before: Handed | None = None
    ) -> tuple[Tensor, Handed]:
        """X (B, F, P, D) and its `logits` (B, F, P, SLOTS) → what each frame tells of either thing (B, F, D), and what
        the next clip needs.

        A frame tells whether, how surely and how often a thing is there, what its best patch holds as far as the
        instruction asks for it (Ī (B, D) opens and shuts that reading), and how the frames beside it differ.
        """
        surely, chosen, trail = logits.amax(2), logits, None
        fit = torch.sigmoid(logits)
        many = fit.sum(2) if self.trail is None else how_many(patches[..., -2:], fit)
        if self.trail is not None:
            moves = slots[..., sum(self.facets.sizes) :]
            trail = self.trail(patches[..., -2:], logits, moves, before and before.followed)
            # Looks and motion must both fit.
            surely = -torch.logaddexp(-surely, -trail.fit.to(surely.dtype))
            # What turned red is what is there now, where the red thing is a second later.
            chosen = logits + self.trail.follow(pooled)[:, None, None] * trail.taken
        # Fits are in single precision, whatever the weights are in.
        told = torch.cat([torch.tanh(surely / 4), many / 2], dim=-1).to(patches.dtype)
        best = torch.einsum("bfpk,bfpd->bfkd", chosen.softmax(2).to(patches.dtype), patches)
        said = self.tell(told) + self.read(best, pooled[:, None])
        if trail is not None:
            said = said + trail.told
        seen = self.along_norm(said)
        last = torch.zeros_like(seen[:, 0]) if before is None else before.said
        earlier = torch.cat([last[:, None], seen[:, :-1]], dim=1)
        beside = torch.cat([earlier, seen, shifted(seen, -1)], dim=-1)
        told = said + self.change(functional.gelu(self.along(beside)))
        return torch.as_tensor(told), Handed(seen[:, -1], trail and trail.last)

    def read_each(self, patches: Tensor, logits: Tensor, pooled: Tensor, *, most: int) -> Tensor:
        """Patches (B, F, P, D) and their `logits` (B, F, P, SLOTS) → the readings of the n ≤ `most` patches of either
        thing that fit best, the best first, each by itself (B, F, n, D), as far as Ī (B, D) asks."""
        rows = logits.topk(min(most, patches.shape[2]), dim=2).indices
        best = torch.stack([patches.take_along_dim(row[..., None], dim=2) for row in rows.unbind(-1)], dim=-2)
        return self.read(best, pooled[:, None, None])

    def read(self, best: Tensor, pooled: Tensor) -> Tensor:
        """The slots' best patches (…, SLOTS, D) as far as Ī (…, D) asks: (…, D)."""
        content = self.content(best.flatten(-2))
        if self.named is not None:
            # Not taught through here: the match needs them as they are.
            content = content + self.named(self.facets.shares(best).detach().flatten(-2).to(best.dtype))
        return torch.as_tensor(self.say(content * (1 + self.asked(pooled))))
