"""Figures: a value, how many questions and videos it rests on, its 95 % bootstrap interval; from marked questions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from rewind.evaluate.bootstrap import interval, interval_of_counts
from rewind.evaluate.marks import Record, Spans, best_iou
from rewind.worlds import KINDS

IOUS = (0.3, 0.5, 0.7)
TOKENS = ("memory_stored", "memory_shown", "detail", "instruction", "total")


@dataclass(frozen=True)
class Figure:
    """`value` over `n` questions of `videos` with its interval; None for value and interval where no question is.

    `videos` is None where it is not known which question is of which.
    """

    value: float | None
    n: int
    videos: int | None
    interval_95: tuple[float, float] | None

    def to_json(self) -> dict[str, Any]:
        ends = None if self.interval_95 is None else list(self.interval_95)
        return {"value": self.value, "n": self.n, "videos": self.videos, "interval_95": ends}


def mean(values: Iterable[float | bool | None], *, groups: Sequence[str] | None = None, seed: int = 0) -> Figure:
    """The mean of what is there; None is no value. `groups` is the video of each, for the interval."""
    given = list(values)
    kept = [i for i, v in enumerate(given) if v is not None]
    there, of = np.array([given[i] for i in kept], dtype=np.float64), _part(groups, kept)
    videos = None if of is None else len(set(of))
    if not len(there):
        return Figure(None, 0, videos, None)
    low, high = interval(there, groups=of, seed=seed)
    return Figure(round(float(there.mean()), 4), len(there), videos, (round(low, 4), round(high, 4)))


def absence(
    said: Sequence[bool], true: Sequence[bool], *, groups: Sequence[str] | None = None, seed: int = 0
) -> dict[str, Any]:
    """F1, precision and recall of saying *absent*: `said` against `true`, one of each a question."""
    videos = None if groups is None else len(set(groups))
    if not said:
        return {name: Figure(None, 0, videos, None).to_json() for name in ("f1", "precision", "recall")}
    s, t = np.array(said, dtype=bool), np.array(true, dtype=bool)
    counts = np.stack([s & t, s & ~t, ~s & t], axis=1).astype(np.float64)
    low, high = interval_of_counts(counts, _f1, groups=groups, seed=seed)
    f1 = Figure(round(float(_f1(counts.sum(0)[None])[0]), 4), len(s), videos, (round(low, 4), round(high, 4)))
    return {
        "f1": f1.to_json(),
        "precision": mean(t[s], groups=_part(groups, np.flatnonzero(s)), seed=seed).to_json(),
        "recall": mean(s[t], groups=_part(groups, np.flatnonzero(t)), seed=seed).to_json(),
    }


def grounding(
    pairs: Sequence[tuple[Spans, Spans]], *, groups: Sequence[str] | None = None, seed: int = 0
) -> dict[str, Any]:
    """R@1 at three overlaps and mean IoU of (predicted, true) stretches, best first; nothing predicted counts 0."""
    ious = [best_iou(predicted, truth) for predicted, truth in pairs]
    figures = {f"R@1 IoU {m}": mean([iou >= m for iou in ious], groups=groups, seed=seed).to_json() for m in IOUS}
    return {**figures, "mIoU": mean(ious, groups=groups, seed=seed).to_json()}


def summarise(records: Sequence[Record], control: Mapping[str, bool]) -> dict[str, Any]:
    """All figures of the marked questions; `control` says by id what the question-only model gets right."""
    kinds = {kind: [r for r in records if r.kind == kind] for kind in KINDS}
    finds = [r for r in records if r.kind == "find"]
    present = [r for r in finds if not r.absent]
    either = [r for r in records if r.kind in ("find", "exists")]
    where = _videos(present)
    return {
        "questions": len(records),
        "kinds": {kind: _of_kind(found, control) for kind, found in kinds.items()},
        "all": _of_kind(records, control),
        "find": grounding([(r.found or (), r.moments) for r in present], groups=where),
        "find_by_question": grounding([(r.told, r.moments) for r in present], groups=where),
        "absent": {
            "find": absence([not r.found for r in finds], [r.absent for r in finds], groups=_videos(finds)),
            "ask": absence([_denied(r) for r in either], [r.absent for r in either], groups=_videos(either)),
        },
        "tokens": {
            **{n: mean([r.tokens[n] for r in records], groups=_videos(records)).to_json() for n in TOKENS},
            "budget": max((r.tokens["budget"] for r in records), default=None),
        },
        "answered_by": {s: sum(r.source == s for r in records) for s in ("decoder", "concepts", "none")},
    }


def _of_kind(records: Sequence[Record], control: Mapping[str, bool]) -> dict[str, Any]:
    chance, videos = [r.chance for r in records], _videos(records)
    return {
        "n": len(records),
        "decoder": mean((r.decoder_right for r in records), groups=videos).to_json(),
        "said": mean((r.said_right for r in records), groups=videos).to_json(),
        "question_only": mean((control.get(r.id) for r in records), groups=videos).to_json(),
        "chance": round(float(np.mean(chance)), 4) if chance else None,
        "hit": mean((r.hit for r in records), groups=videos).to_json(),
        "hit_evenly_spaced": mean((r.even_hit for r in records), groups=videos).to_json(),
    }


def _videos(records: Sequence[Record]) -> list[str]:
    """The video of each question: a record's id is ``seed-number``, a world each seed."""
    return [r.id.partition("-")[0] for r in records]


def _part(groups: Sequence[str] | None, kept: Iterable[int]) -> list[str] | None:
    return None if groups is None else [groups[i] for i in kept]


def _denied(r: Record) -> bool:
    return r.said_absent or (r.kind == "exists" and r.source == "decoder" and r.said.lower().rstrip(".") == "no")


def _f1(sums: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """(…, 3) of both, said only, true only → F1; 0 where none is said or true."""
    both, said, true = sums[:, 0], sums[:, 1], sums[:, 2]
    total = 2 * both + said + true
    return np.divide(2 * both, total, out=np.zeros(len(sums)), where=total > 0)
