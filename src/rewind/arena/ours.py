"""ReWind's row, and its removals: the engine's own model with one switch thrown."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from rewind.arena.encoder import key_frame_detail
from rewind.arena.recipe import Ask, Entries, Kit, Recipe, Remembered
from rewind.config import Selector
from rewind.language.decoder import BundledDecoder
from rewind.language.prompt import Prompt
from rewind.model import ReWind
from rewind.selection.choose import choose_frames
from rewind.selection.digest import digest
from rewind.text import TextFeatures
from rewind.train.losses import draw_key_frames, remember


@dataclass(frozen=True)
class Removal:
    """What is taken away: the instruction of memory, memory itself, key frames; or what fields of the config say."""

    instructed: bool = True
    memory: bool = True
    detail: bool = True
    changes: tuple[tuple[str, Any], ...] = ()

    def key_frames(self, tokens: int, each: int) -> int:
        """How many key frames `tokens` pay for: half of the tokens where memory is shown beside them."""
        if not self.detail:
            return 0
        return max(1, (tokens // 2 if self.memory else tokens) // each)


class OurRecipe(Recipe):
    """`rewind.model.ReWind` on shared patches; the memory shown is the engine's digest, key frames its selection."""

    def __init__(self, kit: Kit, removal: Removal | None = None) -> None:
        removal = removal or Removal()
        most = max(1, removal.key_frames(kit.tokens, kit.config.detail_tokens))
        changes = {"key_frames": most, "reserve": most // 2, "budget": 8 * kit.tokens + 1024, **dict(removal.changes)}
        super().__init__(kit, wide=kit.config.write_tokens, heads=False)
        self.kit_config = replace(kit.config, **changes)
        self.removal = removal
        self.generic = kit.generic
        self.model = ReWind(self.kit_config)
        aim = kit.encoder.fresh_aim()
        if aim is not None and self.model.aim is not None:
            self.model.aim.load_state_dict(aim.state_dict())
            for (_, ours), (_, theirs) in zip(self.model.aim.named_parameters(), aim.named_parameters(), strict=True):
                ours.requires_grad_(theirs.requires_grad)
        self.model.patches.requires_grad_(False)  # patches come projected

    @property
    def prompt(self) -> Prompt:  # type: ignore[override]
        return self.model.prompt

    @property
    def decoder(self) -> BundledDecoder:  # type: ignore[override]
        assert self.model.decoder is not None  # noqa: S101  (the arena's config has the bundled decoder)
        return self.model.decoder

    def forward(self, patches: Tensor, text: TextFeatures, ask: Ask) -> Remembered:
        """As the engine: read, perceive, write, score, select, digest."""
        b, t = patches.shape[:2]
        model, removal = self.model, self.removal
        under = text if removal.instructed else _repeated(self.generic, b)
        state = remember(model, patches, under)
        tokens = state.tokens()
        asked = state if removal.instructed else model.begin(text)
        logits = model.score(tokens, asked.pooled).float()
        keep = min(t, removal.key_frames(ask.tokens, self.kit_config.detail_tokens))
        detail = rows = None
        if keep:
            if self.training:
                keep = min(keep, max(1, t // 4))  # short videos: choosing must mean something
            rows = self._select(logits.detach(), tokens.detach(), ask, keep)
            shown = torch.gather(patches, 1, rows[:, :, None, None].expand(-1, -1, *patches.shape[2:]))
            detail = key_frame_detail(model, shown, asked)
        spent = 0 if detail is None else detail.shape[1] * detail.shape[2]
        held, score = self._digest(tokens, torch.sigmoid(logits.detach().amax(-1)), ask.tokens - spent)
        frames = tokens if removal.memory else torch.zeros_like(tokens)
        return Remembered(held, score, logits, frames, detail, rows, asked.words).within(ask.tokens)

    def _select(self, logits: Tensor, tokens: Tensor, ask: Ask, keep: int) -> Tensor:
        """Key frames (B, keep), in time order."""
        if ask.hints is not None:
            hints = ask.hints
            return draw_key_frames(
                logits.amax(-1), hints.relevant, keep=keep, teacher=hints.teacher, generator=hints.generator
            )
        config = self.kit_config
        selector: Selector = ask.selector or config.selector
        rows = [
            choose_frames(
                scores, features, candidates=max(keep, config.candidates), keep=keep, reserve=min(keep, config.reserve),
                neighbours=config.neighbours, selector=selector, seed=number,
            )
            for number, (scores, features) in enumerate(
                zip(torch.sigmoid(logits.amax(-1)), tokens.flatten(2).float(), strict=True)
            )
        ]  # fmt: skip
        return torch.tensor(rows, dtype=torch.long, device=logits.device)

    def _digest(self, tokens: Tensor, scores: Tensor, budget: int) -> tuple[Entries, Tensor]:
        """Memory (B, T, W, D) within `budget` tokens, by the engine's own rule."""
        b, t, w, d = tokens.shape
        if not self.removal.memory or budget < w:
            none = tokens.new_zeros(b, 0, w)
            return Entries(tokens.new_zeros(b, 0, w, d), none, none, none.bool()), none
        seconds = torch.arange(t, dtype=torch.float64)
        parts = [digest(x, s, seconds, budget_tokens=budget) for x, s in zip(tokens, scores, strict=True)]

        def wide(values: list[Tensor]) -> Tensor:
            return torch.stack(values).to(tokens.device)[..., None].expand(-1, -1, w)

        start, end = wide([p.start_s for p in parts]).float(), wide([p.end_s for p in parts]).float()
        held = Entries(torch.stack([p.tokens for p in parts]), start, end, torch.ones_like(start, dtype=torch.bool))
        return held, wide([p.scores for p in parts])


def _repeated(text: TextFeatures, times: int) -> TextFeatures:
    """One instruction's features, for `times` videos."""
    return TextFeatures(
        text.texts * times, text.tokens.expand(times, -1, -1), text.mask.expand(times, -1),
        text.pooled.expand(times, -1), text.degradations,
    )  # fmt: skip
