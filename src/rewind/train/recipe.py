"""`rewind train nano`: align, instruct, ground, calibrate; from nothing but a seed to a folder of weights."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from rewind.config import ReWindConfig
from rewind.errors import ConfigError
from rewind.language.tokenizer import AnswerTokenizer
from rewind.memory import Neck
from rewind.model import ReWind
from rewind.models import save_pretrained
from rewind.text import TextEncoder, load_text
from rewind.train.aiming import Aiming, Middles, middles_of
from rewind.train.align import Align, Source, draw_aims, draw_rows
from rewind.train.bank import Bank, ProjectedBank, make_bank, project_bank, real_pictures
from rewind.train.calibrate import calibrate
from rewind.train.examples import MIX, draw_batch
from rewind.train.loop import Progress, Run, plot_curve
from rewind.train.losses import instruct_losses
from rewind.train.moves import Moves, moves_of
from rewind.train.stage import Stage, describe
from rewind.train.team import Team, join
from rewind.vision import VisionEncoder, load_vision
from rewind.worlds import require_training_seed, vocabulary
from rewind.worlds.cards import Planner, plan_card
from rewind.worlds.plan import plan_scene
from rewind.worlds.questions import Kind
from rewind.worlds.splits import VALIDATION_SEEDS

SCENES, VALIDATION_SCENES = 1792, 128
CARDS = 9600
CARD_SEED = 100_000
"""Cards take seeds of their own, so that no card shows a scene's things."""
STAGES: tuple[Stage, ...] = (
    Stage("align", steps=3600, batch=48, frames=1, rate=2e-3, warm_up=60),
    Stage("aim", steps=600, batch=48, frames=1, rate=1.5e-3, warm_up=40),
    Stage(
        "warm-up", steps=520, batch=96, frames=96, key_frames=2, rate=1.2e-3, warm_up=60, teacher=(0.6, 0.2), slow=0.25,
        perceive=False, shown=16,
    ),
    Stage(
        "instruct-short", steps=180, batch=48, frames=16, key_frames=4, rate=1e-3, warm_up=60, teacher=(0.6, 0.2),
        slow=0.25,
    ),
    Stage("instruct-long", steps=140, batch=16, frames=64, rate=8e-4, warm_up=30, teacher=(0.25, 0.1), slow=0.25),
    Stage("ground", steps=40, batch=6, frames=192, rate=3e-4, warm_up=10, teacher=(0.1, 0.0), slow=0.25),
    Stage(
        "refine", steps=900, batch=96, frames=96, key_frames=2, rate=9e-4, warm_up=20, teacher=(0.1, 0.0), slow=0.25,
        perceive=False, shown=16,
    ),
    Stage(
        "settle", steps=450, batch=96, frames=96, key_frames=2, rate=7e-4, warm_up=20, teacher=(0.1, 0.0), slow=0.25,
        perceive=False, shown=16,
    ),
)  # fmt: skip
ALIGN, AIM = "align", "aim"
_CARD_SHARE, _ALIGN_TEXTS, _AIM_TEXTS = 0.75, 64, 256
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
    "needle": 0.22, "exists": 0.06, "order": 0.42, "count": 0.05, "breakpoint": 0.08, "state": 0.14, "find": 0.03,
}  # fmt: skip
MIXES |= {
    "warm-up": WARM_MIX, "instruct-long": LONG_MIX, "ground": LONG_MIX, "refine": LAST_MIX, "settle": LAST_MIX,
}  # fmt: skip
_RELEVANCE_WEIGHT, _READING_WEIGHT, _BESIDE_WEIGHT = 2.0, 0.5, 0.5


