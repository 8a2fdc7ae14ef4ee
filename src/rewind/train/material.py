"""What a run is trained on: its banks, and what is worked out from them once."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from rewind.memory import Neck
from rewind.model import ReWind
from rewind.train.aiming import Middles, middles_of
from rewind.train.align import Source
from rewind.train.bank import Bank, ProjectedBank, make_bank, project_bank, real_pictures
from rewind.train.loop import Progress
from rewind.train.moves import Moves, moves_of
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
    """Banks of a run, each made or loaded when it is first needed, and let go when it no longer is."""

    def __init__(
        self, folder: Path, *, seed: int, scenes: int, cards: int, vision: VisionEncoder, report: Progress, team: Team
    ) -> None:
        self.folder, self.seed, self.report, self.vision, self.team = folder, seed, report, vision, team
        self.counts = {"bank": scenes, "cards": cards, "validation bank": VALIDATION_SCENES}
        self.pictures = real_pictures()
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

    def validation(self, model: ReWind) -> ProjectedBank:
        folder = self.folder.with_name("bank-validation")
        return self._project(model, self._make("validation bank", folder, VALIDATION_SEEDS.start, plan_scene))

    def _cards(self) -> Bank:
        with self.team.lead_first():
            return self._make("cards", self.folder.with_name("cards"), CARD_SEED + self.seed, plan_card)

    def _scenes(self) -> Bank:
        with self.team.lead_first():
            return self._make("bank", self.folder, self.seed, plan_scene)

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
