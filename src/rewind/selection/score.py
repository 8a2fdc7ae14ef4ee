"""Relevance of each remembered frame: the instruction against the frame's memory tokens (select a of the rewind)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from rewind.config import ReWindConfig
from rewind.memory.trail import shifted


class FrameScore(nn.Module):
    """Ī (B, D) against M (B, T, W, D) → logits (B, T, tracks): one track for each thing an instruction may name [us].

    A scaled product of Ī and the frame's tokens side by side (and, with `score_after`, those of the frame after), with
    a threshold that depends on the words; how near the frame is to the end counts as far as the words ask for *now*.
    Selection is discrete, so no gradient reaches this from the answer: it has a loss of its own (frames inside the
    truth's moments against frames outside), and its sigmoid is calibrated on validation videos.
    """

    temperature: Tensor
    shift: Tensor

    def __init__(self, config: ReWindConfig) -> None:
        super().__init__()
        self.tracks, wide = config.tracks, config.write_tokens * config.width
        self.norm = nn.LayerNorm(config.width)
        self.memory = nn.Linear(wide, self.tracks * config.score_width)
        self.tell = nn.Linear(wide, self.tracks)
        self.instruction = nn.Linear(config.width, self.tracks * config.score_width)
        self.threshold = nn.Linear(config.width, self.tracks)
        self.recent = nn.Linear(config.width, self.tracks)
        nn.init.constant_(self.tell.bias, -3.0)
        # Of what happens between a clip's last frame and the next one, only the next one's memory tells.
        self.after = nn.Linear(wide, self.tracks * config.score_width) if config.score_after else None
        if self.after is not None:
            nn.init.zeros_(self.after.weight)
            nn.init.zeros_(self.after.bias)
        self.register_buffer("temperature", torch.ones(()))
        self.register_buffer("shift", torch.zeros(()))

    def forward(self, tokens: Tensor, pooled: Tensor, left: Tensor | None = None) -> Tensor:
        """tokens (B, T, W, D), pooled (B, D), `left` (T,) seconds to the last frame: one a frame if not given."""
        b, t = tokens.shape[:2]
        wide = self.norm(tokens).flatten(2)
        key = self.memory(wide)
        if self.after is not None:
            key = key + shifted(self.after(wide), -1)
        key = key.view(b, t, self.tracks, -1)
        query = self.instruction(pooled).view(b, self.tracks, -1)
        match = torch.einsum("btks,bks->btk", key, query) * query.shape[-1] ** -0.5
        if left is None:
            left = torch.arange(t - 1, -1, -1, device=tokens.device)
        near = torch.exp(-2.0 * left.to(tokens.device, tokens.dtype))[:, None]
        recent = self.recent(pooled)[:, None] * (2 * near - 1)
        return torch.as_tensor(match + self.tell(wide) + self.threshold(pooled)[:, None] + recent)

    def probability(self, logits: Tensor) -> Tensor:
        """Calibrated probability in 0–1 that the frame shows what the instruction asks about: (…, tracks) → (…)."""
        return torch.sigmoid(logits.amax(-1) / self.temperature + self.shift)
