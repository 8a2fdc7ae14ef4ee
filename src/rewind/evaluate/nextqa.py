"""NExT-QA and NExT-GQA: five-way multiple choice by kind of question, and the answer with the stretch that shows it."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rewind.errors import ConfigError
from rewind.evaluate.choices import choice_of
from rewind.evaluate.files import read_any, read_json, read_table, repeated_note, shaped
from rewind.evaluate.grounding import PERCENT
from rewind.evaluate.result import Result
from rewind.evaluate.spans import span_of
from rewind.language.times import Bare

# The official names of the kinds; questions about what came before (TP) and after (TN) are one kind.
KINDS = {"CW": "Why", "CH": "How", "TN": "Bef&Aft", "TC": "When", "DC": "Cnt", "DL": "Loc", "DO": "Other"}
FAMILIES = {"C": "Acc_C", "T": "Acc_T", "D": "Acc_D"}
_CHOICES = ("a0", "a1", "a2", "a3", "a4")
_PREDICTED = '{video_qid: {"prediction": 0–4, a letter A–E or the option\'s words}}'
_GROUNDED = '{video_qid: [start, end]} or {video_qid: {"span": [start, end] or text, "prediction": 0–4}}'


@dataclass(frozen=True)
class Choice:
    """One multiple-choice question: `id` is ``video_qid``, `kind` one of `KINDS`, `answer` the right option."""

    id: str
    kind: str
    question: str
    options: tuple[str, ...]
    answer: int

    @property
    def video(self) -> str:
        return self.id.rpartition("_")[0]


def read_choices(path: Path) -> list[Choice]:
    """The CSV of NExT-QA (`video`, answer by number) or NExT-GQA (`video_id`, answer in words)."""
    rows = read_table(path, columns=("question", "answer", "qid", "type", *_CHOICES))
    allowed = "rows of NExT-QA or NExT-GQA"
    with shaped(path, allowed=allowed):
        questions = []
        for row in rows:
            options = tuple(row[c] for c in _CHOICES)
            kind = "TN" if row["type"] == "TP" else row["type"]
            answer = int(row["answer"]) if re.fullmatch(r"[0-4]", row["answer"]) else options.index(row["answer"])
            if kind not in KINDS:
                raise ConfigError(f"{path}: type {row['type']!r}", allowed=", ".join((*KINDS, "TP")))
            video = row["video"] if "video" in row else row["video_id"]
            questions.append(Choice(f"{video}_{row['qid']}", kind, row["question"], options, answer))
    if not questions:
        raise ConfigError(f"{path}: no question in it", allowed=allowed)
    return questions


def score_nextqa(annotations: Path, predictions: Path) -> Result:
    """Accuracy by kind (`Why`…), by family (`Acc_C`, `Acc_T`, `Acc_D`) and over all (`Acc`). No answer is wrong."""
    questions = read_choices(annotations)
    given, again = _by_id(predictions, {q.id for q in questions}, allowed=_PREDICTED)
    with shaped(predictions, allowed=_PREDICTED):
        picks = [choice_of(_prediction(given.get(q.id)), q.options) for q in questions]
    right = np.array([pick == q.answer for pick, q in zip(picks, questions, strict=True)], dtype=np.float64)
    kinds = np.array([q.kind for q in questions])
    over = {name: kinds == kind for kind, name in KINDS.items()}
    over.update({name: np.array([k[0] == family for k in kinds]) for family, name in FAMILIES.items()})
    over = {name: mask for name, mask in over.items() if mask.any()}
    items = {**{name: right[mask] for name, mask in over.items()}, "Acc": right}
    videos = [q.video for q in questions]
    return Result(items, len(questions), sum(p is None for p in picks), notes=again, videos=videos, over=over)


def score_nextgqa(annotations: Path, predictions: Path, *, bare: Bare = "seconds") -> Result:
    """Overlap with the stretches that show the answer, and Acc@GQA: answered right with IoP ≥ 0.5.

    IoP is the share of the predicted stretch that lies inside a true one. Every annotated question counts: the official
    evaluator leaves out those without a prediction, so the figures agree where all are predicted.

    Args:
        annotations: `gsub_*.json`; the questions' CSV is looked for beside it (`val.csv` for `gsub_val.json`).
        predictions: stretches, with answers where Acc@GQA is wanted.
        bare: what predicted numbers without a unit are.
    """
    truth: dict[str, tuple[list[list[float]], float]] = {}
    videos: list[str] = []
    with shaped(annotations, allowed="{video: {duration, location: {qid: [[start, end], …]}}}"):
        for video, row in read_json(annotations).items():
            for qid, stretches in row["location"].items():
                truth[f"{video}_{qid}"] = ([_stretch(*ends) for ends in stretches], float(row["duration"]))
                if not stretches:
                    raise ConfigError(f"{annotations}: {video}_{qid} is true at no time", allowed="a stretch or more")
                videos.append(video)
    given, again = _by_id(predictions, set(truth), allowed=_GROUNDED)
    table = annotations.with_name(annotations.stem.removeprefix("gsub_") + ".csv")
    questions = {q.id: q for q in read_choices(table)} if table.is_file() else {}
    iou, iop, right, silent, answered = [], [], [], 0, False
    with shaped(predictions, allowed=_GROUNDED):
        for name, (stretches, duration_s) in truth.items():
            value = given.get(name)
            row = value if isinstance(value, Mapping) else {"span": value}
            told = next((row[k] for k in ("span", "timestamp", "moments") if k in row), None)
            span = span_of(told, duration_s=duration_s, bare=bare)
            overlaps = [overlap(stretch, span) for stretch in stretches] if span else [(0.0, 0.0)]
            silent += span is None
            iou.append(max(o[0] for o in overlaps))
            iop.append(max(o[1] for o in overlaps))
            right.append(_is_right(row, questions.get(name)))
            answered = answered or "prediction" in row
    values_iou, values_iop = np.array(iou), np.array(iop)
    items = {"mIoP": values_iop, "mIoU": values_iou}
    for m in (0.3, 0.5):
        items[f"IoP@{m}"] = (values_iop >= m).astype(np.float64)
        items[f"IoU@{m}"] = (values_iou >= m).astype(np.float64)
    if answered:
        items["Acc@GQA"] = (values_iop >= 0.5) * np.array(right, dtype=np.float64)
    missing = len(truth.keys() - given.keys())
    note = f"{missing} questions without a prediction count 0; the official evaluator leaves them out"
    notes = again + ((note,) if missing else ()) + ((PERCENT,) if bare == "percent" else ())
    return Result(items, len(truth), silent, notes=notes, videos=videos)


def _stretch(start: float, end: float) -> list[float]:
    """Raises: ValueError for ends that are no finite numbers."""
    if not math.isfinite(float(start) + float(end)):
        raise ValueError(f"{start} to {end} is no stretch")
    return [float(start), float(end)]


def overlap(truth: list[float], span: tuple[float, float]) -> tuple[float, float]:
    """IoU and IoP of a predicted stretch; an instant inside the truth has IoU 0 and IoP 1."""
    start, end = span
    if start == end:
        return 0.0, float(truth[0] <= start <= truth[1])
    shared = max(0.0, min(truth[1], end) - max(truth[0], start))
    union = max(truth[1], end) - min(truth[0], start)
    return shared / union if union > 0 else 0.0, shared / (end - start) if end > start else 0.0


def _is_right(row: Mapping[str, Any], question: Choice | None) -> bool:
    if question is not None:
        return choice_of(row.get("prediction"), question.options) == question.answer
    return row.get("prediction") is not None and row.get("prediction") == row.get("answer")


def _prediction(value: Any) -> Any:
    return value.get("prediction", value.get("pred")) if isinstance(value, Mapping) else value


def _by_id(path: Path, known: set[str], *, allowed: str) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Predictions by question, and a note where some are repeated; a list has `id` in each row.

    Raises: ConfigError where none is known.
    """
    with shaped(path, allowed=allowed):
        data = read_any(path)
        rows = [*data.items()] if isinstance(data, Mapping) else [(row["id"], row) for row in data]
        mine = [(str(name), value) for name, value in rows if str(name) in known]
    if not mine:
        raise ConfigError(f"{path}: none of {len(rows)} predictions belongs to a question", allowed=allowed)
    given = dict(mine)
    return given, repeated_note(len(mine) - len(given))
