"""What a run is trained on: its banks, and what is worked out from them once."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from rewind.cores import cores
from rewind.memory import Neck
from rewind.model import ReWind
from rewind.train.aiming import Middles, middles_of
from rewind.train.align import Source
from rewind.train.bank import Bank, OutOfTime, ProjectedBank, beside, make_bank, project_bank
from rewind.train.loop import Progress
from rewind.train.moves import Moves, moves_of
from rewind.train.shards import Pixels
from rewind.train.team import Team
from rewind.vision import VisionEncoder
from rewind.worlds.cards import Planner, plan_card
from rewind.worlds.plan import plan_scene
from rewind.worlds.splits import VALIDATION_SEEDS

VALIDATION_SCENES = 128
CARD_SEED = 100_000
"""Cards take seeds of their own, so that no card shows a scene's things."""
CARD_SHARE = 0.75


@dataclass(frozen=True)
class Singles:
    """What instructions meet one by one: the things of cards and of scenes, and how those of scenes move."""

    cards: Middles
    scenes: Middles
    moves: Moves


class Banks:
    """Banks of a run, each made or loaded when it is first needed, and let go when it no longer is.

    `pictures` are real backgrounds, as in `make_bank`.

    Where `time.monotonic()` is past `stop_at` before one is made, all processes raise OutOfTime together.
    """

    def __init__(
        self, folder: Path, *, seed: int, scenes: int, cards: int, vision: VisionEncoder, report: Progress, team: Team,
        pictures: Sequence[Pixels], stop_at: float | None = None,
    ) -> None:  # fmt: skip
        self.folder, self.seed, self.report, self.vision, self.team = folder, seed, report, vision, team
        self.pictures, self.stop_at = pictures, stop_at
        self.counts = {"bank": scenes, "cards": cards, "validation": VALIDATION_SCENES}
        self._singles: Singles | None = None
        self._projected: ProjectedBank | None = None

    def sources(self, side: int) -> tuple[Source, Source]:
        cards, scenes = self._cards(), self._scenes()
        return Source.of(cards, side=side, share=CARD_SHARE), Source.of(scenes, side=side, share=1 - CARD_SHARE)

    def singles(self, model: ReWind) -> Singles:
        """Worked out once: the neck stays as stage 1 left it."""
        if self._singles is None:
            neck = model.patches
            assert isinstance(neck, Neck)  # noqa: S101  (only sizes with a neck are trained here)
            cards = middles_of(self._cards(), neck, seed=self.seed, device=model.device)
            bank = self._scenes()  # after the cards are let go: both at once are most of a run's memory
            scenes = middles_of(bank, neck, seed=self.seed, device=model.device)
            self._singles = Singles(cards, scenes, moves_of(bank.scenes))
        return self._singles

    def projected(self, model: ReWind) -> ProjectedBank:
        if self._projected is None:
            self._projected = self._project(model, self._scenes())
        return self._projected

    def validation(self, model: ReWind) -> ProjectedBank | None:
        """For the first process; None for the others."""
        bank = self._made("validation", VALIDATION_SEEDS.start, plan_scene)
        return None if bank is None else self._project(model, bank)

    def _cards(self) -> Bank:
        return self._for_all("cards", CARD_SEED + self.seed, plan_card)

    def _scenes(self) -> Bank:
        return self._for_all("bank", self.seed, plan_scene)

    def _for_all(self, name: str, seed: int, plan: Planner) -> Bank:
        """The first process makes it, the others find it."""
        return self._made(name, seed, plan) or self._make(name, seed, plan)

    def _made(self, name: str, seed: int, plan: Planner) -> Bank | None:
        """By the first process, while the others wait: None for those."""
        bank = None
        if self.team.leads:
            with suppress(OutOfTime):
                bank = self._make(name, seed, plan)
        if self.team.any(self.team.leads and bank is None):
            raise OutOfTime
        return bank

    def _make(self, name: str, seed: int, plan: Planner) -> Bank:
        """The bank itself, or the scenes called `name` beside it."""
        folder = self.folder
        if name != "bank":
            folder = beside(folder, name, seed=seed, encoder=self.vision, pictures=self.pictures, plan=plan)
        shown = "validation bank" if name == "validation" else name
        return make_bank(
            folder, seed=seed, scenes=self.counts[name], encoder=self.vision, pictures=self.pictures, plan=plan,
            processes=cores(), stop_at=self.stop_at if self.team.leads else None,
            progress=lambda done, total: self.report(shown, done, total, {}),
        )  # fmt: skip

    def _project(self, model: ReWind, bank: Bank) -> ProjectedBank:
        before = model.training
        model.eval()
        projected = project_bank(bank, model.project, device=model.device)
        model.train(before)
        return projected
