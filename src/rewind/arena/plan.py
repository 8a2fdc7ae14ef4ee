"""What an arena is: which test, how many tokens, steps and seeds; what a budget leaves of it; what it will cost."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from rewind.arena.contenders import Contender, to_train
from rewind.errors import ConfigError
from rewind.train.stage import Stage
from rewind.worlds import KINDS
from rewind.worlds.plan import SCENE_SECONDS

_SCENE_S = sum(SCENE_SECONDS) / 2
Split = Literal["validation", "test"]
SIDE = 4
"""Lengths and budgets beside the main ones are tested with this part of the questions."""
_TAUGHT = 0.25  # share of the rate for a decoder that was trained before
LEAST_STEPS, LEAST_QUESTIONS = 4, 8
_TEST_SHARE, _MARGIN = 0.4, 0.92


def scenes_to_test(minutes: float) -> int:
    """Scenes as long together as a video of twice the test's length, in which questions on *now* are asked.

    A video draws its scenes with replacement: some come twice in it all the same, at an hour about one in five.
    """
    return max(128, math.ceil(2.2 * 60 * minutes / _SCENE_S))


@dataclass(frozen=True)
class Cell:
    """One test: videos of `frames` seconds, `tokens` visual tokens, `per_kind` questions of each kind."""

    frames: int
    tokens: int
    per_kind: int


@dataclass(frozen=True)
class ArenaPlan:
    """The same for every recipe. All that changes a result is in here; recipes and seeds may be added later.

    Args:
        minutes: length of the test videos. tokens: visual tokens that the decoder gets at most.
        per_kind: test questions of each kind. scenes: training scenes. test_scenes: scenes of the split tested on.
        short, long: training steps on videos of 16 and of `long_frames` seconds.
    """

    minutes: float = 2.0
    tokens: int = 256
    split: Split = "validation"
    per_kind: int = 200
    scenes: int = 1792
    test_scenes: int = 128
    short: int = 600
    long: int = 250
    long_frames: int = 96

    def __post_init__(self) -> None:
        if not 0.25 <= self.minutes <= 60:
            raise ConfigError(f"{self.minutes:g} minutes", allowed="0.25 to 60")
        if self.tokens < 64 or self.tokens % 64:
            raise ConfigError(
                f"{self.tokens} tokens", allowed="a multiple of 64: every recipe must be able to spend it"
            )
        if self.split not in ("validation", "test"):
            raise ConfigError(f"split {self.split!r}", allowed="validation or test")
        if min(self.per_kind, self.short, self.long) < 1 or self.scenes < 16 or self.test_scenes < 8:
            raise ConfigError(
                f"per_kind={self.per_kind}, steps {self.short}+{self.long}, scenes={self.scenes}+{self.test_scenes}",
                allowed="1 question and 1 step or more, 16 training and 8 test scenes or more",
            )
        if self.test_scenes * _SCENE_S < 1.1 * self.frames:
            raise ConfigError(
                f"{self.test_scenes} test scenes for {self.minutes:g} minutes",
                allowed=f"{scenes_to_test(self.minutes)} for that length",
            )

    @property
    def frames(self) -> int:
        return round(60 * self.minutes)

    def stages(self) -> tuple[Stage, Stage]:
        """Short videos first, where steps are cheap, then long ones; as many frames a step in both."""
        return (
            Stage("short", steps=self.short, batch=48, frames=16, rate=1.5e-3, warm_up=min(60, 1 + self.short // 8),
                  teacher=(0.7, 0.2), slow=_TAUGHT),
            Stage("long", steps=self.long, batch=8, frames=self.long_frames, rate=1e-3,
                  warm_up=min(30, 1 + self.long // 8), teacher=(0.25, 0.1), slow=_TAUGHT),
        )  # fmt: skip

    def cells(self) -> tuple[Cell, ...]:
        """The main test first; then shorter videos, and fewer tokens, with the same weights."""
        side = max(LEAST_QUESTIONS, self.per_kind // SIDE)
        lengths = [f for f in (self.frames // 4, self.frames // 2) if f >= 12]
        budgets = [t for t in (self.tokens // 4, self.tokens // 2) if t >= 64]
        main = Cell(self.frames, self.tokens, self.per_kind)
        return (
            main,
            *(Cell(f, self.tokens, side) for f in lengths),
            *(Cell(self.frames, t, side) for t in budgets),
        )

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Rates:
    """Measured seconds: `steps` by recipe (short, long), a test question of the main cell by recipe."""

    steps: Mapping[str, tuple[float, float]]
    question: Mapping[str, float]

    def training_s(self, contender: Contender, short: int, long: int) -> float:
        """Of so many steps of either stage."""
        of_short, of_long = self.steps[contender.trained_as]
        return short * of_short + long * of_long

    def testing_s(self, contender: Contender, plan: ArenaPlan) -> float:
        """Of one seed's tests. A swap is tested on the main cell alone."""
        cells = plan.cells()[: 1 if contender.weights_of else None]
        asked = sum(len(KINDS) * cell.per_kind * cell.frames / plan.frames for cell in cells)
        return self.question[contender.trained_as] * asked

    def to_json(self) -> dict[str, Any]:
        return {"steps": {k: list(v) for k, v in self.steps.items()}, "question": dict(self.question)}


@dataclass(frozen=True)
class Cost:
    """Seconds of training and of testing, all seeds together."""

    train_s: float
    test_s: float

    @property
    def total_s(self) -> float:
        return self.train_s + self.test_s


def cost(plan: ArenaPlan, contenders: Sequence[Contender], rates: Rates, *, seeds: int) -> Cost:
    """What a whole arena will take, from measured rates."""
    steps = sum(rates.training_s(c, plan.short, plan.long) for c in to_train(contenders))
    return Cost(seeds * steps, seeds * sum(rates.testing_s(c, plan) for c in _tested(contenders)))


def fit(
    plan: ArenaPlan, contenders: Sequence[Contender], rates: Rates, *, seeds: int, budget_s: float | None
) -> ArenaPlan:
    """The plan that fits `budget_s`: fewer questions where tests would take over 40 % of it, then fewer steps for all.

    Raises: ConfigError where not even the least arena fits.
    """
    if budget_s is None:
        return plan
    whole = cost(plan, contenders, rates, seeds=seeds)
    room = _MARGIN * budget_s
    if whole.total_s <= room:
        return plan
    if whole.test_s > _TEST_SHARE * room:
        asked = int(plan.per_kind * _TEST_SHARE * room / whole.test_s)
        plan = replace(plan, per_kind=max(LEAST_QUESTIONS, asked))
        whole = cost(plan, contenders, rates, seeds=seeds)
    share = (room - whole.test_s) / whole.train_s
    short, long = int(plan.short * share), int(plan.long * share)
    if min(short, long) < LEAST_STEPS:
        least = replace(plan, short=LEAST_STEPS, long=LEAST_STEPS, per_kind=LEAST_QUESTIONS)
        need = cost(least, contenders, rates, seeds=seeds).total_s / _MARGIN
        raise ConfigError(
            f"a budget that leaves {max(0.0, budget_s):.0f} s", allowed=f"{need:.0f} s or more for these recipes",
            do="give fewer --recipes or --seeds, or a longer --budget",
        )  # fmt: skip
    return replace(plan, short=min(short, plan.short), long=min(long, plan.long))


def _tested(contenders: Sequence[Contender]) -> tuple[Contender, ...]:
    """What is tested: who was asked for, and whoever is trained for them."""
    names = {c.name for c in contenders}
    return (*contenders, *(c for c in to_train(contenders) if c.name not in names))
