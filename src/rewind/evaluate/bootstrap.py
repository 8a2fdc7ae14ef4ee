"""Bootstrap confidence intervals: how far a figure may move with another draw of as many videos.

Questions of one video share its features and its luck, so whole videos are drawn, each with all its questions (the
cluster bootstrap, Davison and Hinkley 1997, section 3.8). Where the videos are not known, or there is only one,
questions are drawn, and the interval holds for other questions only.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from rewind.errors import ConfigError

Values = npt.NDArray[np.float64]
FEW = 20
"""With fewer videos than these an interval of 95 % holds clearly less often (docs/evaluation.md has the numbers)."""
_BLOCK = 1 << 21  # draws held at once


def interval(
    values: npt.ArrayLike,
    *,
    groups: Sequence[str] | None = None,
    level: float = 0.95,
    resamples: int = 2000,
    seed: int = 0,
) -> tuple[float, float]:
    """Percentile bootstrap interval of the mean (Efron 1979).

    Args:
        values: (n,), one number a question.
        groups: (n,), the video of each; questions are drawn where it is not given or names one video alone.
        level: share of resampled means between the two ends.

    Returns: lower and upper end; the same for the same seed.

    Raises:
        ConfigError: no values, groups of another length, or a level outside 0–1.
    """
    x = np.asarray(values, dtype=np.float64)
    if x.ndim != 1 or not len(x):
        raise ConfigError(f"values {x.shape}", allowed="(n,) with n at least 1")
    counts = np.stack([x, np.ones(len(x))], axis=1)
    return interval_of_counts(
        counts, lambda s: s[:, 0] / s[:, 1], groups=groups, level=level, resamples=resamples, seed=seed
    )


def interval_of_counts(
    counts: npt.ArrayLike,
    statistic: Callable[[Values], Values],
    *,
    groups: Sequence[str] | None = None,
    level: float = 0.95,
    resamples: int = 2000,
    seed: int = 0,
) -> tuple[float, float]:
    """Percentile bootstrap interval of a figure that is worked out from sums, such as F1.

    Args:
        counts: (n, k), k numbers a question.
        statistic: from the sums (resamples, k) over the drawn questions to (resamples,).
        groups: as of `interval`.

    Raises:
        ConfigError: no rows, groups of another length, or a level outside 0–1.
    """
    x = np.asarray(counts, dtype=np.float64)
    if x.ndim != 2 or not len(x):
        raise ConfigError(f"counts {x.shape}", allowed="(n, k) with n at least 1")
    if groups is not None and len(groups) != len(x):
        raise ConfigError(f"{len(groups)} groups for {len(x)} values", allowed="one for each")
    if not 0 < level < 1 or resamples < 1:
        raise ConfigError(f"level={level}, resamples={resamples}", allowed="0 < level < 1, at least one resample")
    drawn = statistic(_resampled(_by_group(x, groups), resamples, np.random.default_rng(seed)))
    low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def remark(videos: int) -> str:
    """What a reader must know of intervals from this many videos; empty where there are enough."""
    if videos == 1:
        return "all questions are of one video: intervals resample them, and say nothing about other videos"
    if videos < FEW:
        return f"intervals resample whole videos; {videos} are few, so that they are too narrow"
    return ""


def _by_group(x: Values, groups: Sequence[str] | None) -> Values:
    """What is drawn: the sums of each video's rows (videos, k), or the rows themselves."""
    if groups is None:
        return x
    names, at = np.unique(np.asarray(groups), return_inverse=True)
    if len(names) == 1:
        return x
    return np.stack([np.bincount(at, weights=column, minlength=len(names)) for column in x.T], axis=1)


def _resampled(x: Values, resamples: int, rng: np.random.Generator) -> Values:
    """Sums over as many rows of `x` (m, k) as it has, drawn with replacement: (resamples, k)."""
    rows = max(1, _BLOCK // len(x))
    sums = []
    for done in range(0, resamples, rows):
        drawn = rng.integers(0, len(x), size=(min(rows, resamples - done), len(x)))
        sums.append(np.stack([column[drawn].sum(axis=1) for column in np.ascontiguousarray(x.T)], axis=1))
    return np.concatenate(sums)
