"""What scoring gives: one number a question for every figure, so that means and their intervals come from one place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from rewind.evaluate.bootstrap import interval

Values = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Result:
    """Figures of one predictions file.

    `items`: for each official key, one value for each question it averages over. `scale`: what the mean is multiplied
    by (100 unless named). `n`: questions; `unparsed`: those with no answer, or none that could be read, which count as
    wrong. `notes`: what a reader must know to compare the figures.
    """

    items: Mapping[str, Values]
    n: int
    unparsed: int
    scale: Mapping[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def metrics(self) -> dict[str, float]:
        """The figures, rounded to two places as the official evaluators print them."""
        return {key: _rounded(float(np.mean(values)) * self._scale(key)) for key, values in self.items.items()}

    def intervals(self, *, level: float = 0.95, seed: int = 0) -> dict[str, list[float]]:
        """The bootstrap interval of every figure."""
        ends = {key: interval(values, level=level, seed=seed) for key, values in self.items.items()}
        return {key: [_rounded(end * self._scale(key)) for end in pair] for key, pair in ends.items()}

    def to_json(self, *, seed: int = 0) -> dict[str, Any]:
        """The object that `rewind evaluate --json` prints."""
        data: dict[str, Any] = {"metrics": self.metrics(), "n": self.n, "unparsed": self.unparsed}
        data["intervals_95"] = self.intervals(seed=seed)
        data["notes"] = list(self.notes)
        return data

    def _scale(self, key: str) -> float:
        return self.scale.get(key, 100.0)


def _rounded(value: float) -> float:
    # The official evaluators round through text; round() differs from that in the last place of some halves.
    return float(f"{value:.2f}")
