"""The parts joined: begin, update, select, answer. State stays with the caller; the model keeps none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor, nn
from torch.nn import functional

from rewind.config import ReWindConfig, Selector
from rewind.errors import ConfigError, WeightsError
from rewind.language.aloud import Heard, Reads, read_aloud
from rewind.language.answer import Decoded, Voice
from rewind.language.decoder import BundledDecoder
from rewind.language.moments import MomentParts, moment_parts
from rewind.language.prompt import Prompt
from rewind.language.speak import BundledSpeaker, Speaker
from rewind.language.tokenizer import AnswerTokenizer
from rewind.memory import Aim, MemoryState, Neck, PatchProjection, Perceiver, Read, Write
from rewind.selection.choose import Selection, choose_frames
from rewind.selection.detail import detail_of
from rewind.selection.digest import frame_step
from rewind.selection.score import FrameScore
from rewind.text import TextFeatures


class ReWind(nn.Module):
    """Read–perceive–write memory, rewind, prompt and decoder; sizes from `config`.

    Args:
        tokenizer: of the bundled decoder, and all words that memory was taught, whichever decoder speaks; None where
            they are not known.
        speaker: a decoder from elsewhere (`HubDecoder`), for a config whose `decoder` is not "bundled".
        name: what results call this model.
    """

    answer_temperature: Tensor
    answers: Tensor

    def __init__(
        self,
        config: ReWindConfig,
        *,
        tokenizer: AnswerTokenizer | None = None,
        speaker: Speaker | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__()
        self.config = config
        self.name = name or f"rewind-{config.size}"
        self.tokenizer = tokenizer
        # In a tuple: a decoder from elsewhere is none of these weights, neither saved nor hashed with them.
        self._elsewhere = () if speaker is None else (speaker,)
        self.instruct = nn.Sequential(nn.LayerNorm(config.text_width), nn.Linear(config.text_width, config.width))
        self.pool = nn.Sequential(nn.LayerNorm(config.text_width), nn.Linear(config.text_width, config.width))
        self.aim = Aim(config) if config.aim else None
        self.patches = Neck(config) if config.perceives == "neck" else PatchProjection(config)
        self.read = Read(config)
        self.perceiver = Perceiver(config)
        self.write = Write(config)
        self.score = FrameScore(config)
        self.detail = detail_of(config)
        # Quiet at first, so that what `Aim` reads is heard.
        self.detail_scale = nn.Parameter(torch.tensor(0.1)) if config.read_detail else None
        self.prompt = Prompt(config)
        self.decoder = BundledDecoder(config) if config.decoder == "bundled" else None
        self.known = nn.Sequential(nn.LayerNorm(config.text_width), nn.Linear(config.text_width, 1))
        self.reads = Reads(config.text_width)
        self.register_buffer("answer_temperature", torch.ones(()))
        # 1 where prompt and decoder were trained together; a decoder from elsewhere starts at 0.
        self.register_buffer("answers", torch.zeros(()))

    # --- the loop ---------------------------------------------------------------------------------------------

    def begin(self, text: TextFeatures) -> MemoryState:
        """An empty memory for instructions `text` (B of them; one video each)."""
        tokens = text.tokens.to(self.device, self.dtype)
        pooled = text.pooled.to(self.device, self.dtype)
        mask = text.mask.to(self.device)
        if self.aim is None:
            return MemoryState(self.instruct(tokens), mask, self.pool(pooled))
        thoughts, words = self.aim.thoughts(tokens, mask, pooled)
        aimed, slots = self.aim(thoughts)
        return MemoryState(self.instruct(tokens), mask, self.pool(pooled) + aimed, slots, thoughts, words)

    def update(self, state: MemoryState, deep: Tensor, fine: Tensor | None = None) -> MemoryState:
        """Read, perceive, write one clip.

        Args:
            state: memory so far; stays valid and unchanged.
            deep: (f, P, C) or (B, f, P, C), f at most `clip_frames`.
            fine: (f, Pf, Cf) or (B, f, Pf, Cf); needed unless the config's `perceives` is "deep".

        Returns: memory with f more frames.
        """
        return self.perceive(state, self.project(deep, fine))

    def project(self, deep: Tensor, fine: Tensor | None = None) -> Tensor:
        """What of a clip depends on no instruction: (…, P, C) and (…, Pf, Cf) → (…, P, D)."""
        fine = None if fine is None else fine.to(self.device, self.dtype)
        return torch.as_tensor(self.patches(deep.to(self.device, self.dtype), fine))

    def perceive(self, state: MemoryState, patches: Tensor) -> MemoryState:
        """The loop on projected patches (f, P, D) or (B, f, P, D)."""
        if patches.ndim == 3:
            patches = patches[None]
        if not 1 <= patches.shape[1] <= self.config.clip_frames:
            raise ConfigError(f"a clip of {patches.shape[1]} frames", allowed=f"1 to {self.config.clip_frames}")
        told = None
        if self.aim is not None and state.slots is not None:
            patches, told, handed = self.aim.condition(patches, state.slots, state.pooled, state.handed)
            state = replace(state, handed=handed)
        perceived = self.perceiver(self.read(state), patches, state.text, state.text_mask)
        tokens = self.write(perceived, state.pooled, told)
        return state.append(tokens, *self.read.project(tokens))

    # --- the rewind -------------------------------------------------------------------------------------------

    def frame_scores(self, state: MemoryState, *, left: Tensor | None = None) -> Tensor:
        """Relevance in 0–1 of each remembered frame to the instruction: (T,), calibrated.

        `left` (T,): seconds from each frame to the last; one frame a second where not given.
        """
        logits = self.score(state.tokens(), state.pooled, left)
        return self.score.probability(logits)[0].float()

    def select(self, state: MemoryState, *, scores: Tensor, selector: Selector | None = None) -> Selection:
        """The key frames by relevance `scores` (T,) and density peaks of the memory tokens side by side [us], or by
        another selector than the model's own."""
        features = state.tokens()[0].flatten(1).float()
        rows = choose_frames(
            scores,
            features,
            candidates=self.config.candidates,
            keep=self.config.key_frames,
            reserve=self.config.reserve,
            neighbours=self.config.neighbours,
            selector=selector or self.config.selector,
        )
        return Selection(rows, tuple(float(scores[r]) for r in rows))

    # --- the answer -------------------------------------------------------------------------------------------

    @torch.no_grad()
    def names_a_look(self, text: TextFeatures) -> bool:
        """Whether an instruction says what it asks for looks like. Of *a sign* everything would do, and memory finds
        nothing under it: that it was not found tells nothing."""
        slots = self.begin(text).slots
        return self.aim is None or slots is None or bool(self.aim.names_a_look(slots)[0])

    @torch.no_grad()
    def familiarity(self, text: TextFeatures) -> float:
        """0–1: how like the instructions that the decoder was trained to answer this one is."""
        return float(torch.sigmoid(self.known(text.pooled.to(self.device, self.dtype)))[0, 0])

    @torch.no_grad()
    def answer(
        self, state: MemoryState, selection: Selection, *, text: TextFeatures, patches: Tensor, seconds: Tensor,
        scores: Tensor, familiarity: float | None = None,
    ) -> Decoded:  # fmt: skip
        """Answer from memory, key frames and instruction, within the budget at any length.

        Args:
            state: memory of T frames.
            selection: k key frames; patches: theirs (k, P, D), of `project`, in the same order.
            text: the instruction's features (the same as `begin` was given).
            seconds: (T,) times; scores: (T,) relevance.
            familiarity: 0–1, how far the decoder may be believed on this instruction; the model's own judgement of it
                where not given.
        """
        voice = Voice(self.config, self.prompt, self.speaker, float(self.answer_temperature), bool(self.answers))
        logits = self.score(state.tokens(), state.pooled, seconds[-1] - seconds)
        end_s = float(seconds[-1]) + frame_step(seconds)
        return voice.answer(
            state, selection.rows, text=text, seconds=seconds,
            # A decoder that was trained with its own scores is told those.
            scores=torch.sigmoid(logits.amax(-1))[0].float() if voice.trained else scores,
            detail=self.look(patches[None].to(self.device, self.dtype), state),
            moments=self.moment_parts(state.tokens(), logits, seconds.to(self.device), end_s=end_s),
            heard=self.hear(state.tokens(), logits, text.pooled),
            believed=self.familiarity(text) if familiarity is None else familiarity,
        )  # fmt: skip

    def look(self, patches: Tensor, state: MemoryState) -> Tensor:
        """Detail tokens (B, k, n, D) of key frames' patches (B, k, P, D), under the instruction of `state`."""
        if self.aim is None or state.slots is None:
            return torch.as_tensor(self.detail(patches, state.pooled))
        marked, logits = self.aim.mark_patches(patches, state.slots)
        detail = torch.as_tensor(self.detail(marked, state.pooled))
        if self.detail_scale is None:
            return detail
        each = self.aim.read_each(patches, logits, state.pooled, most=detail.shape[2])
        return self.detail_scale * detail + functional.pad(each, (0, 0, 0, detail.shape[2] - each.shape[2]))

    def moment_parts(self, tokens: Tensor, logits: Tensor, seconds: Tensor, *, end_s: float) -> MomentParts | None:
        """What the decoder is told of moments: tokens (B, T, W, D), logits (B, T, tracks), seconds (T,)."""
        if not self.config.moments:
            return None
        return moment_parts(tokens, logits, seconds, end_s=end_s, limit=self.config.moments, dtype=self.dtype)

    def hear(self, tokens: Tensor, logits: Tensor, pooled: Tensor) -> Heard | None:
        """The surest frames' memory, read aloud, as far as the instruction asks for what one frame shows; None where no
        instruction does.

        Args:
            tokens: memory (B, T, W, D) with `logits` (B, T, tracks) of `score`; pooled: instructions (B, text_width).
        """
        weight = self.reads.weight(pooled.to(self.device, self.dtype))
        if self.decoder is None or weight is None:
            return None
        rows = zip(tokens, self.score.probability(logits).float(), strict=True)
        words = [read_aloud(self.prompt, self.decoder, of_frames, scores) for of_frames, scores in rows]
        return Heard(torch.stack(words), weight)

    @property
    def borrowed(self) -> Speaker | None:
        """The decoder from elsewhere; None where the bundled one speaks."""
        return self._elsewhere[0] if self._elsewhere else None

    @property
    def speaker(self) -> Speaker:
        """The decoder that answers. Raises: WeightsError where the model was made without one."""
        if self.borrowed is not None:
            return self.borrowed
        if self.decoder is None or self.tokenizer is None:
            raise WeightsError(f"{self.name} was made without its decoder", do="load it with rewind.models.load")
        return BundledSpeaker(self.decoder, self.tokenizer)

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> ReWind:
        """Moving or casting the model takes a decoder from elsewhere along."""
        if isinstance(self.borrowed, nn.Module):
            self.borrowed._apply(fn, recurse)
        super()._apply(fn, recurse)  # type: ignore[no-untyped-call]
        return self

    @property
    def device(self) -> torch.device:
        return self.read.queries.device

    @property
    def dtype(self) -> torch.dtype:
        return self.read.queries.dtype
