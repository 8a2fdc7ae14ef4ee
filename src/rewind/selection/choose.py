"""Key frames: of T scored frames, the few whose detail the decoder is shown (select a and b of the rewind, [P])."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from rewind.config import Selector
from rewind.errors import ConfigError
from rewind.selection.density_peaks import density_peaks


@dataclass(frozen=True)
class Selection:
    """Key frames: `rows` of the timeline in time order, with the relevance of each."""

    rows: tuple[int, ...]
    scores: tuple[float, ...]


def choose_frames(
    scores: Tensor,
    features: Tensor,
    *,
    candidates: int = 64,
    keep: int = 8,
    reserve: int = 0,
    neighbours: int = 5,
    selector: Selector = "density_peaks",
    seed: int = 0,
) -> tuple[int, ...]:
    """Rows of the chosen frames, in time order; all of them where there are no more than `keep`.

    The published way is the `candidates` best scores, thinned by density peaks. Density peaks favour difference and can
    drop the very frame that scores first, so `reserve` slots may be kept for the plain best scores. Ties break by time.

    Args:
        scores: (T,) relevance to the instruction, finite.
        features: (T, W): the frame's memory tokens side by side.
        reserve: slots for the best scores; density peaks among the candidates fill the others.
        neighbours: K of the density peaks.
        selector: "top_k" takes the best scores only; "uniform" the middles of equal stretches and "random" a seeded
            draw, both blind to scores: controls.

    Raises:
        ConfigError: shapes that do not fit, a score that is not finite, counts that contradict each other.
    """
    _check(scores, features, candidates=candidates, keep=keep, reserve=reserve)
    total = scores.shape[0]
    if total <= keep:
        return tuple(range(total))
    if selector == "uniform":
        return tuple((2 * i + 1) * total // (2 * keep) for i in range(keep))
    if selector == "random":
        drawn = torch.randperm(total, generator=torch.Generator().manual_seed(seed))[:keep]
        return tuple(sorted(drawn.tolist()))
    scores = scores.detach()
    best = scores.sort(descending=True, stable=True).indices[:candidates]
    firsts = best[: keep if selector == "top_k" else reserve].tolist()
    if selector == "top_k" or len(firsts) == keep:
        return tuple(sorted(firsts))
    pool = best.sort().values
    order = density_peaks(features.detach()[pool], keep=keep, neighbours=neighbours).strength
    ranked = pool[order.sort(descending=True, stable=True).indices].tolist()
    taken = set(firsts)
    others = [row for row in ranked if row not in taken][: keep - len(firsts)]
    return tuple(sorted(firsts + others))


def _check(scores: Tensor, features: Tensor, *, candidates: int, keep: int, reserve: int) -> None:
    if scores.ndim != 1 or scores.shape[0] < 1 or features.ndim != 2 or features.shape[0] != scores.shape[0]:
        raise ConfigError(
            f"scores {tuple(scores.shape)} and features {tuple(features.shape)}",
            allowed="(T,) and (T, W), T at least 1",
        )
    if not bool(torch.isfinite(scores).all()):
        raise ConfigError("a score that is not finite", allowed="finite scores")
    if not 0 <= reserve <= keep <= candidates or keep < 1:
        raise ConfigError(
            f"candidates={candidates}, keep={keep}, reserve={reserve}",
            allowed="reserve <= keep <= candidates, keep >= 1",
        )
