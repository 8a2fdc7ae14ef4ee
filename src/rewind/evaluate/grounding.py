"""Grounding: where in the video is what the query says? Charades-STA, ActivityNet Captions, TimeChat's spans.

R1@m is the share of queries whose first predicted stretch overlaps the truth by IoU ≥ m, mIoU the mean IoU, both over
*all* queries: no answer counts 0. TimeChat's evaluator, run on a part of the data, averages over the predicted queries
only; so does `timechat`, with its keys (`IOU 0.3`…).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rewind.errors import ConfigError
from rewind.evaluate.files import read_any, read_json, read_table, read_text, shaped
from rewind.evaluate.overlap import paired_iou
from rewind.evaluate.result import Result
from rewind.language.times import parse_moments, parse_span

THRESHOLDS = (0.3, 0.5, 0.7)
_PREDICTIONS = 'a list or JSON lines of {"id" or "video" and "query", "prediction": text or [start, end]}, or {id: …}'
_STARTS, _ENDS = ("start_s", "start", "start_time"), ("end_s", "end", "end_time")
_ANSWER_KEYS = ("prediction", "pred", "answer", "timestamp", "moments", "span", "pred_relevant_windows", "response")


@dataclass(frozen=True)
class Query:
    """One query: `id` as the benchmark counts it, the video's name without suffix, [start_s, end_s) of the truth."""

    id: str
    video: str
    text: str
    start_s: float
    end_s: float
    duration_s: float | None = None


def read_charades(path: Path) -> list[Query]:
    """Charades-STA: ``video start end##query`` a line; ids are line numbers from 0.

    Durations come from the `Charades_v1_*.csv` of the same folder, where there is one.
    """
    lengths: dict[str, float] = {}
    for table in sorted(path.parent.glob("Charades_v1_*.csv")):
        with shaped(table, allowed="rows with an id and a length in seconds"):
            rows = read_table(table, columns=("id", "length"))
            lengths.update({r["id"]: float(r["length"]) for r in rows if r["length"]})
    queries = []
    for number, line in enumerate(read_text(path).split("\n")):
        if not line.strip():
            continue
        with shaped(path, allowed="lines of: video start end##query"):
            head, mark, words = line.partition("##")
            if not mark:
                raise ConfigError(f"{path} line {number + 1}: no ##", allowed="lines of: video start end##query")
            video, start, end = head.split()
            queries.append(Query(str(number), video, words.strip(), float(start), float(end), lengths.get(video)))
    return _some(queries, path)


def read_activitynet(path: Path) -> list[Query]:
    """ActivityNet Captions: {video: {duration, timestamps, sentences}}; ids are ``video_number`` from 0."""
    with shaped(path, allowed="{video: {duration, timestamps, sentences}}"):
        return _some(
            [
                Query(f"{video}_{i}", video, words.strip(), float(start), float(end), float(row["duration"]))
                for video, row in read_json(path).items()
                for i, ((start, end), words) in enumerate(zip(row["timestamps"], row["sentences"], strict=True))
            ],
            path,
        )


def read_timechat(path: Path) -> list[Query]:
    """TimeChat's form of Charades-STA: {annotations: [{image_id, caption, timestamp, id}]}."""
    with shaped(path, allowed="{annotations: [{image_id, caption, timestamp: [start, end], id}]}"):
        return _some(
            [
                Query(
                    str(r["id"]), _stem(r["image_id"]), r["caption"], float(r["timestamp"][0]), float(r["timestamp"][1])
                )
                for r in read_json(path)["annotations"]
            ],
            path,
        )


def score_grounding(queries: list[Query], predictions: Path) -> Result:
    """R1@0.3, R1@0.5, R1@0.7 and mIoU over all queries."""
    answers = read_answers(predictions, queries)
    iou, unparsed, notes = _ious(queries, answers)
    items = {f"R1@{m}": (iou >= m).astype(np.float64) for m in THRESHOLDS}
    return Result({**items, "mIoU": iou}, len(queries), unparsed, notes=notes)


def score_timechat(queries: list[Query], predictions: Path) -> Result:
    """TimeChat's figures over the predicted queries only; an empty prediction misses."""
    answers = read_answers(predictions, queries)
    asked = [q for q in queries if q.id in answers]
    iou, unparsed, notes = _ious(asked, answers)
    items = {f"IOU {m}": (iou >= m).astype(np.float64) for m in THRESHOLDS}
    if len(asked) < len(queries):
        left = "have a prediction; the others are left out, as TimeChat leaves them"
        notes = (f"{len(asked)} of {len(queries)} queries {left}", *notes)
    return Result(items, len(asked), unparsed, notes=notes)


