"""MovieChat-1K: open questions on films, of the whole (global) or of a moment (breakpoint), marked by a judge.

Accuracy is the share of the judge's "yes", score the mean of its 0–5. Without a judge only the formats can be checked
and the answers that are the same word for word counted: that figure has its own name, and is none of the benchmark's.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from rewind.errors import ConfigError
from rewind.evaluate.answers import said
from rewind.evaluate.bootstrap import Values
from rewind.evaluate.files import read_any, read_json, repeated_note, shaped
from rewind.evaluate.judge import Ask, Judge, Verdict, judge_all
from rewind.evaluate.result import Result
from rewind.evaluate.video_files import stem_of

_TRUTH = "{id: {question, answer, video}} or MovieChat-1K's objects of info, global and breakpoint"
_PREDICTED = '{id: text} or a list or JSON lines of {"id" or "question_id", "prediction" or "pred": text}'


@dataclass(frozen=True)
class OpenQuestion:
    """One question; `at_s` is set where it is asked during the video: memory may then see nothing later."""

    id: str
    video: str
    question: str
    answer: str
    at_s: float | None = None


def read_moviechat(path: Path) -> list[OpenQuestion]:
    """Questions in the flat form of the released test file, or in MovieChat-1K's objects (a list or a folder too)."""
    files = sorted(path.glob("*.json")) if path.is_dir() else [path]
    questions: list[OpenQuestion] = []
    for file in files:
        with shaped(file, allowed=_TRUTH):
            data = read_json(file)
            objects = data if isinstance(data, list) else [data] if "global" in data else None
            if objects is None:
                questions += [
                    OpenQuestion(str(i), str(r["video"]), r["question"], str(r["answer"])) for i, r in data.items()
                ]
            for item in objects or ():
                questions += _of_object(item)
    if not questions:
        raise ConfigError(f"{path}: no question in it", allowed=_TRUTH)
    return questions


def score_moviechat(
    annotations: Path,
    predictions: Path,
    *,
    judge: Judge | None = None,
    record: Path | None = None,
    ask: Ask | None = None,
) -> Result:
    """`Acc` (×100) and `Score` (0–5) by the judge; without one, `Exact` (×100) and a note that says what it is not.

    Args:
        record: where the judge's replies are kept; beside the predictions where not given.
        ask: in place of the endpoint, for tests.
    """
    questions = read_moviechat(annotations)
    given, again = read_texts(predictions, {q.id for q in questions})
    silent = sum(not given.get(q.id) for q in questions)
    if judge is None:
        same = np.array([_plain(given.get(q.id, "")) == _plain(q.answer) for q in questions], dtype=np.float64)
        note = "Exact is the share of answers that are the same words; the benchmark's figures need a judge (--judge)"
        return _result({"Exact": same}, questions, silent, (note, *again))
    record = record or predictions.with_name(predictions.stem + ".judge.jsonl")
    rows = [
        {"id": q.id, "question": q.question, "answer": q.answer, "prediction": given[q.id]}
        for q in questions
        if given.get(q.id)
    ]
    result = aggregate(questions, judge_all(judge, rows, record, ask=ask))
    named = f"judge {judge.model}, prompt {judge.header['prompt_sha256'][:12]}, replies in {record.name}"
    return replace(result, notes=(named, *again, *result.notes))


def aggregate(questions: list[OpenQuestion], verdicts: list[Verdict]) -> Result:
    """Figures of a judge's verdicts over all questions; what has no answer counts 0 in both.

    So does a reply without its yes or no, or without its score: half a verdict would count in one figure alone.
    """
    whole = {v.id: v for v in verdicts if v.correct is not None and v.score is not None}
    told = [whole.get(q.id) for q in questions]
    right = np.array([bool(v and v.correct) for v in told], dtype=np.float64)
    score = np.array([(v.score or 0.0) if v else 0.0 for v in told])
    unread = len(verdicts) - len(whole)
    notes = []
    if unread:
        lack = "lack a yes or no, or a score of 0 to 5, and count 0 in Acc and Score"
        notes.append(f"{unread} of the judge's replies {lack}")
    warm = sum(v.temperature is None for v in verdicts)
    if warm:
        notes.append(
            f"{warm} of the judge's replies are at its own temperature: it refuses 0, so they may differ again"
        )
    return _result({"Acc": right, "Score": score}, questions, told.count(None), tuple(notes))


def read_texts(path: Path, known: set[str]) -> tuple[dict[str, str], tuple[str, ...]]:
    """Predicted answers by question id, without reasoning, and a note where some are repeated: the last counts.

    Raises: ConfigError where none belongs to a question.
    """
    with shaped(path, allowed=_PREDICTED):
        data = read_any(path)
        rows = data.items() if isinstance(data, Mapping) else ((r.get("id", r.get("question_id")), r) for r in data)
        mine = [(str(name), _text(value)) for name, value in rows if str(name) in known]
    if not mine:
        raise ConfigError(f"{path}: no prediction belongs to a question", allowed=_PREDICTED)
    given = dict(mine)
    return given, repeated_note(len(mine) - len(given))


def _of_object(item: Mapping[str, Any]) -> list[OpenQuestion]:
    info = item["info"]
    name = stem_of(str(info["video_path"]))
    whole = [
        OpenQuestion(f"{name}_g{i}", name, q["question"], str(q["answer"]))
        for i, q in enumerate(item.get("global", ()))
    ]
    return whole + [
        OpenQuestion(f"{name}_b{i}", name, q["question"], str(q["answer"]), float(q["time"]) / float(info["fps"]))
        for i, q in enumerate(item.get("breakpoint", ()))
    ]


def _result(
    figures: Mapping[str, Values], questions: list[OpenQuestion], unparsed: int, notes: tuple[str, ...]
) -> Result:
    """Each figure over all questions, and over each mode where both are asked. `Score` is told as it is, not ×100."""
    during = np.array([q.at_s is not None for q in questions])
    modes = {"-global": ~during, "-breakpoint": during} if during.any() and not during.all() else {}
    items, over = dict[str, Values](), dict[str, npt.NDArray[np.bool_]]()
    for name, values in figures.items():
        items[name] = values
        for mode, mask in modes.items():
            items[name + mode], over[name + mode] = values[mask], mask
    scale = {k: 1.0 for k in items if k.startswith("Score")}
    return Result(items, len(questions), unparsed, scale, notes, [q.video for q in questions], over)


def _text(value: Any) -> str:
    if isinstance(value, Mapping):
        value = value.get("prediction", value.get("pred", value.get("answer", "")))
    return "" if value is None else said(str(value))


def _plain(text: str) -> str:
    return " ".join(re.sub(r"[^\w\s]", " ", text.lower()).split())
