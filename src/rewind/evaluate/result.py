"""What scoring gives: one number a question for every figure, so that means and their intervals come from one place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from rewind.errors import ConfigError
from rewind.evaluate.bootstrap import Values, interval, remark

Which = npt.NDArray[np.bool_] | npt.NDArray[np.int_]


@dataclass(frozen=True)
class Result:
    """Figures of one predictions file.

    `items`: for each official key, one value for each question it averages over. `scale`: what the mean is multiplied
    by (100 unless named). `n`: questions; `unparsed`: those with no answer, or none that could be read, which count as
    wrong. `notes`: what a reader must know to compare the figures. `videos`: of each question, where the annotations
    tell them. `over`: for figures over a part of the questions, which those are (a mask or numbers).
    """

    items: Mapping[str, Values]
    n: int
    unparsed: int
    scale: Mapping[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    videos: Sequence[str] | None = None
    over: Mapping[str, Which] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for key, values in self.items.items():
            groups = self._groups(key)
            if groups is not None and len(groups) != len(values):
                raise ConfigError(f"{key}: {len(values)} values, videos of {len(groups)}", allowed="one video a value")

    def metrics(self) -> dict[str, float]:
        """The figures, rounded to two places as the official evaluators print them."""
        return {key: _rounded(float(np.mean(values)) * self._scale(key)) for key, values in self.items.items()}

    def intervals(self, *, level: float = 0.95, seed: int = 0) -> dict[str, list[float]]:
        """The bootstrap interval of every figure, of resampled videos where they are known."""
        ends = {k: interval(v, groups=self._groups(k), level=level, seed=seed) for k, v in self.items.items()}
        return {key: [_rounded(end * self._scale(key)) for end in pair] for key, pair in ends.items()}

    def to_json(self, *, seed: int = 0) -> dict[str, Any]:
        """The object that `rewind evaluate --json` prints."""
        videos = None if self.videos is None else len(set(self.videos))
        few = remark(videos) if videos else ""
        return {
            "metrics": self.metrics(), "n": self.n, "videos": videos, "unparsed": self.unparsed,
            "intervals_95": self.intervals(seed=seed), "notes": [*self.notes, *([few] if few else [])],
        }  # fmt: skip

    def _groups(self, key: str) -> Sequence[str] | None:
        if self.videos is None or key not in self.over:
            return self.videos
        return [str(video) for video in np.asarray(self.videos)[self.over[key]]]

    def _scale(self, key: str) -> float:
        return self.scale.get(key, 100.0)


def _rounded(value: float) -> float:
    # The official evaluators round through text; round() differs from that in the last place of some halves.
    return float(f"{value:.2f}")
