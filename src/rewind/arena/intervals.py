"""How far figures may move with other questions: 95 % bootstrap intervals, and differences question by question.

Every figure is told as the mean of one part a question, so that one bootstrap serves all: means, means over kinds, F1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from rewind.evaluate.bootstrap import interval
from rewind.evaluate.figures import IOUS
from rewind.worlds import KINDS

Line = Mapping[str, Any]
"""One question of one test, as `trial.line` gives it."""
Key = tuple[str, ...]
Parts = dict[Key, float]
"""Of each question its part in a figure; the mean of all parts is the figure."""
OURS = "rewind"
"""The recipe that all others are held against."""


def parts_of(lines: Sequence[Line]) -> dict[str, Parts]:
    """The parts of every figure that one test has questions for: a kind's accuracy by its name, its hits as *hit …*."""
    parts = {"accuracy": _over_kinds(lines), "absent_f1": _absent_f1([x for x in lines if x["kind"] == "find"])}
    overlaps = {_key(x): float(x["iou"]) for x in lines if x.get("iou") is not None}
    parts |= {"mIoU": overlaps, **{f"R@1 IoU {u}": {k: float(v >= u) for k, v in overlaps.items()} for u in IOUS}}
    for kind in (None, *KINDS):
        some = [x for x in lines if kind in (None, x["kind"])]
        parts[f"hit {kind}" if kind else "hit"] = {_key(x): float(x["hit"]) for x in some if x["hit"] is not None}
        if kind:
            parts[kind] = {_key(x): float(x["right"]) for x in some}
    return {name: of for name, of in parts.items() if of}


def interval_of(seeds: Sequence[Parts]) -> list[float] | None:
    """The interval of a figure's mean over seeds, all asked the same questions; None where they were not."""
    mean = _over_seeds(seeds)
    if mean is None:
        return None
    # A part is no probability: where few questions decide, the ends of means over kinds and of F1 may lie outside.
    return [min(1.0, max(0.0, end)) for end in _ends(mean)]


def difference(mine: Mapping[int, Parts], other: Mapping[int, Parts]) -> dict[str, Any] | None:
    """How much a figure is above another recipe's, question by question over the seeds that both have.

    Returns: `mean`, `interval`, `seeds`; None where they were not asked the same.
    """
    both = sorted(mine.keys() & other.keys())
    a, b = _over_seeds([mine[s] for s in both]), _over_seeds([other[s] for s in both])
    if a is None or b is None or a.keys() != b.keys():
        return None
    apart = {key: part - b[key] for key, part in a.items()}
    return {"mean": round(float(np.mean(list(apart.values()))), 4), "interval": _ends(apart), "seeds": both}


def _key(line: Line) -> Key:
    """What tells a question from others, in this test and in any other."""
    return str(line["video"]), str(line["id"]), str(line["question"])


def _over_kinds(lines: Sequence[Line]) -> Parts:
    """Parts of the mean over kinds: what is drawn anew is a kind's questions, never how many each kind has."""
    right: dict[str, list[bool]] = {}
    for line in lines:
        right.setdefault(line["kind"], []).append(line["right"])
    means = {kind: float(np.mean(of)) for kind, of in right.items()}
    whole = float(np.mean(list(means.values()))) if means else 0.0
    weight = {kind: len(lines) / (len(right) * len(of)) for kind, of in right.items()}
    return {_key(x): whole + weight[x["kind"]] * (x["right"] - means[x["kind"]]) for x in lines}


def _absent_f1(finds: Sequence[Line]) -> Parts:
    """Parts of F1 = 2·both / (said + true), to the first order in how often each question is drawn."""
    counted = [(x["called_absent"], not x["present"]) for x in finds]
    said_or_true = max(1, sum(said + true for said, true in counted))
    f1 = 2 * sum(said and true for said, true in counted) / said_or_true
    return {
        _key(x): f1 + len(finds) * (2 * (said and true) - f1 * (said + true)) / said_or_true
        for x, (said, true) in zip(finds, counted, strict=True)
    }


def _over_seeds(seeds: Sequence[Parts]) -> Parts | None:
    if not seeds or any(of.keys() != seeds[0].keys() for of in seeds):
        return None
    return {key: float(np.mean([of[key] for of in seeds])) for key in seeds[0]}


def _ends(parts: Parts) -> list[float]:
    """The interval of the mean of all parts. Counts are asked several to a video: whole videos are drawn."""
    return list(_interval(tuple(video for video, *_ in parts), tuple(parts.values())))


@lru_cache(maxsize=4096)
def _interval(videos: tuple[str, ...], values: tuple[float, ...]) -> tuple[float, float]:
    """Kept, for a report is written anew after every test."""
    low, high = interval(values, groups=videos)
    return round(low, 4), round(high, 4)