def run(
    size: str = "nano",
    *,
    out: Path,
    seed: int = 0,
    minutes: float | None = None,
    resume: bool = True,
    progress: Progress | None = None,
    stages: tuple[Stage, ...] = STAGES,
    scenes: int = SCENES,
    cards: int = CARDS,
    bank: Path | None = None,
    changes: dict[str, object] | None = None,
) -> Path | None:
    """Train one model; of processes started together, each takes its share of every batch (`rewind.train.team`).

    Args:
        size: of `ReWindConfig.of_size`; only sizes with the bundled decoder and encoders can be trained here.
        out: the run's folder: bank/, state.pt, curve.jsonl, curve.png, record.json, model/.
        seed: a training seed; it fixes scenes, videos, questions and first weights.
        minutes: stop, saved, after this long; the same call goes on later.
        resume: go on from the folder's checkpoint; False starts anew.
        stages, scenes, cards, bank, changes: other steps, other banks, other config fields: for ablations.

    Returns: the folder of the trained model, or None where the time ran out first.

    Raises: TestSeedError for a seed that is held out; ConfigError for a size that cannot be trained here, for more
        processes than a batch has parts, or where accelerate is not installed.
    """
    require_training_seed(seed)
    config = replace(ReWindConfig.of_size(size), **(changes or {}))  # type: ignore[arg-type]
    if config.decoder != "bundled" or config.vision != "efficientnet-lite0":
        raise ConfigError(f"size {size!r}", allowed="nano or small: sizes with the bundled encoders and decoder")
    stop_at = None if minutes is None else time.monotonic() + 60 * minutes
    team = join()
    report = progress if progress is not None and team.leads else _silent
    device, shares = team.device, [team.share(stage) for stage in stages]
    text, vision = load_text(config.text), load_vision(config.vision)
    with team.lead_first():
        tokenizer = _tokenizer(out / "tokenizer.json")
    config = replace(config, vocabulary=len(tokenizer))
    torch.manual_seed(seed)
    model = ReWind(config, tokenizer=tokenizer).to(device)
    align = Align(model).to(device)
    aiming = Aiming(model, tokenizer).to(device)
    training = Run(out, (model, align, aiming), slow=_taught(model), team=team)
    if resume:
        training.resume()
    if team.leads:
        (out / "record.json").write_text(json.dumps({"seed": seed, "size": size, "stages": describe(stages)}, indent=2))
    banks = _Banks(bank or out / "bank", seed=seed, scenes=scenes, cards=cards, vision=vision, report=report, team=team)
    for index, stage in enumerate(stages):
        if training.stage > index:
            continue
        # No name for the step: what an earlier stage's step holds (gigabytes of features) is let go with it.
        if not training.run(
            index, stage,
            _step_of(shares[index], model, align, aiming, banks, text, tokenizer, draws=(*team.draws(seed), index)),
            stop_at=stop_at, progress=report,
        ):  # fmt: skip
            return None
    if team.leads:
        plot_curve(out)
        numbers = calibrate(model.eval(), banks.validation(model), text, tokenizer)
        (out / "validation.json").write_text(json.dumps(numbers, indent=2))
        save_pretrained(model, out / "model")
    team.wait()
    return out / "model"


def _taught(model: ReWind) -> list[nn.Module]:
    """What stage 1 has taught, for the stages after it to move slowly: all of `aim` but what sees several frames."""
    later = ("trail", "follow")
    return [] if model.aim is None else [part for name, part in model.aim.named_children() if name not in later]


class _Banks:
    """Banks of a run, each made or loaded when it is first needed, and let go when it no longer is."""

    def __init__(
        self, folder: Path, *, seed: int, scenes: int, cards: int, vision: VisionEncoder, report: Progress, team: Team
    ) -> None:
        self.folder, self.seed, self.report, self.vision, self.team = folder, seed, report, vision, team
        self.counts = {"bank": scenes, "cards": cards, "validation bank": VALIDATION_SCENES}
        self.pictures = real_pictures()
        self._middles: tuple[Middles, Middles] | None = None
        self._moves: Moves | None = None
        self._projected: ProjectedBank | None = None

    def sources(self, side: int) -> tuple[Source, Source]:
        with self.team.lead_first():
            cards = self._make("cards", self.folder.with_name("cards"), CARD_SEED + self.seed, plan_card)
            scenes = self._make("bank", self.folder, self.seed, plan_scene)
        return Source.of(cards, side=side, share=_CARD_SHARE), Source.of(scenes, side=side, share=1 - _CARD_SHARE)

    def middles(self, model: ReWind) -> tuple[Middles, Middles]:
        """Of cards and of scenes, worked out once: the neck stays as stage 1 left it."""
        if self._middles is None:
            neck = model.patches
            assert isinstance(neck, Neck)  # noqa: S101  (only sizes with a neck are trained here)
            sources = self.sources(neck.side)
            cards, scenes = (middles_of(s.bank, neck, seed=self.seed, device=model.device) for s in sources)
            self._middles, self._moves = (cards, scenes), moves_of(sources[1].bank.scenes)
        return self._middles

    def moves(self) -> Moves:
        """Of scenes; known once `middles` are."""
        assert self._moves is not None  # noqa: S101
        return self._moves

    def projected(self, model: ReWind) -> ProjectedBank:
        if self._projected is None:
            with self.team.lead_first():
                bank = self._make("bank", self.folder, self.seed, plan_scene)
            self._projected = self._project(model, bank)
        return self._projected

    def validation(self, model: ReWind) -> ProjectedBank:
        folder = self.folder.with_name("bank-validation")
        return self._project(model, self._make("validation bank", folder, VALIDATION_SEEDS.start, plan_scene))

    def _make(self, name: str, folder: Path, seed: int, plan: Planner) -> Bank:
        return make_bank(
            folder, seed=seed, scenes=self.counts[name], encoder=self.vision, pictures=self.pictures, plan=plan,
            progress=lambda done, total: self.report(name, done, total, {}),
        )  # fmt: skip

    def _project(self, model: ReWind, bank: Bank) -> ProjectedBank:
        model.eval()
        projected = project_bank(bank, model.project, device=model.device)
        model.train()
        return projected


