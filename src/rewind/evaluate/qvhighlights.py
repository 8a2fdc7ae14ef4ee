"""QVHighlights: moment retrieval (MR) and highlight detection (HL), the figures of Lei et al. 2021's evaluator.

MR: mAP over IoU 0.5:0.05:0.95 with the 10 first windows of a query, R1 of the first window against the truth's window
that it overlaps most; over all queries ("full") and those whose truth has windows of ≤ 10 s ("short"), 10–30 s
("middle") and > 30 s ("long"). HL: average precision and hit rate of 2-second clips at three levels of agreed saliency,
for each of the three annotators.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from rewind.errors import ConfigError
from rewind.evaluate.bootstrap import Values
from rewind.evaluate.files import read_lines, shaped
from rewind.evaluate.overlap import cross_iou
from rewind.evaluate.result import Result, Which

AP_THRESHOLDS = tuple(round(0.5 + 0.05 * i, 2) for i in range(10))
R1_THRESHOLDS = (0.3, 0.5, 0.7)
RANGES = {"short": (0.0, 10.0), "middle": (10.0, 30.0), "long": (30.0, 150.0)}
LEVELS = {"Fair": 2, "Good": 3, "VeryGood": 4}
CLIP_S = 2
WINDOWS = 10
_TRUTH = "JSON lines of {qid, duration, relevant_windows, relevant_clip_ids, saliency_scores}"
_PREDICTED = "JSON lines of {qid, pred_relevant_windows: [[start, end, score]], pred_saliency_scores}"


def score_qvhighlights(annotations: Path, predictions: Path) -> Result:
    """All figures of a predictions file, under the official evaluator's keys.

    Raises:
        ConfigError: a file of another shape, annotations without the labels that the predictions need, a score that is
            no finite number, or predictions for other queries than the annotated ones (the official evaluator refuses
            those too: a part of the data gives another number).
    """
    truth = _rows(annotations, allowed=_TRUTH)
    predicted = _rows(predictions, allowed=_PREDICTED)
    if truth.keys() != predicted.keys():
        raise ConfigError(
            f"{predictions}: {len(predicted.keys() - truth.keys())} queries that are not annotated, "
            f"{len(truth.keys() - predicted.keys())} annotated ones missing",
            allowed="one prediction for each annotated query",
        )
    items: dict[str, Values] = {}
    over: dict[str, Which] = {}
    silent = 0
    has = {key: any(key in p for p in predicted.values()) for key in ("pred_relevant_windows", "pred_saliency_scores")}
    if not any(has.values()):
        raise ConfigError(f"{predictions}: neither windows nor saliency scores", allowed=_PREDICTED)
    if has["pred_relevant_windows"]:
        spans = _each(annotations, truth, _spans, allowed=_TRUTH)
        windows = _each(predictions, predicted, _windows, allowed=_PREDICTED)
        silent = sum(not len(w) for w in windows.values())
        items, over = _moments([(windows[qid], spans[qid]) for qid in predicted])
    if has["pred_saliency_scores"]:
        saliency = _each(annotations, truth, _saliency, allowed=_TRUTH)
        scores = _each(predictions, predicted, _scores, allowed=_PREDICTED)
        items.update(_highlights([(scores[qid], saliency[qid]) for qid in predicted]))
    videos = [str(truth[qid]["vid"]) for qid in predicted] if all("vid" in row for row in truth.values()) else None
    return Result(items, len(predicted), silent, videos=videos, over=over)


def check_truth(path: Path) -> None:
    """Read all that scoring will need. Raises: ConfigError for annotations without labels, as the test release is."""
    truth = _rows(path, allowed=_TRUTH)
    for read in (_spans, _saliency):
        _each(path, truth, read, allowed=_TRUTH)


def _moments(rows: list[tuple[Values, Values]]) -> tuple[dict[str, Values], dict[str, Which]]:
    """MR figures of (predicted windows (n, 3), true windows (m, 2)) a query; which queries those of a part are over."""
    full = np.stack([average_precisions(p, t) for p, t in rows])
    iou = np.array([_first_iou(p, t) for p, t in rows])
    items = {f"MR-full-R1@{m}": (iou >= m).astype(np.float64) for m in R1_THRESHOLDS}
    items["MR-full-mAP"] = full.mean(axis=1)
    for m in (0.5, 0.75):
        items[f"MR-full-mAP@{m}"] = full[:, AP_THRESHOLDS.index(m)]
    items["MR-full-mIoU"] = iou
    over: dict[str, Which] = {}
    for name, (low, high) in RANGES.items():
        lengths = [t[:, 1] - t[:, 0] for _, t in rows]
        kept = [(p, t[(s > low) & (s <= high)]) for (p, t), s in zip(rows, lengths, strict=True)]
        part = [average_precisions(p, t).mean() for p, t in kept if len(t)]
        if part:
            items[f"MR-{name}-mAP"] = np.array(part)
            over[f"MR-{name}-mAP"] = np.array([len(t) > 0 for _, t in kept])
    return items, over


def average_precisions(predicted: Values, truth: Values) -> Values:
    """Interpolated average precision at each of `AP_THRESHOLDS` (10,) of windows with scores (n, 3) against (m, 2).

    Best score first, each window takes the true window that it overlaps most and that no better one has taken.
    """
    if not len(predicted) or not len(truth):
        return np.zeros(len(AP_THRESHOLDS))
    ordered = predicted[np.argsort(-predicted[:, 2], kind="stable")]
    iou = _detection_iou(ordered[:, :2], truth)
    preference = np.argsort(iou, axis=1)[:, ::-1]
    choices = [[(float(row[t]), int(t)) for t in order] for row, order in zip(iou, preference, strict=True)]
    hit = np.array([_hits(choices, threshold) for threshold in AP_THRESHOLDS])
    precision = hit.cumsum(axis=1) / np.arange(1, hit.shape[1] + 1)
    best = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
    return (best * hit).sum(axis=1) / len(truth)  # type: ignore[no-any-return]


def _detection_iou(a: Values, b: Values) -> Values:
    """IoU (n, m) with the union as lengths less what is shared, as the official evaluator has it for mAP alone: for R1
    it goes from first start to last end. The two can round to either side of a threshold."""
    shared = np.minimum(a[:, None, 1], b[None, :, 1]) - np.maximum(a[:, None, 0], b[None, :, 0])
    shared = shared.clip(min=0)
    union = (a[:, 1] - a[:, 0])[:, None] + (b[:, 1] - b[:, 0])[None, :] - shared
    out: Values = np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)
    return out


def _hits(choices: list[list[tuple[float, int]]], threshold: float) -> list[float]:
    """1 for each window that finds a free true one: `choices` has (IoU, true window) a window, best first."""
    taken: set[int] = set()
    hits = []
    for wanted in choices:
        free = next((t for iou, t in wanted if iou >= threshold and t not in taken), None)
        hits.append(0.0 if free is None else 1.0)
        if free is not None:
            taken.add(free)
    return hits


def _first_iou(predicted: Values, truth: Values) -> float:
    if not len(predicted) or not len(truth):
        return 0.0
    return float(cross_iou(predicted[:1, :2], truth).max())


def _highlights(rows: list[tuple[Values, Values]]) -> dict[str, Values]:
    """HL figures of (predicted scores of clips (any,), annotators' saliency (clips, 3)) a query."""
    items = {f"HL-min-{name}-{figure}": np.zeros(len(rows)) for name in LEVELS for figure in ("mAP", "Hit1")}
    for clips in {len(saliency) for _, saliency in rows}:  # queries of one length at once
        at = np.array([i for i, (_, saliency) in enumerate(rows) if len(saliency) == clips])
        saliency = np.stack([rows[i][1] for i in at])
        scores = np.zeros((len(at), clips))
        for fitted, i in zip(scores, at, strict=True):
            fitted[: len(rows[i][0])] = rows[i][0][:clips]
        # The best clip is looked for among all that were predicted, those past the annotated end included.
        best = np.array([int(np.argmax(rows[i][0])) if len(rows[i][0]) else clips for i in at])
        inside = best < clips
        for name, least in LEVELS.items():
            positive = saliency >= least
            annotators = [clip_precision(positive[..., a], scores) for a in range(positive.shape[2])]
            items[f"HL-min-{name}-mAP"][at] = np.mean(annotators, axis=0)
            hit = positive[np.arange(len(at)), np.where(inside, best, 0)].any(axis=1)
            items[f"HL-min-{name}-Hit1"][at] = hit & inside
    return items


def clip_precision(positive: npt.NDArray[np.bool_], scores: Values) -> Values:
    """Average precision of clips, each row a query: (n, clips), (n, clips) → (n,).

    As the official evaluator has it: the mean, over the recalls that the thresholds reach, of the best precision at
    that recall or a higher one; 0 with no positive clip and 1 with no other.
    """
    order = np.argsort(-scores, axis=1, kind="stable")
    ranked = np.take_along_axis(scores, order, axis=1)
    last = np.ones(scores.shape, dtype=bool)  # equal scores are one threshold, reached at the last of them
    last[:, :-1] = ranked[:, :-1] != ranked[:, 1:]
    hits = np.where(last, np.take_along_axis(positive, order, axis=1).cumsum(axis=1), 0)
    precision = hits / np.arange(1, scores.shape[1] + 1)
    best = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
    before = np.zeros_like(hits)
    before[:, 1:] = np.maximum.accumulate(hits, axis=1)[:, :-1]
    reached = hits > before
    mean = (best * reached).sum(axis=1) / np.maximum(reached.sum(axis=1), 1)
    return np.where(positive.all(axis=1), 1.0, mean)


def _rows(path: Path, *, allowed: str) -> dict[Any, dict[str, Any]]:
    with shaped(path, allowed=allowed):
        rows = read_lines(path)
        named = {row["qid"]: row for row in rows}
    if len(named) < len(rows):
        # The official evaluator pools their windows for mAP and takes one of them for all else.
        raise ConfigError(f"{path}: {len(rows) - len(named)} queries stand in it twice", allowed="a row for each query")
    return named


def _each(
    path: Path, rows: dict[Any, dict[str, Any]], read: Callable[[dict[str, Any]], Values], *, allowed: str
) -> dict[Any, Values]:
    """What `read` finds in each row, by query; a fault in it is one of this file. Raises: ConfigError."""
    found = {}
    with shaped(path, allowed=allowed):
        for qid, row in rows.items():
            found[qid] = read(row)
            if not np.isfinite(found[qid]).all():
                raise ConfigError(f"{path}: query {qid} has a number that is not finite", allowed=allowed)
    return found


def _windows(row: dict[str, Any]) -> Values:
    """Predicted windows as (n, 3): start, end, score. Without scores their order ranks them."""
    windows = (row.get("pred_relevant_windows") or [])[:WINDOWS]
    return np.array([[w[0], w[1], w[2] if len(w) > 2 else -i] for i, w in enumerate(windows)], dtype=float).reshape(
        -1, 3
    )


def _scores(row: dict[str, Any]) -> Values:
    """Predicted saliency of clips (n,)."""
    scores = np.array(row.get("pred_saliency_scores") or [], dtype=np.float64)
    if scores.ndim != 1:
        raise ValueError(f"query {row['qid']} has not one saliency score a clip")
    return scores


def _spans(row: dict[str, Any]) -> Values:
    """True windows (n, 2)."""
    return np.array(row["relevant_windows"], dtype=np.float64).reshape(-1, 2)


def _saliency(row: dict[str, Any]) -> Values:
    """What the three annotators gave each clip of 2 seconds (clips, 3); 0 for those outside the true windows."""
    full = np.zeros((int(row["duration"] / CLIP_S), 3))
    full[np.array(row["relevant_clip_ids"], dtype=int)] = np.array(row["saliency_scores"])
    return full
