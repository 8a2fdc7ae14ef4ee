"""The arena itself: banks, measured cost, training and tests of every recipe and seed, results that grow as it goes."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from rewind.arena.contenders import Contender, to_train
from rewind.arena.encoder import Encoder, load_encoder, part_of, projected_bank
from rewind.arena.intervals import Line
from rewind.arena.language import Language, load_language
from rewind.arena.ledger import Arena, open_arena, require_same_training, take_weights
from rewind.arena.plan import ArenaPlan
from rewind.arena.questions import draw_questions
from rewind.arena.recipe import Recipe
from rewind.arena.report import projection, write_report
from rewind.arena.teach import Teacher
from rewind.arena.trial import Bench, figures, lines, mark_all, seen_from
from rewind.language.tokenizer import AnswerTokenizer
from rewind.text import TextEncoder, load_text
from rewind.train.bank import OutOfTime, ProjectedBank, beside
from rewind.train.examples import Example
from rewind.train.shards import PAINTED_ALONE, real_pictures
from rewind.vision import load_vision
from rewind.worlds import vocabulary
from rewind.worlds.splits import TEST_SEEDS, TRAIN_SEEDS, VALIDATION_SEEDS

Say = Callable[[str], None]
Progress = Callable[[str, int, int, dict[str, float]], None]
_TUNING_QUESTIONS = 96


@dataclass(frozen=True)
class Where:
    """`out`: the arena's folder; `bank`: a training scene bank to use, those of held-out scenes beside it;
    `weights`: an arena with another test, whose trained recipes are taken."""

    out: Path
    bank: Path | None = None
    weights: Path | None = None

    @property
    def scenes(self) -> Path:
        """Folder of the training scenes."""
        return self.bank or self.out / "bank"


@dataclass(frozen=True)
class Banks:
    """Scenes to train on, to fit thresholds on (of the training range, but not trained on), and to test on."""

    training: ProjectedBank
    tuning: ProjectedBank
    test: ProjectedBank


def run_arena(
    plan: ArenaPlan, contenders: Sequence[Contender], *, where: Where, seeds: int = 3, encoder: str = "nano",
    decoder: str = "nano", budget_s: float | None = None, say: Say = lambda _line: None,
    progress: Progress = lambda _name, _done, _total, _numbers: None,
) -> dict[str, Any]:  # fmt: skip
    """Train and test what is not done yet, and give all that is.

    Args:
        encoder, decoder: models that all recipes take theirs from; decoder "none" starts from nothing.
        seeds: training seeds 0 … seeds − 1 of every recipe.
        budget_s: wall seconds for this call; a new arena's steps are cut, for all alike, so that it fits.
        say: told lines such as the projected hours, before anything is trained.

    Returns: the report, as written to `results.json` in the folder.

    Raises: ConfigError for a budget that is too short, a folder that holds another arena, or weights of another
        training.
    """
    stop_at = None if budget_s is None else time.monotonic() + budget_s
    shared, language = load_encoder(encoder), load_language(decoder)
    if where.weights is not None:
        fingerprint = "" if language is None else language.fingerprint
        require_same_training(where.weights, plan, encoder=shared.fingerprint, decoder=fingerprint)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    words = load_text(shared.config.text)
    banks = make_banks(plan, shared, where, device=device, say=say, progress=progress)
    return play(
        plan, shared, banks, words, where.out, contenders, seeds=seeds, stop_at=stop_at, device=device, say=say,
        progress=progress, language=language, weights=where.weights,
    )  # fmt: skip


def make_banks(
    plan: ArenaPlan, encoder: Encoder, where: Where, *, device: torch.device, say: Say, progress: Progress
) -> Banks:  # fmt: skip
    """Patches of all scenes: made where they are not there yet."""
    vision, pictures = load_vision(encoder.config.vision), real_pictures()
    if not pictures:
        say(PAINTED_ALONE)
    held_out = {"validation": VALIDATION_SEEDS.start, "test": TEST_SEEDS.start}[plan.split]

    def made(name: str, seed: int, scenes: int) -> ProjectedBank:
        folder = where.scenes
        if name != "training":
            folder = beside(folder, name, seed=seed, encoder=vision, pictures=pictures)
        return projected_bank(
            encoder, folder, kept=where.out / "patches", seed=seed, scenes=scenes, vision=vision,
            pictures=pictures, device=device,
            report=lambda what, done, total: progress(f"{name} {what}", done, total, {}),
        )  # fmt: skip

    training = made("training", TRAIN_SEEDS.start, plan.scenes)
    apart = max(8, plan.scenes // 28)
    return Banks(
        part_of(training, 0, plan.scenes - apart),
        part_of(training, plan.scenes - apart, plan.scenes),
        made(plan.split, held_out, plan.test_scenes),
    )


def play(
    plan: ArenaPlan, encoder: Encoder, banks: Banks, words: TextEncoder, out: Path, contenders: Sequence[Contender], *,
    seeds: int, stop_at: float | None, device: torch.device, say: Say, progress: Progress,
    language: Language | None = None, weights: Path | None = None,
) -> dict[str, Any]:  # fmt: skip
    """The arena on banks that are there."""
    tokenizer = AnswerTokenizer.from_words(vocabulary()) if language is None else language.tokenizer

    def in_time() -> None:
        if stop_at is not None and time.monotonic() > stop_at:
            raise OutOfTime

    teacher = Teacher(encoder, banks.training, words, tokenizer, device, language)
    # Weights that are taken have all their steps: a budget then stops, and cuts nothing.
    left = None if stop_at is None or weights is not None else stop_at - time.monotonic()
    arena = open_arena(plan, encoder, out, contenders, teacher, banks.test, seeds=seeds, budget_s=left, say=say)
    if weights is not None:
        say(f"{take_weights(arena, weights, to_train(contenders), seeds=seeds)} recipes taken from {weights}")
    expected = arena.left(contenders, seeds=seeds)
    say(projection(arena, expected, contenders, seeds))
    bench = Bench(banks.test, words, tokenizer, device, in_time)
    trials = Trials(arena, bench, replace(bench, bank=banks.tuning))
    finished = True
    try:
        for seed in range(seeds):
            for trained in to_train(contenders):
                wanted = arena.wanted(trained, contenders, seed)
                if not wanted:
                    continue
                in_time()
                recipe = teacher.train(arena, trained, seed, stop_at=stop_at, progress=progress)
                if recipe is None:
                    raise OutOfTime
                say(f"{trained.name}, seed {seed}: trained; now tested")
                for how in wanted:
                    arena.add(how.name, seed, *trials.result(recipe, how, seed))
                    write_report(arena, expected, finished=False)
    except OutOfTime:
        finished = False
        say("out of time, saved; the same command goes on")
    return write_report(arena, expected, finished=finished)


class Trials:
    """Tests of trained recipes: thresholds on the tuning scenes, figures on the test scenes, questions drawn once."""

    def __init__(self, arena: Arena, test: Bench, tuning: Bench) -> None:
        self.arena, self.test, self.tuning = arena, test, tuning
        self._asked: dict[tuple[str, int, int], list[Example]] = {}

    def result(self, recipe: Recipe, how: Contender, seed: int) -> tuple[dict[str, Any], list[Line]]:
        """What is kept of one recipe and seed: figures, and a line a question. A swap is tested on the main cell."""
        plan = self.arena.plan
        tuned, _ = mark_all(recipe, self._questions("tuning", plan.frames, _TUNING_QUESTIONS), self.tuning,
                            tokens=plan.tokens, how=how)  # fmt: skip
        threshold = seen_from(tuned)
        cells, asked = [], list[Line]()
        for cell in plan.cells()[: 1 if how.weights_of else None]:
            examples = self._questions("test", cell.frames, cell.per_kind)
            marked, seconds = mark_all(recipe, examples, self.test, tokens=cell.tokens, how=how)
            shown = figures(marked, threshold=threshold)
            of = {"video_frames": cell.frames, "budget": cell.tokens}
            cells.append({**of, "seconds": round(seconds, 5), **shown})
            asked += ({**of, **line} for line in lines(marked, threshold=threshold))
        result = {
            "recipe": how.name, "seed": seed, "weights_of": how.weights_of, "threshold": round(threshold, 4),
            "steps": [plan.short, plan.long], "train_seconds": self.arena.train_seconds(how.trained_as, seed),
            "cells": cells,
        }  # fmt: skip
        return result, asked

    def _questions(self, of: str, frames: int, count: int) -> list[Example]:
        key = (of, frames, count)
        if key not in self._asked:
            self._asked[key] = (
                draw_questions(self.tuning.bank, frames=frames, per_kind=count, seed=1, kinds=("find",))
                if of == "tuning"
                else draw_questions(self.test.bank, frames=frames, per_kind=count, seed=0)
            )
        return self._asked[key]
