"""Bootstrap confidence intervals: how far a figure may move with another draw of the same number of questions."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from rewind.errors import ConfigError

_BLOCK = 1 << 21  # draws held at once


def interval(
    values: npt.ArrayLike, *, level: float = 0.95, resamples: int = 2000, seed: int = 0
) -> tuple[float, float]:
    """Percentile bootstrap interval of the mean (Efron 1979).

    Args:
        values: (n,), one number a question.
        level: share of resampled means between the two ends.

    Returns: lower and upper end; the same for the same seed.

    Raises:
        ConfigError: no values, or a level outside 0–1.
    """
    x = np.asarray(values, dtype=np.float64)
    if x.ndim != 1 or not len(x):
        raise ConfigError(f"values {x.shape}", allowed="(n,) with n at least 1")
    if not 0 < level < 1 or resamples < 1:
        raise ConfigError(f"level={level}, resamples={resamples}", allowed="0 < level < 1, at least one resample")
    rng = np.random.default_rng(seed)
    rows = max(1, _BLOCK // len(x))
    means = [
        x[rng.integers(0, len(x), size=(min(rows, resamples - done), len(x)))].mean(axis=1)
        for done in range(0, resamples, rows)
    ]
    low, high = np.quantile(np.concatenate(means), [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def interval_of_counts(
    counts: npt.ArrayLike,
    statistic: Callable[[npt.NDArray[np.float64]], npt.NDArray[np.float64]],
    *,
    level: float = 0.95,
    resamples: int = 2000,
    seed: int = 0,
) -> tuple[float, float]:
    """Percentile bootstrap interval of a figure that is worked out from sums, such as F1.

    Args:
        counts: (n, k), k numbers a question.
        statistic: from the sums (resamples, k) over the drawn questions to (resamples,).

    Raises:
        ConfigError: no rows, or a level outside 0–1.
    """
    x = np.asarray(counts, dtype=np.float64)
    if x.ndim != 2 or not len(x):
        raise ConfigError(f"counts {x.shape}", allowed="(n, k) with n at least 1")
    if not 0 < level < 1 or resamples < 1:
        raise ConfigError(f"level={level}, resamples={resamples}", allowed="0 < level < 1, at least one resample")
    rng = np.random.default_rng(seed)
    # How often each question is drawn, in place of the draws: sums of rows are then one product.
    drawn = rng.multinomial(len(x), np.full(len(x), 1 / len(x)), size=resamples)
    low, high = np.quantile(statistic(drawn @ x), [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
