"""A trained recipe put to the test: answers by kind, moments, absence, key frames, tokens and seconds."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from rewind.arena.answer import Videos, answers
from rewind.arena.contenders import Contender
from rewind.arena.questions import chance
from rewind.arena.recipe import Ask, Hints, Recipe
from rewind.evaluate.figures import IOUS
from rewind.evaluate.overlap import cross_iou
from rewind.language.tokenizer import AnswerTokenizer
from rewind.precision import mixed
from rewind.selection.moments import spans
from rewind.text import TextEncoder
from rewind.train.bank import ProjectedBank
from rewind.train.examples import Example, collate
from rewind.worlds import KINDS

_BATCH = 16


@dataclass(frozen=True)
class Bench:
    """What every trial needs: videos, words, and a call between batches that may stop it."""

    bank: ProjectedBank
    text: TextEncoder
    tokenizer: AnswerTokenizer
    device: torch.device
    between: Callable[[], None] = lambda: None


@dataclass(frozen=True)
class Marked:
    """One question: whether the answer was right, the frame scores (T,), whether a key frame was a true one, tokens."""

    example: Example
    right: bool
    scores: npt.NDArray[np.float64]
    hit: bool | None
    tokens: int
    looked: int

    @cached_property
    def overlap(self) -> float:
        """IoU of the best moment with the true one that it fits best; of present things alone."""
        seconds = np.arange(len(self.scores), dtype=np.float64)
        best = spans(self.scores, seconds, threshold=float(self.scores.max()), limit=1)[0]
        truth = np.array(self.example.question.moments, dtype=np.float64)
        return float(cross_iou(np.array([[best.start_s, best.end_s]]), truth).max())

    def called_absent(self, threshold: float) -> bool:
        """Whether no frame scores `threshold`."""
        return bool(self.scores.max() < threshold)


def mark_all(
    recipe: Recipe, examples: Sequence[Example], bench: Bench, *, tokens: int, how: Contender
) -> tuple[list[Marked], float]:
    """Every question marked, and seconds a question; `examples` of one length."""
    recipe.eval()
    marked: list[Marked] = []
    began = time.monotonic()
    for first in range(0, len(examples), _BATCH):
        bench.between()
        some = examples[first : first + _BATCH]
        batch, _ = collate(bench.bank, some, bench.tokenizer, bench.text, bench.device)
        videos = Videos.of(batch)
        ask = Ask(tokens, selector=how.selector)
        if how.shuffled:
            videos = _shuffled(videos, seed=first)
        if how.oracle:
            ask = replace(ask, hints=Hints(videos.relevant.amax(-1), 1.0, torch.Generator().manual_seed(first)))
        with mixed(bench.device):
            given = answers(recipe, videos, ask)
        rows, looked = given.seen.rows, given.seen.entries.rows
        used = given.seen.tokens_used()
        for i, example in enumerate(some):
            true: npt.NDArray[np.bool_] = np.asarray(example.relevant.any(-1))
            hit = None if rows is None or not true.any() else bool(true[rows[i].cpu().numpy()].any())
            frames = len(true) if looked is None else looked.shape[1]
            scores = given.probability[i].double().cpu().numpy()
            marked.append(Marked(example, bool(given.right[i]), scores, hit, int(used[i]), frames))
    return marked, (time.monotonic() - began) / max(1, len(examples))


def seen_from(marked: Sequence[Marked]) -> float:
    """The score from which a thing counts as seen: where the most find questions are told right, present and absent
    weighed alike. To be fitted on scenes that are neither trained nor tested on."""
    best = np.array([m.scores.max() for m in marked])
    there = np.array([bool(m.example.question.moments) for m in marked])
    if not len(best) or there.all() or not there.any():
        return 0.5
    edges = np.unique(best)
    tried = np.concatenate([[edges[0]], (edges[1:] + edges[:-1]) / 2])
    told = [((best >= t) & there).sum() / there.sum() + ((best < t) & ~there).sum() / (~there).sum() for t in tried]
    return float(tried[int(np.argmax(told))])


def figures(marked: Sequence[Marked], *, threshold: float) -> dict[str, Any]:
    """All figures of one test as plain values."""
    by_kind = {kind: [m for m in marked if m.example.question.kind == kind] for kind in KINDS}
    kinds = {
        kind: {
            "n": len(of),
            "accuracy": _mean([m.right for m in of]),
            "chance": round(chance([m.example for m in of]), 4) if of else None,
            "hit": _mean([m.hit for m in of if m.hit is not None]),
        }
        for kind, of in by_kind.items()
    }
    there = [float(k["accuracy"]) for k in kinds.values() if k["accuracy"] is not None]
    finds = by_kind["find"]
    return {
        "n": len(marked),
        "kinds": kinds,
        "accuracy": _mean(there),
        "find": grounding([m for m in finds if m.example.question.moments]),
        "absent_f1": absent_f1(finds, threshold=threshold),
        "hit": _mean([m.hit for m in marked if m.hit is not None]),
        "tokens": _mean([m.tokens for m in marked]),
        "tokens_most": max((m.tokens for m in marked), default=0),
        "frames": _mean([m.looked for m in marked]),
    }


def lines(marked: Sequence[Marked], *, threshold: float) -> list[dict[str, Any]]:
    """A line a question, from which intervals and differences can be worked out later (`rewind.arena.intervals`)."""
    made: list[dict[str, Any]] = []
    for number, m in enumerate(marked):
        asked = m.example.question
        line = {
            "id": f"{asked.kind}-{number:04d}", "kind": asked.kind, "question": m.example.text,
            "video": hashlib.sha256(m.example.rows.tobytes()).hexdigest()[:12], "right": m.right, "hit": m.hit,
        }  # fmt: skip
        if asked.kind == "find":
            iou = m.overlap if asked.moments else None
            line |= {"present": bool(asked.moments), "called_absent": m.called_absent(threshold), "iou": iou}
        made.append(line)
    return made


def grounding(present: Sequence[Marked]) -> dict[str, float | None]:
    """R@1 at three overlaps and mean IoU of the best moment, whether or not it would count as seen."""
    overlaps = [m.overlap for m in present]
    return {**{f"R@1 IoU {u}": _mean([o >= u for o in overlaps]) for u in IOUS}, "mIoU": _mean(overlaps)}


def absent_f1(finds: Sequence[Marked], *, threshold: float) -> float | None:
    """F1 of saying *absent*."""
    if not finds:
        return None
    said = np.array([m.called_absent(threshold) for m in finds])
    true = np.array([not m.example.question.moments for m in finds])
    both = int((said & true).sum())
    return round(2 * both / max(1, int(said.sum() + true.sum())), 4)


def _shuffled(videos: Videos, *, seed: int) -> Videos:
    """Frames of each video in a random order; the truth stays where it was."""
    generator = torch.Generator().manual_seed(seed)
    order = torch.rand(videos.patches.shape[:2], generator=generator).argsort(1).to(videos.patches.device)
    index = order[:, :, None, None].expand_as(videos.patches)
    return replace(videos, patches=torch.gather(videos.patches, 1, index))


def _mean(values: Sequence[float | bool]) -> float | None:
    return round(float(np.mean(values)), 4) if len(values) else None
