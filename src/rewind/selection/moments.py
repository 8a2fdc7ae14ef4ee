"""Moments: scores over time → stretches with a start, an end and a score, best first; or none, which means *absent*.

The rule, from the best frame down:

1. *Hills.* The highest frame not yet taken is a peak. Its hill reaches to either side up to a deep valley, one below
   `shoulder` × a frame behind it: what rises there is a hill of its own. The hill ends at the valley's floor.
2. *Threshold.* A hill is a moment where its peak reaches `threshold`. Where none does, the thing is absent.
3. *Extent.* A moment reaches from the first to the last frame of its hill that scores at least `shoulder` × its peak.
   It is half-open: it ends at the instant of the next frame, which no longer shows the thing. Where frames are missing
   (broken pictures, gaps), a frame lasts one step and no hill crosses: nothing is said of what was not seen.
4. *Merging.* Moments no further apart than `merge_gap_s` become one.
5. A moment's score is its peak's. Moments never overlap, so there is nothing left to suppress.

The threshold takes no part in drawing hills: raising it can only take moments away.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch

from rewind.errors import ConfigError
from rewind.values import Moment

_ROUNDING = 1e-6
Numbers = torch.Tensor | npt.NDArray[np.floating] | Sequence[float]


def spans(
    scores: Numbers,
    seconds: Numbers,
    *,
    threshold: float = 0.5,
    shoulder: float = 0.5,
    merge_gap_s: float = 0.0,
    end_s: float | None = None,
    step_s: float | None = None,
    limit: int | None = None,
) -> list[Moment]:
    """Moments of a scored video, best first (ties: earlier first); an empty list where the thing is absent.

    Args:
        scores: (T,) in 0–1, the calibrated relevance of each frame.
        seconds: (T,) the frames' instants, strictly rising.
        threshold: what a peak must reach.
        shoulder: 0–1, the share of its peak that a moment's edges must reach; also how deep a valley parts two.
        merge_gap_s: moments this close, or closer, are one. 0 joins those that touch.
        end_s: where the last frame ends; one step after it where not given.
        step_s: how long a frame lasts; the median step where not given (1 s for a single frame).
        limit: how many of the best to give.

    Raises:
        ConfigError: arrays of different length, scores that are not finite, times that do not rise, a shoulder
            outside 0–1.
    """
    s, t = _array(scores), _array(seconds)
    _check(s, t, shoulder, end_s)
    if not len(s):
        return []
    step = step_s or (float(np.median(np.diff(t))) if len(t) > 1 else 1.0)
    gap = np.diff(t) > 1.5 * step
    ends = np.append(np.where(gap, t[:-1] + step, t[1:]), t[-1] + step if end_s is None else end_s)
    pieces = np.split(np.arange(len(t)), np.flatnonzero(gap) + 1)
    found = []
    for rows in pieces:
        piece = s[rows]
        for first, last, peak in sorted(_hills(piece, threshold, shoulder)):
            high = np.flatnonzero(piece[first : last + 1] >= shoulder * piece[peak]) + rows[first]
            found.append((float(t[high[0]]), float(ends[high[-1]]), float(piece[peak])))
    merged: list[tuple[float, float, float]] = []
    for start, end, score in found:
        # Instants are rounded: a gap of just that many steps must not be wider at one time of day than at another.
        if merged and start - merged[-1][1] <= merge_gap_s + _ROUNDING * step:
            before = merged.pop()
            merged.append((before[0], end, max(before[2], score)))
        else:
            merged.append((start, end, score))
    return sorted((Moment(*m) for m in merged), key=lambda m: (-m.score, m.start_s))[:limit]


def _hills(s: npt.NDArray[np.float64], threshold: float, shoulder: float) -> list[tuple[int, int, int]]:
    """(first row, last row, peak row) of every hill whose peak reaches the threshold."""
    taken = np.zeros(len(s) + 2, dtype=bool)  # one past either end, so that a walk stops there
    taken[0] = taken[-1] = True
    hills = []
    for peak in np.argsort(-s, kind="stable"):
        if s[peak] < threshold:
            break
        if not taken[peak + 1]:
            first, last = _walk(s, taken, int(peak), -1, shoulder), _walk(s, taken, int(peak), 1, shoulder)
            taken[first + 1 : last + 2] = True
            hills.append((first, last, int(peak)))
    return hills


def _walk(s: npt.NDArray[np.float64], taken: npt.NDArray[np.bool_], peak: int, step: int, shoulder: float) -> int:
    """The last row of the hill of `peak` towards `step`: the floor of the first deep valley, or its last free row."""
    row = floor = peak
    while not taken[row + step + 1]:
        row += step
        if s[row] < s[floor]:
            floor = row
        elif s[floor] < shoulder * s[row]:
            return floor
    return row


def _array(values: Numbers) -> npt.NDArray[np.float64]:
    if isinstance(values, torch.Tensor):
        values = values.detach().cpu().double().numpy()
    return np.asarray(values, dtype=np.float64)


def _check(s: npt.NDArray[np.float64], t: npt.NDArray[np.float64], shoulder: float, end_s: float | None) -> None:
    if s.ndim != 1 or s.shape != t.shape:
        raise ConfigError(f"scores {s.shape} and seconds {t.shape}", allowed="two arrays of one length")
    if not (np.isfinite(s).all() and np.isfinite(t).all()):
        raise ConfigError("a score or a time that is not finite", allowed="finite numbers")
    if (np.diff(t) <= 0).any():
        raise ConfigError("times that do not rise", allowed="strictly rising seconds")
    if not 0 < shoulder <= 1:
        raise ConfigError(f"shoulder={shoulder}", allowed="above 0, at most 1")
    if end_s is not None and len(t) and end_s <= t[-1]:
        raise ConfigError(f"end_s={end_s}", allowed=f"after the last frame at {t[-1]} s")