def read_answers(path: Path, queries: Iterable[Query]) -> dict[str, Any]:
    """The raw answer to each query, by the query's id.

    A prediction is matched by its id where it names one of the benchmark's, else by video and query words. Raises:
    ConfigError where none of the predictions belongs to a query.
    """
    queries = list(queries)
    ids = {q.id: q for q in queries}
    words: dict[tuple[str, str], list[str]] = {}
    for q in queries:
        words.setdefault((q.video, _plain(q.text)), []).append(q.id)
    answers: dict[str, Any] = {}
    rows = 0
    with shaped(path, allowed=_PREDICTIONS):
        for name, row in _rows(read_any(path)):
            rows += 1
            video = _stem(str(row.get("video", row.get("vid", row.get("image_id", "")))))
            text = _plain(str(row.get("query", row.get("sentence", row.get("caption", "")))))
            answer = next((row[k] for k in _ANSWER_KEYS if k in row), None)
            if name in ids and (not video or ids[name].video == video) and (not text or _plain(ids[name].text) == text):
                answers[name] = answer
            for other in words.get((video, text), ()):
                answers.setdefault(other, answer)
    if not answers:
        raise ConfigError(
            f"{path}: none of {rows} predictions belongs to a query of the annotations", allowed=_PREDICTIONS
        )
    return answers


def span_of(answer: Any, *, duration_s: float | None) -> tuple[float, float] | None:
    """The first stretch of an answer, in seconds; an instant has its end at its start.

    Args:
        answer: text, [start, end], {start, end} (`start_s`, `start_time`, …), or a list of those. An end of a pair is a
            number of seconds or the text of one time ("12.5", "00:12", "12 s"); texts that tell more are a list.
        duration_s: of the video; without it percentages say nothing.

    Returns: None for no stretch, or one that runs backwards or has no end.
    """
    if isinstance(answer, str):
        span = parse_span(answer, duration_s=duration_s)
        return None if span is None else _forwards(*span)
    if isinstance(answer, Mapping):
        pair = [next((answer[k] for k in keys if k in answer), None) for keys in (_STARTS, _ENDS)]
        return _forwards(*(_time(end, duration_s) for end in pair))
    if not isinstance(answer, list | tuple) or not answer:
        return None
    ends = [_time(end, duration_s) for end in answer[:2]]
    if len(ends) == 2 and None not in ends:
        return _forwards(*ends)
    return span_of(answer[0], duration_s=duration_s) if isinstance(answer[0], list | tuple | Mapping | str) else None


def _time(end: Any, duration_s: float | None) -> float | None:
    """One end of a pair in seconds; None for what is not one time, two times in one text included."""
    if isinstance(end, bool) or not isinstance(end, int | float | str):
        return None
    try:
        return float(end)
    except OverflowError:  # an integer of hundreds of digits
        return None
    except ValueError:
        told = parse_moments(str(end), duration_s=duration_s) or ()
        return told[0][0] if len(told) == 1 and told[0][0] == told[0][1] else None


def _forwards(start: float | None, end: float | None) -> tuple[float, float] | None:
    if start is None or end is None or not np.isfinite([start, end]).all() or end < start:
        return None
    return start, end


def _ious(
    queries: list[Query], answers: Mapping[str, Any]
) -> tuple[np.ndarray[Any, np.dtype[np.float64]], int, tuple[str, ...]]:
    """IoU of each query (n,), how many have no answer that can be read, and a note where answers are instants."""
    spans = [span_of(answers.get(q.id), duration_s=q.duration_s) for q in queries]
    told = [s for s in spans if s is not None]
    predicted = np.array([s or (0.0, 0.0) for s in spans], dtype=np.float64).reshape(-1, 2)
    truth = np.array([(q.start_s, q.end_s) for q in queries], dtype=np.float64).reshape(-1, 2)
    iou = paired_iou(predicted, truth)
    iou[[s is None for s in spans]] = 0.0
    instants = sum(start == end for start, end in told)
    note = f"{instants} of {len(told)} answers tell an instant only, which overlaps nothing"
    return iou, len(spans) - len(told), (note,) if instants else ()


def _rows(data: Any) -> Iterable[tuple[str, Mapping[str, Any]]]:
    """(id or "", row) of every prediction of any form."""
    if isinstance(data, Mapping):
        for name, value in data.items():
            yield str(name), value if isinstance(value, Mapping) else {"prediction": value}
        return
    for row in data:
        yield str(row.get("id", row.get("qid", row.get("query_id", "")))), row


def _stem(video: str) -> str:
    return Path(video).stem if video.lower().endswith((".mp4", ".mkv", ".webm", ".avi", ".mov")) else video


def _plain(text: str) -> str:
    return " ".join(text.lower().split()).rstrip(" .")


def _some(queries: list[Query], path: Path) -> list[Query]:
    if not queries:
        raise ConfigError(f"{path}: no query in it", allowed="at least one")
    return queries
