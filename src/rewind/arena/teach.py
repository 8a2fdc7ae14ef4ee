"""Training a recipe: the same decoder to begin with, the same batches, the same steps and rates for all."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from rewind.arena.answer import Videos, losses
from rewind.arena.contenders import Contender
from rewind.arena.encoder import Encoder
from rewind.arena.language import Language
from rewind.arena.ledger import Arena
from rewind.arena.plan import ArenaPlan, Rates
from rewind.arena.questions import SHORT_MIX
from rewind.arena.recipe import Ask, Hints, Kit, Recipe
from rewind.arena.trial import Bench, mark_all
from rewind.language.decoder import BundledDecoder
from rewind.language.tokenizer import AnswerTokenizer
from rewind.precision import mixed
from rewind.text import TextEncoder
from rewind.text.spelling import read_instructions
from rewind.train.bank import ProjectedBank
from rewind.train.examples import MIX, PROMPT, draw_batch, draw_example
from rewind.train.loop import Run
from rewind.train.stage import Stage

Progress = Callable[[str, int, int, dict[str, float]], None]
Step = Callable[[int], tuple[Tensor, dict[str, float]]]


@dataclass(frozen=True)
class Teacher:
    """What all recipes are trained with; without a `language` the decoder starts from nothing."""

    encoder: Encoder
    bank: ProjectedBank
    text: TextEncoder
    tokenizer: AnswerTokenizer
    device: torch.device
    language: Language | None = None

    def make(self, contender: Contender, seed: int, *, tokens: int) -> Recipe:
        """A recipe before its first step. Weights follow from the seed; all recipes start with the same decoder."""
        config = replace(self.encoder.config, vocabulary=len(self.tokenizer))
        kit = Kit(self.encoder, config, tokens, read_instructions(self.text, [PROMPT]))
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            first = BundledDecoder(config).state_dict()
            recipe = contender.make(kit)
        if self.language is None:
            recipe.decoder.load_state_dict(first)
        else:
            self.language.teach(recipe)
        return recipe.to(self.device)

    def step(self, recipe: Recipe, stage: Stage, *, seed: int, index: int, tokens: int) -> Step:
        """What one step does; all that is random is drawn from (seed, stage, step): all recipes see the same."""

        def step(number: int) -> tuple[Tensor, dict[str, float]]:
            rng = np.random.default_rng([seed, index, number])
            generator = torch.Generator().manual_seed(int(rng.integers(2**62)))
            with mixed(self.device):
                batch, _ = draw_batch(
                    self.bank, rng, size=stage.batch, frames=stage.frames, tokenizer=self.tokenizer, encoder=self.text,
                    mix=SHORT_MIX if index == 0 else MIX, device=self.device,
                )  # fmt: skip
                hints = Hints(batch.relevant.amax(-1), stage.teacher_at(number), generator)
                found = losses(recipe.train(), Videos.of(batch), Ask(tokens, hints=hints))
            names = ("answer", "relevance", "reading", "correct")
            return found.total(), {name: float(getattr(found, name).detach()) for name in names}

        return step

    def train(
        self, arena: Arena, contender: Contender, seed: int, *, stop_at: float | None, progress: Progress
    ) -> Recipe | None:
        """Train, or go on training; None where the time ran out first."""
        tokens = arena.plan.tokens
        recipe = self.make(contender, seed, tokens=tokens)
        taught = [] if self.language is None else [recipe.decoder]
        run = Run(arena.place(contender.name, seed), (recipe,), slow=taught)
        run.resume()
        for index, stage in enumerate(arena.plan.stages()):
            named = replace(stage, name=f"{contender.name}/{seed} {stage.name}")
            step = self.step(recipe, stage, seed=seed, index=index, tokens=tokens)
            if not run.run(index, named, step, stop_at=stop_at, progress=progress):
                return None
        return recipe

    def measure(self, contender: Contender, plan: ArenaPlan, test: ProjectedBank) -> Rates:
        """Seconds of a step of either stage and of a test question: a few are tried, and thrown away."""
        recipe = self.make(contender, 0, tokens=plan.tokens)
        optimiser = torch.optim.AdamW([p for p in recipe.parameters() if p.requires_grad], lr=1e-4)
        taken = []
        for index, stage in enumerate(plan.stages()):
            step = self.step(recipe, stage, seed=0, index=index, tokens=plan.tokens)
            seconds = []
            for number in range(3):
                began = time.monotonic()
                loss, _ = step(number)
                loss.backward()
                optimiser.step()
                optimiser.zero_grad(set_to_none=True)
                seconds.append(time.monotonic() - began)
            taken.append(sum(seconds[1:]) / 2)  # the first step pays for what is set up once
        rng = np.random.default_rng(0)
        some = [draw_example(test, rng, frames=plan.frames, kind="exists") for _ in range(16)]
        bench = Bench(test, self.text, self.tokenizer, self.device)
        _, each = mark_all(recipe, some, bench, tokens=plan.tokens, how=contender)
        return Rates({contender.name: (taken[0], taken[1])}, {contender.name: each})
