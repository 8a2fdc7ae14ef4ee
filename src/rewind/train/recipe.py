"""`rewind train nano`: align, instruct, ground, calibrate; from nothing but a seed to a folder of weights."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import torch
from torch import nn

from rewind.config import ReWindConfig
from rewind.errors import ConfigError
from rewind.evaluate.files import read_json, shaped
from rewind.language.tokenizer import AnswerTokenizer
from rewind.model import ReWind
from rewind.models import save_pretrained
from rewind.store import replace_file
from rewind.text import load_text
from rewind.train.aiming import Aiming
from rewind.train.align import Align
from rewind.train.bank import OutOfTime, seed_of
from rewind.train.calibrate import calibrate
from rewind.train.loop import CHECKPOINT, CURVE, Progress, Run, plot_curve
from rewind.train.material import CARD_SEED, Banks
from rewind.train.shards import PAINTED_ALONE, real_pictures
from rewind.train.stage import Stage, describe
from rewind.train.steps import AIM, ALIGN, step_of
from rewind.train.team import join
from rewind.vision import load_vision
from rewind.worlds import TRAIN_SEEDS, require_training_seed, vocabulary

TRAINABLE = ("nano", "small")
ALIGNED = "aligned"
SCENES = 1792
CARDS = 14400
STAGES: tuple[Stage, ...] = (
    Stage(ALIGN, steps=4200, batch=48, frames=1, rate=2e-3, warm_up=60),
    Stage(AIM, steps=600, batch=48, frames=1, rate=1.5e-3, warm_up=40),
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
        "refine", steps=1350, batch=96, frames=96, key_frames=2, rate=9e-4, warm_up=20, teacher=(0.1, 0.0), slow=0.25,
        perceive=False, shown=16,
    ),
    Stage(
        "harden", steps=300, batch=96, frames=96, key_frames=2, rate=4e-4, warm_up=20, teacher=(0.1, 0.0), slow=0.25,
        perceive=False, shown=16,
    ),
    Stage(
        "speak", steps=260, batch=96, frames=96, key_frames=2, rate=6e-4, warm_up=20, teacher=(0.1, 0.0), slow=0.25,
        perceive=False, shown=16,
    ),
)  # fmt: skip


def run(
    size: str = "nano",
    *,
    out: Path,
    seed: int = 0,
    minutes: float | None = None,
    resume: bool = True,
    progress: Progress | None = None,
    say: Callable[[str], None] = lambda _line: None,
    stages: tuple[Stage, ...] = STAGES,
    scenes: int = SCENES,
    cards: int = CARDS,
    bank: Path | None = None,
    changes: dict[str, object] | None = None,
) -> Path | None:
    """Train one model; of processes started together, each takes its share of every batch (`rewind.train.team`).

    Banks are made in processes of their own: a script that calls this does so under `if __name__ == "__main__":`.

    Args:
        size: of `ReWindConfig.of_size`; only sizes with the bundled decoder and encoders can be trained here.
        out: the run's folder: bank/, state.pt, curve.jsonl, curve.png, record.json, aligned/ (before any stage on
            videos: what arenas begin with), model/.
        seed: a training seed; it fixes scenes, videos, questions and first weights.
        minutes: stop, saved, after this long; the same call goes on later.
        resume: go on from the folder's checkpoint; False starts anew (a finished model stays until the new one is).
        bank: a bank to take scenes from or to make them in, cards beside it; that of a run of another seed serves,
            and the two then differ in first weights, videos and questions alone.
        say: told, before anything is made, in one line where the run will differ from the shipped model's for lack of
            the clips whose frames are backgrounds; `record.json` has how many there are.
        stages, scenes, cards, changes: other steps, other banks, other config fields: for ablations.

    Returns: the folder of the trained model, or None where the time ran out first.

    Raises: TestSeedError for a seed that is held out; ConfigError for a size that cannot be trained here, for more
        processes than a batch has parts, for a folder that holds another run, or where accelerate is not installed.
    """
    bank_seed = require_trainable(size, seed=seed, bank=bank, scenes=scenes, cards=cards)
    config = replace(ReWindConfig.of_size(size), **(changes or {}))  # type: ignore[arg-type]
    stop_at = None if minutes is None else time.monotonic() + 60 * minutes
    team, pictures = join(), real_pictures()
    record = {
        "seed": seed, "size": size, "bank_seed": bank_seed, "scenes": scenes, "cards": cards,
        "stages": describe(stages), "changes": changes or {}, "processes": team.size,
        "pictures": len(pictures),
    }  # fmt: skip
    if resume:
        _refuse_another(out, record)
    if team.leads and not pictures:
        say(PAINTED_ALONE)
    report = progress if progress is not None and team.leads else _silent
    device, shares = team.device, [team.share(stage) for stage in stages]
    text, vision = load_text(config.text), load_vision(config.vision)
    if team.leads and not resume:
        _clear(out)
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
        replace_file(out / "record.json", json.dumps(record, indent=2).encode())
    banks = Banks(
        bank or out / "bank", seed=bank_seed, scenes=scenes, cards=cards, vision=vision, report=report, team=team,
        pictures=pictures, stop_at=stop_at,
    )  # fmt: skip
    try:
        for index, stage in enumerate(stages):
            if training.stage > index:
                continue
            # No name for the step: what an earlier stage's step holds (gigabytes of features) is let go with it.
            if not training.run(
                index, stage,
                step_of(shares[index], model, align, aiming, banks, text, tokenizer, draws=(*team.draws(seed), index)),
                stop_at=stop_at, progress=report,
            ):  # fmt: skip
                raise OutOfTime
            if stage.name == AIM and team.leads:
                save_pretrained(model, out / ALIGNED)
        if team.leads:
            plot_curve(out)
        validation = banks.validation(model.eval())
    except OutOfTime:
        team.end()
        return None
    if validation is not None:
        numbers = calibrate(model, validation, text, tokenizer)
        (out / "validation.json").write_text(json.dumps(numbers, indent=2))
        save_pretrained(model, out / "model")
    team.end()
    return out / "model"


def require_trainable(
    size: str, *, seed: int, bank: Path | None = None, scenes: int = SCENES, cards: int = CARDS
) -> int:
    """The seed of the bank that such a run takes its scenes from: `seed`, or that of a bank which is there.

    Raises: TestSeedError, ConfigError where `run` would refuse its size, its seed or its bank's.
    """
    if size not in TRAINABLE:
        raise ConfigError(
            f"size {size!r}", allowed=f"{' or '.join(TRAINABLE)}: sizes with the bundled encoders and decoder"
        )
    require_training_seed(seed)
    bank_seed = seed if bank is None else seed_of(bank, otherwise=seed)
    _require_seeds(bank_seed, scenes=scenes, cards=cards)
    return bank_seed


def _refuse_another(out: Path, mine: Mapping[str, object]) -> None:
    """Raises: ConfigError where `out` holds a checkpoint of a run that its record tells from `mine`.

    What a record does not tell, because its run is of an earlier version, is taken to be the same.
    """
    record = out / "record.json"
    if not (record.is_file() and (out / CHECKPOINT).is_file()):
        return
    kept, mine = read_json(record), json.loads(json.dumps(mine))  # tuples are lists in a file
    with shaped(record, allowed="the record of a training run"):
        differ = [name for name in kept if kept[name] != mine.get(name)]
    if differ:
        team = f", in {kept['processes']} processes" if "processes" in differ else ""
        raise ConfigError(
            f"{mine['size']} with seed {mine['seed']}, but {out} holds a run of {kept['size']} with seed {kept['seed']}"
            f" ({', '.join(n.replace('_', ' ') for n in differ)} differ)",
            allowed=f"that run, to go on{team}", do="give another --out, or --fresh to begin anew",
        )  # fmt: skip


def _require_seeds(seed: int, *, scenes: int, cards: int) -> None:
    """Raises: ConfigError where scenes or cards of this seed would reach out of the training range."""
    last = min(TRAIN_SEEDS.stop - scenes, TRAIN_SEEDS.stop - CARD_SEED - cards)
    if seed > last:
        raise ConfigError(
            f"seed {seed}: its {cards} cards or {scenes} scenes would reach beyond the training range",
            allowed=f"0 to {last}",
        )


def _clear(out: Path) -> None:
    """Take away what another run left, lest it be gone on with under this run's name. A finished model stays."""
    for name in (CHECKPOINT, CURVE, "curve.png", "validation.json", "tokenizer.json", "record.json"):
        (out / name).unlink(missing_ok=True)
    shutil.rmtree(out / ALIGNED, ignore_errors=True)


def _taught(model: ReWind) -> list[nn.Module]:
    """What stage 1 has taught, for the stages after it to move slowly: all of `aim` but what sees several frames."""
    return [] if model.aim is None else [part for name, part in model.aim.named_children() if name != "trail"]


def _tokenizer(path: Path) -> AnswerTokenizer:
    """The run's own tokenizer: a resumed run must not depend on words that worlds have learnt since."""
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        AnswerTokenizer.from_words(vocabulary()).save(path)
    return AnswerTokenizer.load(path)


def _silent(name: str, done: int, total: int, numbers: dict[str, float]) -> None:
    """Progress that nobody asked for."""