Step = Callable[[int], tuple[Tensor, dict[str, float]]]


def _step_of(
    stage: Stage, model: ReWind, align: Align, aiming: Aiming, banks: _Banks, text: TextEncoder,
    tokenizer: AnswerTokenizer, *, draws: tuple[int, ...],
) -> Step:  # fmt: skip
    """What a step of a stage does; all that is random is drawn from (*draws, step)."""
    if stage.name == ALIGN:
        sources = banks.sources(model.config.fine_grid)
        return _align_step(model, align, sources, text, stage, draws=draws)
    middles = banks.middles(model)
    aim = _aim_step(model, aiming, middles, banks.moves(), text, stage, draws=draws)
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
        with torch.autocast(model.device.type, torch.bfloat16):
            loss, numbers = align(model, source, rows, aims, text, rng)
        return torch.as_tensor(loss), numbers

    return step


def _aim_step(
    model: ReWind, aiming: Aiming, middles: tuple[Middles, Middles], moves: Moves, text: TextEncoder, stage: Stage, *,
    draws: tuple[int, ...],
) -> Step:  # fmt: skip
    """What a step of stage 1's second part does: the neck stays as the first part left it.

    Later stages go on with it, a smaller batch beside their own, so that what was learnt is kept.
    """
    frames, texts = (stage.batch, _AIM_TEXTS) if stage.name == AIM else (_BESIDE_FRAMES, _BESIDE_TEXTS)

    def step(number: int) -> tuple[Tensor, dict[str, float]]:
        rng = np.random.default_rng([*draws, number, 1])
        source = middles[int(rng.random() >= _CARD_SHARE)]
        rows = np.sort(rng.choice(len(source.first) - 1, frames, replace=False))
        things = np.concatenate([source.things[source.first[r] : source.first[r + 1]] for r in rows])
        aims = draw_aims(things, rng, count=texts)
        with torch.autocast(model.device.type, torch.bfloat16):
            loss, numbers = aiming(model, source, rows, aims, text, rng, moves)
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
        with torch.autocast(model.device.type, torch.bfloat16):
            batch, _ = draw_batch(
                bank, rng, size=stage.batch, frames=stage.frames, tokenizer=tokenizer, encoder=text,
                mix=MIXES.get(stage.name, MIX), device=model.device,
            )  # fmt: skip
            losses = instruct_losses(
                model, batch, keep=stage.key_frames, teacher=stage.teacher_at(number), generator=generator,
                perceive=stage.perceive, shown=stage.shown,
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


def _tokenizer(path: Path) -> AnswerTokenizer:
    """The run's own tokenizer: a resumed run must not depend on words that worlds have learnt since."""
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        AnswerTokenizer.from_words(vocabulary()).save(path)
    return AnswerTokenizer.load(path)


def _silent(name: str, done: int, total: int, numbers: dict[str, float]) -> None:
    """Progress that nobody asked for."""
