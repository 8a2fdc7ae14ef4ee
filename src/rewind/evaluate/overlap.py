"""How much two stretches of time share: intersection over union, the base of every grounding figure."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Spans = npt.NDArray[np.float64]


def paired_iou(a: Spans, b: Spans) -> Spans:
    """IoU of stretches row by row: (n, 2), (n, 2) → (n,). 0 for those that do not meet or have no length.

    The union is taken from the first start to the last end, as the official evaluators take it (but for
    QVHighlights' mAP): the same wherever two stretches meet.
    """
    shared = np.minimum(a[:, 1], b[:, 1]) - np.maximum(a[:, 0], b[:, 0])
    union = np.maximum(a[:, 1], b[:, 1]) - np.minimum(a[:, 0], b[:, 0])
    out: Spans = np.divide(shared.clip(min=0), union, out=np.zeros(len(a)), where=union > 0)
    return out


def cross_iou(a: Spans, b: Spans) -> Spans:
    """IoU of every stretch of `a` (n, 2) with every one of `b` (m, 2): (n, m)."""
    n, m = len(a), len(b)
    return paired_iou(np.repeat(a, m, axis=0), np.tile(b, (n, 1))).reshape(n, m)
