"""Facets: a patch fits a phrase where it fits in every respect, each a choice among values of its own ([us])."""

from __future__ import annotations

import torch
from torch import Tensor, nn

_ALLOWED = 1.5
"""Logit of a value that nothing has been learnt of: most phrases leave most respects open."""
_SURE = 4.0
_FARTHEST = 15.0
_LEAST = 1e-6
_NAMED = 1.9
"""−log of the share of a facet's values that words allow, from which on they name one: one of seven or more."""
_SHUT = 30.0


class Facets(nn.Module):
    """Patches (…, D) against what words ask for (B, SLOTS, values): logits of the fit.

    In each of K respects (shape, colour, the second character …) a patch shows one value, with probabilities, and words
    allow some: one, all, all but one. What fits is what is allowed in all respects: log P = Σ log Σ p(value) · allowed.
    A product of two vectors with a threshold, as it stood here before, has to weigh eleven respects that fit against
    one that does not: of signs whose code is asked for it found .44 where this finds .86, with 1 in 20 of the codes
    that differ in one character taken for them.

    Words that name nothing ("a sign", "the logo") leave every respect open, and everything would fit. They find nothing
    instead, but for while the words are learnt: what names nothing yet has to be able to.
    """

    def __init__(self, width: int, sizes: tuple[int, ...]) -> None:
        super().__init__()
        self.sizes = sizes
        self.shown = nn.Linear(width, sum(sizes))
        self.asked = nn.Linear(2 * width, sum(sizes))
        nn.init.constant_(self.asked.bias, _ALLOWED)
        self.sharpness = nn.Parameter(torch.ones(()))
        self.sure = nn.Parameter(torch.tensor(_SURE))
        of = torch.repeat_interleave(torch.eye(len(sizes)), torch.tensor(sizes), dim=0, output_size=sum(sizes))
        self.register_buffer("of", of, persistent=False)

    of: Tensor

    def values(self, patches: Tensor) -> Tensor:
        """Patches (…, D) → how much each value is shown (…, values), not normalised within a facet."""
        return torch.as_tensor(self.shown(patches).float().clamp(-_FARTHEST, _FARTHEST).exp_())

    def shares(self, patches: Tensor) -> Tensor:
        """Patches (…, D) → the probability of each value within its facet (…, values)."""
        values = self.values(patches)
        return values / (values @ self.of.to(values.dtype) @ self.of.T.to(values.dtype))

    def forward(self, values: Tensor, asked: Tensor) -> Tensor:
        """`values` (B, N, values), or (1, N, values) for all alike, and `asked` (B, SLOTS, values) → (B, N, SLOTS)."""
        b, slots, _ = asked.shape
        facets = len(self.sizes)
        allowed = (torch.sigmoid(asked.float())[..., None] * self.of).permute(0, 2, 1, 3).flatten(2)
        # One product for what is allowed and for all there is: its gradient is the size of all patches' values.
        if len(values) == 1:  # and one for all instructions
            wide = values[0] @ torch.cat([allowed.permute(1, 0, 2).flatten(1), self.of], dim=1)
            among, whole = wide.split([b * slots * facets, facets], dim=-1)
            among, whole = among.unflatten(-1, (b, slots, facets)).transpose(0, 1), whole[None]
        else:
            wide = values @ torch.cat([allowed, self.of.expand(b, -1, -1)], dim=-1)
            among, whole = wide.split([slots * facets, facets], dim=-1)
            among = among.unflatten(-1, (slots, facets))
        share: Tensor = among / whole[:, :, None]
        fit: Tensor = self.sharpness * share.float().clamp(min=_LEAST).log().sum(-1) + self.sure
        if self.training and self.asked.weight.requires_grad:
            return fit
        return fit - _SHUT * (_NAMED - self.named(asked)).clamp(min=0)[:, None]

    def named(self, asked: Tensor) -> Tensor:
        """`asked` (B, SLOTS, values) → how narrow the narrowest facet is that asks for a value (B, SLOTS), in nats.

        A facet's last value is that of things without it: words that leave it open ask for none.
        """
        allowed = self.split(torch.sigmoid(asked.float()))
        narrow = [-of.mean(-1).clamp(min=_LEAST).log() * (1 - of[..., -1]) for of in allowed]
        return torch.stack(narrow, dim=-1).amax(-1)

    def names_a_look(self, asked: Tensor) -> Tensor:
        """`asked` (B, SLOTS, values) → whether words say of the first thing that they name what it looks like (B,)."""
        return self.named(asked)[:, 0] >= _NAMED

    def split(self, flat: Tensor) -> tuple[Tensor, ...]:
        """(…, values) → each facet's (…, size)."""
        return tuple(torch.split(flat, list(self.sizes), dim=-1))
