"""`rewind train nano`: align, instruct, ground, calibrate; from nothing but a seed to a folder of weights."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from rewind.config import ReWindConfig
from rewind.errors import ConfigError
from rewind.language.tokenizer import AnswerTokenizer
from rewind.model import ReWind
from rewind.models import save_pretrained
from rewind.text import TextEncoder, load_text
from rewind.train.bank import Bank, make_bank, real_pictures
from rewind.train.calibrate import calibrate
from rewind.train.examples import MIX, PROMPT, draw_batch, draw_captions
from rewind.train.loop import Progress, Run, Stage, describe, plot_curve
from rewind.train.losses import Alignment, instruct_losses
from rewind.vision import load_vision
from rewind.worlds import require_training_seed, vocabulary
from rewind.worlds.questions import Kind
from rewind.worlds.splits import VALIDATION_SEEDS

SCENES, VALIDATION_SCENES = 1792, 128
STAGES: tuple[Stage, ...] = (
    Stage("align", steps=400, batch=32, frames=8, rate=2e-3, warm_up=40),
    Stage("instruct-short", steps=800, batch=32, frames=16, key_frames=4, rate=1.5e-3, warm_up=60, teacher=(1.0, 0.5)),
    Stage("instruct-long", steps=250, batch=16, frames=64, rate=1e-3, warm_up=30, teacher=(0.5, 0.25)),
    Stage("ground", steps=60, batch=12, frames=96, rate=4e-4, warm_up=10, teacher=(0.25, 0.25)),
    Stage("refine", steps=1200, batch=24, frames=24, key_frames=4, rate=1.2e-3, warm_up=30, teacher=(0.6, 0.25)),
)
# Seconds are too few to count in; grounding asks for times most of all.
MIXES: dict[str, dict[Kind, float]] = {
    "instruct-short": {**MIX, "count": 0.0, "exists": 0.24, "find": 0.18},
    "instruct-long": MIX,
    "refine": {**MIX, "count": 0.0, "exists": 0.25, "find": 0.17},
    "ground": {**MIX, "find": 0.4, "needle": 0.16, "breakpoint": 0.06, "state": 0.06, "count": 0.08},
}
_RELEVANCE_WEIGHT = 2.0


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
    bank: Path | None = None,
    changes: dict[str, object] | None = None,
) -> Path | None:
    """Train one model.

    Args:
        size: of `ReWindConfig.of_size`; only sizes with the bundled decoder and encoders can be trained here.
        out: the run's folder: bank/, state.pt, curve.jsonl, curve.png, record.json, model/.
        seed: a training seed; it fixes scenes, videos, questions and first weights.
        minutes: stop, saved, after this long; the same call goes on later.
        resume: go on from the folder's checkpoint; False starts anew.
        stages, scenes, bank, changes: other steps, another bank, other config fields: for ablations.

    Returns: the folder of the trained model, or None where the time ran out first.

    Raises: TestSeedError for a seed that is held out; ConfigError for a size that cannot be trained here.
    """
    require_training_seed(seed)
    config = replace(ReWindConfig.of_size(size), **(changes or {}))  # type: ignore[arg-type]
    if config.decoder != "bundled" or config.vision != "efficientnet-lite0":
        raise ConfigError(f"size {size!r}", allowed="nano or small: sizes with the bundled encoders and decoder")
    report = progress or _silent
    stop_at = None if minutes is None else time.monotonic() + 60 * minutes
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    text, vision = load_text(config.text), load_vision(config.vision)
    pictures = real_pictures()
    scene_bank = make_bank(
        bank or out / "bank", seed=seed, scenes=scenes, encoder=vision, pictures=pictures,
        progress=lambda done, total: report("bank", done, total, {}),
    )  # fmt: skip
    tokenizer = _tokenizer(out / "tokenizer.json")
    config = replace(config, vocabulary=len(tokenizer))
    torch.manual_seed(seed)
    model = ReWind(config, tokenizer=tokenizer).to(device)
    alignment = Alignment(config.width, config.text_width).to(device)
    training = Run(out, (model, alignment))
    if resume:
        training.resume()
    (out / "record.json").write_text(json.dumps({"seed": seed, "size": size, "stages": describe(stages)}, indent=2))
    teach = Teaching(model, alignment, scene_bank, text, tokenizer, seed=seed, device=device)
    for index, stage in enumerate(stages):
        if not training.run(index, stage, teach.step_of(index, stage), stop_at=stop_at, progress=report):
            return None
    plot_curve(out)
    validation = make_bank(
        (bank or out / "bank").with_name("bank-validation"), seed=VALIDATION_SEEDS.start, scenes=VALIDATION_SCENES,
        encoder=vision, pictures=pictures, progress=lambda done, total: report("validation bank", done, total, {}),
    )  # fmt: skip
    numbers = calibrate(model.eval(), validation, text, tokenizer)
    (out / "validation.json").write_text(json.dumps(numbers, indent=2))
    save_pretrained(model, out / "model")
    return out / "model"


class Teaching:
    """What one step of each stage does; all that is random is drawn from (seed, stage, step)."""

    def __init__(
        self, model: ReWind, alignment: Alignment, bank: Bank, text: TextEncoder, tokenizer: AnswerTokenizer, *,
        seed: int, device: torch.device,
    ) -> None:  # fmt: skip
        self.model, self.alignment, self.bank = model, alignment, bank
        self.text, self.tokenizer, self.seed, self.device = text, tokenizer, seed, device

    def step_of(self, index: int, stage: Stage) -> Callable[[int], tuple[Tensor, dict[str, float]]]:
        def step(number: int) -> tuple[Tensor, dict[str, float]]:
            rng = np.random.default_rng([self.seed, index, number])
            return self._align(stage, rng) if stage.name == "align" else self._instruct(stage, number, rng)

        return step

    def _align(self, stage: Stage, rng: np.random.Generator) -> tuple[Tensor, dict[str, float]]:
        captions = draw_captions(self.bank, rng, size=stage.batch, frames=stage.frames, device=self.device)
        prompt = self.text.encode([PROMPT] * stage.batch)
        phrases = self.text.encode(captions.phrases).pooled.to(self.device)
        with torch.autocast(self.device.type, torch.bfloat16):
            state = self.model.begin(prompt)
            patches = self.model.project(captions.deep, captions.fine)
            perceived = self.model.perceiver(self.model.read(state), patches, state.text, state.text_mask)
            return self.alignment(perceived, phrases, captions.holds), {}

    def _instruct(self, stage: Stage, number: int, rng: np.random.Generator) -> tuple[Tensor, dict[str, float]]:
        batch, _ = draw_batch(
            self.bank, rng, size=stage.batch, frames=stage.frames, tokenizer=self.tokenizer, encoder=self.text,
            mix=MIXES.get(stage.name, MIX), device=self.device,
        )  # fmt: skip
        generator = torch.Generator().manual_seed(int(rng.integers(2**62)))
        with torch.autocast(self.device.type, torch.bfloat16):
            losses = instruct_losses(
                self.model, batch, keep=stage.key_frames, teacher=stage.teacher_at(number), generator=generator
            )
        parts = {"answer": losses.answer, "relevance": losses.relevance, "correct": losses.correct}
        numbers = {name: float(value.detach()) for name, value in parts.items()}
        return losses.total(relevance_weight=_RELEVANCE_WEIGHT), numbers


def _tokenizer(path: Path) -> AnswerTokenizer:
    """The run's own tokenizer: a resumed run must not depend on words that worlds have learnt since."""
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        AnswerTokenizer.from_words(vocabulary()).save(path)
    return AnswerTokenizer.load(path)


def _silent(name: str, done: int, total: int, numbers: dict[str, float]) -> None:
    """Progress that nobody asked for."""
