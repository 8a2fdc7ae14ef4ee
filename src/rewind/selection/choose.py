"""Key frames: of T scored frames, the few whose detail the decoder is shown (select a and b of the rewind, [P])."""

from __future__ import annotations

import torch
from torch import Tensor

from rewind.config import Selector
from rewind.errors import ConfigError
from rewind.selection.density_peaks import density_peaks


def choose_frames(
    scores: Tensor,
    features: Tensor,
    *,
    candidates: int = 64,
    keep: int = 8,
    reserve: int = 0,
    neighbours: int = 5,
    selector: Selector = "density_peaks",
    apart: int = 0,
    mass: float | None = None,
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
        apart: a frame within this many rows of a better one takes no slot for best scores ("reserve" and "top_k"), so
            that one moment does not fill them all. 0: off, the published way.
        mass: keep only as many frames as hold this share of the candidates' summed scores (at most `keep`, at least
            one and the reserve). None: always `keep`, as published: a decoder trained on a fixed count expects it.

    Raises:
        ConfigError: shapes that do not fit, a score that is not finite, counts that contradict each other.
    """
    _check(scores, features, candidates=candidates, keep=keep, reserve=reserve, apart=apart, mass=mass)
    total = scores.shape[0]
    if total <= keep and mass is None:
        return tuple(range(total))
    keep = min(keep, total)
    if selector == "uniform":
        return tuple((2 * i + 1) * total // (2 * keep) for i in range(keep))
    if selector == "random":
        drawn = torch.randperm(total, generator=torch.Generator().manual_seed(seed))[:keep]
        return tuple(sorted(drawn.tolist()))
    scores = scores.detach()
    best = scores.sort(descending=True, stable=True).indices[:candidates]
    if mass is not None:
        keep = min(keep, max(reserve, key_frame_count(scores[best], mass=mass)))
    firsts = _best_apart(best.tolist(), count=keep if selector == "top_k" else min(reserve, keep), apart=apart)
    if selector == "top_k" or len(firsts) == keep:
        return tuple(sorted(firsts))
    pool = best.sort().values
    order = density_peaks(features.detach()[pool], keep=keep, neighbours=neighbours).strength
    ranked = pool[order.sort(descending=True, stable=True).indices].tolist()
    taken = set(firsts)
    others = [row for row in ranked if row not in taken][: keep - len(firsts)]
    return tuple(sorted(firsts + others))


def key_frame_count(scores: Tensor, *, mass: float) -> int:
    """How many of the best `scores` (C,) hold the share `mass` of their sum; 1 where the sum is 0."""
    ranked = scores.double().clamp(min=0).sort(descending=True).values
    total = ranked.sum()
    if total <= 0:
        return 1
    # The last digits of a sum of single-precision scores must not ask for one frame more.
    return int((ranked.cumsum(0) < mass * total * (1 - 1e-6)).sum()) + 1


def _best_apart(best: list[int], *, count: int, apart: int) -> list[int]:
    """The first `count` of `best` of which none is within `apart` rows of a better one; then the best of the others."""
    if apart == 0:
        return best[:count]
    taken: list[int] = []
    for row in best:
        if len(taken) == count:
            break
        if all(abs(row - other) > apart for other in taken):
            taken.append(row)
    left = [row for row in best if row not in taken]
    return taken + left[: count - len(taken)]


def _check(
    scores: Tensor, features: Tensor, *, candidates: int, keep: int, reserve: int, apart: int, mass: float | None
) -> None:
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
    if apart < 0:
        raise ConfigError(f"apart={apart}", allowed="0 or more rows")
    if mass is not None and not 0 < mass <= 1:
        raise ConfigError(f"mass={mass}", allowed="above 0, at most 1")
