"""From what is remembered of one video to words: laid out within the budget, decoded, and how sure that is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from rewind.config import ReWindConfig
from rewind.language.aloud import Heard
from rewind.language.moments import MomentParts
from rewind.language.place import places
from rewind.language.prompt import Prompt, PromptParts
from rewind.language.speak import Speaker
from rewind.memory import MemoryState
from rewind.selection.digest import Digest, digest, frame_step
from rewind.text import TextFeatures
from rewind.values import TokenCount


@dataclass(frozen=True)
class Decoded:
    """What the decoder said: text, calibrated confidence in 0–1, tokens used, and what was given up."""

    text: str
    confidence: float
    tokens: TokenCount
    degradations: tuple[str, ...]


@dataclass(frozen=True)
class Voice:
    """What puts a memory into words: the `prompt` that projects it, the decoder that speaks, and what training has
    found of its answers: the `temperature` of their calibration, and whether prompt and decoder were `trained` together
    at all; no answer is believed where they were not."""

    config: ReWindConfig
    prompt: Prompt
    speaker: Speaker
    temperature: float
    trained: bool

    def answer(
        self, state: MemoryState, rows: Sequence[int], *, text: TextFeatures, seconds: Tensor, scores: Tensor,
        detail: Tensor, moments: MomentParts | None, heard: Heard | None, believed: float,
    ) -> Decoded:  # fmt: skip
        """Answer one instruction on one video, within the budget at any length.

        Args:
            state: memory of T frames; rows: the k of them that are key frames; detail: theirs (1, k, n, D), in the same
                order.
            text: the instruction's features, cut here where they are too long.
            seconds: (T,) times; scores: (T,) the relevance in 0–1 that the decoder is told.
            moments: the stretches that it is told; heard: what memory says when it is read aloud.
            believed: 0–1, how far any answer to this instruction may be.

        Raises: ConfigError for times that do not rise. BudgetError where the decoder has words of its own for the
            instruction and they do not fit.
        """
        config, limit = self.config, self.config.instruction_limit
        shown = digest(state.tokens()[0], scores, seconds.double(), budget_tokens=config.memory_budget)
        parts = self._lay_out(
            shown, seconds, rows, text=text, words=state.words, detail=detail, moments=moments, heard=heard
        )
        spoken = self.speaker.speak(self.prompt, parts, text.texts[0], room=limit, limit=config.answer_reserve)
        certainty = math.exp(sum(spoken.log_probabilities) / self.temperature)
        lost = []
        if text.tokens.shape[1] > limit:
            lost.append(f"the instruction was cut to its first {limit} tokens")
        if shown.merged_frames:
            lost.append(f"{shown.merged_frames} of {state.frames} frames' memory merged to fit the budget")
        if not spoken.complete:
            lost.append(f"the answer was cut after {len(spoken.log_probabilities)} tokens")
        if not self.trained:
            lost.append("the projections into this decoder are not trained: its words mean nothing yet")
        stored = state.frames * config.write_tokens
        tokens = self._count(parts, stored=stored, instruction=spoken.instruction_tokens)
        return Decoded(spoken.text, certainty * believed if self.trained else 0.0, tokens, tuple(lost))

    def _lay_out(
        self, shown: Digest, seconds: Tensor, rows: Sequence[int], *, text: TextFeatures, words: Tensor | None,
        detail: Tensor, moments: MomentParts | None, heard: Heard | None,
    ) -> PromptParts:  # fmt: skip
        """What goes into the prompt, each part with its place."""
        device, dtype, limit = self.prompt.tau.device, self.prompt.tau.dtype, self.config.instruction_limit
        groups, width, _ = shown.tokens.shape
        step = frame_step(seconds)
        start, end = float(seconds[0]), float(seconds[-1]) + step
        # Times keep their digits until they are places: seconds since an epoch have none left in single precision.
        middle, keys = (shown.start_s + shown.end_s) / 2 - step / 2, seconds.double()[list(rows)]
        memory_place = places(middle, start_s=start, end_s=end).repeat_interleave(width, 0)[None]
        return PromptParts(
            memory=shown.tokens.to(device, dtype).flatten(0, 1)[None],
            memory_place=memory_place.to(device, dtype),
            memory_score=shown.scores.to(device, dtype).repeat_interleave(width)[None],
            memory_mask=torch.ones(1, groups * width, dtype=torch.bool, device=device),
            detail=detail,
            detail_place=places(keys, start_s=start, end_s=end)[None].to(device, dtype),
            detail_mask=torch.ones(1, len(keys), dtype=torch.bool, device=device),
            text=text.tokens[:, :limit].to(device, dtype),
            text_mask=text.mask[:, :limit].to(device),
            words=None if words is None else words[:, :limit],
            moments=moments,
            heard=heard,
        )

    def _count(self, parts: PromptParts, *, stored: int, instruction: int) -> TokenCount:
        shown, detail = parts.memory.shape[1], int(parts.detail.shape[1] * parts.detail.shape[2])
        moments = 0 if parts.moments is None else int(parts.moments.mask.sum()) + 1  # and the list as a whole
        reserve = self.config.answer_reserve
        total = shown + 1 + moments + detail + instruction + reserve  # 1: τ
        return TokenCount(stored, shown, detail, instruction, reserve, total, self.config.budget, moments)
