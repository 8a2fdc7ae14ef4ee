"""Grounding: where in the video is what the query says? Charades-STA, ActivityNet Captions, TimeChat's spans.

R1@m is the share of queries whose first predicted stretch overlaps the truth by IoU ≥ m, mIoU the mean IoU, both over
*all* queries: no answer counts 0. TimeChat's evaluator, run on a part of the data, averages over the predicted queries
only; so does `timechat`, with its keys (`IOU 0.3`…).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rewind.errors import ConfigError
from rewind.evaluate.files import read_any, read_json, read_table, read_text, repeated_note, shaped
from rewind.evaluate.overlap import paired_iou
from rewind.evaluate.result import Result
from rewind.evaluate.spans import ANSWER_KEYS, span_of
from rewind.evaluate.video_files import stem_of
from rewind.language.times import Bare

THRESHOLDS = (0.3, 0.5, 0.7)
_PREDICTIONS = 'a list or JSON lines of {"id" or "video" and "query", "prediction": text or [start, end]}, or {id: …}'
PERCENT = "numbers without a unit are read as percent of the video, 0 to 100 (--bare percent)"


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
    lengths, queries = _lengths(path.parent), []
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
    """TimeChat's form of Charades-STA: {annotations: [{image_id, caption, timestamp, id}]}; durations as there."""
    lengths = _lengths(path.parent)
    with shaped(path, allowed="{annotations: [{image_id, caption, timestamp: [start, end], id}]}"):
        rows = [(r, stem_of(r["image_id"]), [float(t) for t in r["timestamp"]]) for r in read_json(path)["annotations"]]
        return _some([Query(str(r["id"]), v, str(r["caption"]), t[0], t[1], lengths.get(v)) for r, v, t in rows], path)


def score_grounding(queries: list[Query], predictions: Path, *, bare: Bare = "seconds") -> Result:
    """R1@0.3, R1@0.5, R1@0.7 and mIoU over all queries; `bare` is what predicted numbers without a unit are.

    Raises: ConfigError for percent of videos whose duration is not known.
    """
    _check_durations(queries, bare)
    answers, again = read_answers(predictions, queries)
    iou, unparsed, notes = _ious(queries, answers, bare)
    items = {**{f"R1@{m}": (iou >= m).astype(np.float64) for m in THRESHOLDS}, "mIoU": iou}
    return Result(items, len(queries), unparsed, notes=(*again, *notes), videos=[q.video for q in queries])


def score_timechat(queries: list[Query], predictions: Path, *, bare: Bare = "seconds") -> Result:
    """TimeChat's figures over the predicted queries only; an empty prediction misses. Else as `score_grounding`."""
    _check_durations(queries, bare)
    answers, again = read_answers(predictions, queries)
    asked = [q for q in queries if q.id in answers]
    iou, unparsed, notes = _ious(asked, answers, bare)
    items = {f"IOU {m}": (iou >= m).astype(np.float64) for m in THRESHOLDS}
    if len(asked) < len(queries):
        left = "have a prediction; the others are left out, as TimeChat leaves them"
        notes = (f"{len(asked)} of {len(queries)} queries {left}", *notes)
    return Result(items, len(asked), unparsed, notes=(*again, *notes), videos=[q.video for q in asked])


def read_answers(path: Path, queries: Iterable[Query]) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The raw answer to each query, by the query's id, and a note where predictions are repeated: the last counts.

    A prediction is matched by its id where it names one of the benchmark's, else by video and query words. It also
    answers queries of the same video and words that no other prediction names. Raises: ConfigError where none of the
    predictions belongs to a query.
    """
    queries = list(queries)
    ids = {q.id: q for q in queries}
    words: dict[tuple[str, str], list[str]] = {}
    for q in queries:
        words.setdefault((q.video, _plain(q.text)), []).append(q.id)
    answers: dict[str, Any] = {}
    alike: dict[str, Any] = {}
    rows = repeated = 0
    with shaped(path, allowed=_PREDICTIONS):
        for name, row in _rows(read_any(path)):
            rows += 1
            video = stem_of(str(row.get("video", row.get("vid", row.get("image_id", "")))))
            text = _plain(str(row.get("query", row.get("sentence", row.get("caption", "")))))
            answer = next((row[k] for k in ANSWER_KEYS if k in row), row)  # start and end may stand in the row
            same, meant = words.get((video, text), []), ids.get(name)
            named = meant is not None and video in ("", meant.video) and text in ("", _plain(meant.text))
            mine = [name] if named else same
            repeated += any(i in answers for i in mine)
            answers.update(dict.fromkeys(mine, answer))
            alike.update(dict.fromkeys(same, answer))
    if not answers:
        raise ConfigError(
            f"{path}: none of {rows} predictions belongs to a query of the annotations", allowed=_PREDICTIONS
        )
    return {**alike, **answers}, repeated_note(repeated)


def _check_durations(queries: list[Query], bare: Bare) -> None:
    unknown = sum(q.duration_s is None for q in queries)
    if bare == "percent" and unknown:
        raise ConfigError(
            f"--bare percent, and the durations of {unknown} of {len(queries)} queries' videos are not known",
            allowed="percent of a known duration",
            do="put a Charades_v1_*.csv with columns id and length beside the annotations",
        )


def _ious(
    queries: list[Query], answers: Mapping[str, Any], bare: Bare
) -> tuple[np.ndarray[Any, np.dtype[np.float64]], int, tuple[str, ...]]:
    """IoU of each query (n,), how many have no answer that can be read, and notes on how answers were read."""
    spans = [span_of(answers.get(q.id), duration_s=q.duration_s, bare=bare) for q in queries]
    told = [s for s in spans if s is not None]
    predicted = np.array([s or (0.0, 0.0) for s in spans], dtype=np.float64).reshape(-1, 2)
    truth = np.array([(q.start_s, q.end_s) for q in queries], dtype=np.float64).reshape(-1, 2)
    iou = paired_iou(predicted, truth)
    iou[[s is None for s in spans]] = 0.0
    instants = sum(start == end for start, end in told)
    note = f"{instants} of {len(told)} answers tell an instant only, which overlaps nothing"
    notes = (PERCENT,) if bare == "percent" else ()
    return iou, len(spans) - len(told), (*notes, note) if instants else notes


def _rows(data: Any) -> Iterable[tuple[str, Mapping[str, Any]]]:
    """(id or "", row) of every prediction of any form."""
    if isinstance(data, Mapping):
        for name, value in data.items():
            yield str(name), value if isinstance(value, Mapping) else {"prediction": value}
        return
    for row in data:
        yield str(row.get("id", row.get("qid", row.get("query_id", "")))), row


def _lengths(folder: Path) -> dict[str, float]:
    """Seconds of each video by the Charades tables of a folder."""
    lengths: dict[str, float] = {}
    for table in sorted(folder.glob("Charades_v1_*.csv")):
        with shaped(table, allowed="rows with an id and a length in seconds"):
            rows = read_table(table, columns=("id", "length"))
            lengths.update({r["id"]: float(r["length"]) for r in rows if r["length"]})
    return lengths


def _plain(text: str) -> str:
    return " ".join(text.lower().split()).rstrip(" .")


def _some(queries: list[Query], path: Path) -> list[Query]:
    if not queries:
        raise ConfigError(f"{path}: no query in it", allowed="at least one")
    for q in queries:
        if not math.isfinite(q.start_s + q.end_s):
            raise ConfigError(f"{path}: query {q.id} is true from {q.start_s} to {q.end_s}", allowed="finite seconds")
    return queries
