"""What one step of each stage does: whom it asks what, and which losses it adds up."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from rewind.language.tokenizer import AnswerTokenizer
from rewind.model import ReWind
from rewind.precision import mixed
from rewind.text import TextEncoder
from rewind.train.aiming import Aiming
from rewind.train.align import Align, Source, draw_aims, draw_rows
from rewind.train.bank import ProjectedBank
from rewind.train.examples import MIX, draw_batch
from rewind.train.loop import Step
from rewind.train.losses import instruct_losses
from rewind.train.material import CARD_SHARE, Banks, Singles
from rewind.train.stage import Stage
from rewind.worlds.questions import Kind

ALIGN, AIM, SPEAK = "align", "aim", "speak"
_ALIGN_TEXTS, _AIM_TEXTS = 64, 256
_BESIDE_FRAMES, _BESIDE_TEXTS = 16, 48
# Seconds are too few to count in.
MIXES: dict[str, dict[Kind, float]] = {"instruct-short": {**MIX, "count": 0.0, "order": 0.2, "state": 0.14}}
LONG_MIX: dict[Kind, float] = {
    "needle": 0.2, "exists": 0.16, "order": 0.2, "count": 0.18, "breakpoint": 0.06, "state": 0.1, "find": 0.1,
}  # fmt: skip
# Which of two phrases to say is what takes most questions to learn.
WARM_MIX: dict[Kind, float] = {
    "needle": 0.2, "exists": 0.1, "order": 0.3, "count": 0.08, "breakpoint": 0.14, "state": 0.12, "find": 0.06,
}  # fmt: skip
# What is still answered badly then: which of two phrases, codes, changes.
LAST_MIX: dict[Kind, float] = {
    "needle": 0.2, "exists": 0.12, "order": 0.34, "count": 0.08, "breakpoint": 0.08, "state": 0.13, "find": 0.05,
}  # fmt: skip
MIXES |= {"warm-up": WARM_MIX, "instruct-long": LONG_MIX, "ground": LONG_MIX, "refine": LAST_MIX, "harden": LAST_MIX}
MIXES[SPEAK] = LAST_MIX
# Once changes are told at all: which of several things alike it was that changed.
ALIKE = {"instruct-long": 0.6, "ground": 0.6, "refine": 0.6, "harden": 0.6, SPEAK: 0.6}
HARD = {"harden": 0.5, SPEAK: 0.5}
_RELEVANCE_WEIGHT, _READING_WEIGHT, _BESIDE_WEIGHT = 2.0, 0.5, 0.5


def step_of(
    stage: Stage, model: ReWind, align: Align, aiming: Aiming, banks: Banks, text: TextEncoder,
    tokenizer: AnswerTokenizer, *, draws: tuple[int, ...],
) -> Step:  # fmt: skip
    """What a step of a stage does; all that is random is drawn from (*draws, step)."""
    if stage.name == ALIGN:
        sources = banks.sources(model.config.fine_grid)
        return _align_step(model, align, sources, text, stage, draws=draws)
    aim = _aim_step(model, aiming, banks.singles(model), text, stage, draws=draws)
    if stage.name == AIM:
        return aim
    return _instruct_step(model, banks.projected(model), text, tokenizer, stage, aim, draws=draws)


def _align_step(
    model: ReWind, align: Align, sources: tuple[Source, ...], text: TextEncoder, stage: Stage, *,
    draws: tuple[int, ...],
) -> Step:  # fmt: skip
    """What a step of stage 1 does."""

    def step(number: int) -> tuple[Tensor, dict[str, float]]:
        rng = np.random.default_rng([*draws, number])
        source = sources[int(rng.choice(len(sources), p=[s.share for s in sources]))]
        rows = draw_rows(source, rng, size=stage.batch)
        aims = draw_aims(source.truth.of(rows)[1].numpy(), rng, count=_ALIGN_TEXTS)
        with mixed(model.device):
            loss, numbers = align(model, source, rows, aims, text, rng)
        return torch.as_tensor(loss), numbers

    return step


def _aim_step(
    model: ReWind, aiming: Aiming, singles: Singles, text: TextEncoder, stage: Stage, *,
    draws: tuple[int, ...],
) -> Step:  # fmt: skip
    """What a step of stage 1's second part does: the neck stays as the first part left it.

    Later stages go on with it, a smaller batch beside their own, so that what was learnt is kept.
    """
    frames, texts = (stage.batch, _AIM_TEXTS) if stage.name == AIM else (_BESIDE_FRAMES, _BESIDE_TEXTS)

    def step(number: int) -> tuple[Tensor, dict[str, float]]:
        rng = np.random.default_rng([*draws, number, 1])
        source = singles.cards if rng.random() < CARD_SHARE else singles.scenes
        rows = np.sort(rng.choice(len(source.first) - 1, frames, replace=False))
        things = np.concatenate([source.things[source.first[r] : source.first[r + 1]] for r in rows])
        aims = draw_aims(things, rng, count=texts)
        with mixed(model.device):
            loss, numbers = aiming(model, source, rows, aims, text, rng, singles.moves, aloud=stage.name == SPEAK)
        return torch.as_tensor(loss), numbers

    return step


def _instruct_step(
    model: ReWind, bank: ProjectedBank, text: TextEncoder, tokenizer: AnswerTokenizer, stage: Stage, beside: Step, *,
    draws: tuple[int, ...],
) -> Step:  # fmt: skip
    """What a step of the later stages does: the neck stays as stage 1 left it, its patches are made once."""

    def step(number: int) -> tuple[Tensor, dict[str, float]]:
        rng = np.random.default_rng([*draws, number])
        generator = torch.Generator().manual_seed(int(rng.integers(2**62)))
        with mixed(model.device):
            batch, _ = draw_batch(
                bank, rng, size=stage.batch, frames=stage.frames, tokenizer=tokenizer, encoder=text,
                mix=MIXES.get(stage.name, MIX), device=model.device, alike=ALIKE.get(stage.name, 0.0),
            )  # fmt: skip
            losses = instruct_losses(
                model, batch, keep=stage.key_frames, teacher=stage.teacher_at(number), generator=generator,
                perceive=stage.perceive, shown=stage.shown, hard=HARD.get(stage.name, 0.0),
            )  # fmt: skip
        parts = {
            "answer": losses.answer,
            "relevance": losses.relevance,
            "reading": losses.reading,
            "correct": losses.correct,
        }
        numbers = {name: float(value.detach()) for name, value in parts.items()}
        kept, aside = beside(number)
        numbers |= {f"aim.{name}": value for name, value in aside.items()}
        total = losses.total(relevance_weight=_RELEVANCE_WEIGHT, reading_weight=_READING_WEIGHT)
        return total + _BESIDE_WEIGHT * kept, numbers

    return step
