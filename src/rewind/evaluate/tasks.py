"""What a benchmark asks of a model: its annotations as one list of tasks, and an answer as a row of its predictions."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from rewind.answering import Recollection
from rewind.errors import ConfigError
from rewind.evaluate.files import read_json, read_lines, shaped
from rewind.evaluate.grounding import Query, read_activitynet, read_charades, read_timechat
from rewind.evaluate.moviechat import read_moviechat
from rewind.evaluate.nextqa import read_choices
from rewind.evaluate.qvhighlights import CLIP_S, WINDOWS, check_truth
from rewind.evaluate.score import Benchmark
from rewind.evaluate.together import Asked, answer_of, moments_of
from rewind.evaluate.video_files import stem_of
from rewind.evaluate.watched import Watched

INSTANT_S = 1e-3


@dataclass(frozen=True)
class Task:
    """One question: `id` as the annotations write it, the video's name, the words.

    `at_s` counts from the video's start. `options` are those of a multiple choice, `clips` how many clips want a
    saliency score.
    """

    id: str | int
    video: str
    text: str
    at_s: float | None = None
    options: tuple[str, ...] = ()
    clips: int = 0

    @property
    def fingerprint(self) -> str:
        """Tells a question from another of the same id: a row that answers this one has it in `task`."""
        told = json.dumps([self.video, self.text, self.at_s, self.options, self.clips])
        return hashlib.sha256(told.encode()).hexdigest()[:12]

    def asked(self, watched: Watched) -> Asked:
        """The instruction in the video's own time; at the very start one frame is seen."""
        if self.at_s is None:
            return Asked(self.text)
        return Asked(self.text, watched.start_s + max(self.at_s, INSTANT_S))


def read_tasks(benchmark: Benchmark, annotations: Path) -> list[Task]:
    """Every question of the annotations.

    Raises: ConfigError for a file of another shape, or one that answers could not be scored with.
    """
    if benchmark == "qvhighlights":
        check_truth(annotations)
        with shaped(annotations, allowed="JSON lines of {qid, query, vid, duration}"):
            rows = read_lines(annotations)
            return [Task(r["qid"], r["vid"], r["query"], clips=int(r["duration"] / CLIP_S)) for r in rows]
    if benchmark == "moviechat":
        return [Task(q.id, stem_of(q.video), q.question, q.at_s) for q in read_moviechat(annotations)]
    if benchmark == "nextqa":
        return [Task(q.id, q.video, q.question, options=q.options) for q in read_choices(annotations)]
    if benchmark == "nextgqa":
        return _grounded(annotations)
    readers: dict[str, Callable[[Path], list[Query]]] = {
        "charades-sta": read_charades, "activitynet": read_activitynet, "timechat": read_timechat,
    }  # fmt: skip
    return [Task(q.id, q.video, q.text) for q in readers[benchmark](annotations)]


def key_of(benchmark: Benchmark) -> str:
    """The field that names a question in the benchmark's predictions."""
    return "qid" if benchmark == "qvhighlights" else "id"


def empty_row(benchmark: Benchmark, task: Task) -> dict[str, Any]:
    """The row of a question whose video is missing: no answer, so wrong."""
    if benchmark == "qvhighlights":
        return {"qid": task.id, "pred_relevant_windows": [], "pred_saliency_scores": []}
    return {"id": task.id, "video": task.video, "prediction": None}


def answer_row(benchmark: Benchmark, task: Task, watched: Watched, seen: Recollection) -> dict[str, Any]:
    """The model's answer to one task in the benchmark's own form; `guessed` where no moment reached the threshold."""
    if benchmark == "moviechat":
        given = answer_of(watched, task.asked(watched), seen)
        return {"id": task.id, "video": task.video, "prediction": given.said.text, "source": given.said.source}
    if benchmark in ("nextqa", "nextgqa"):
        said = answer_of(watched, task.asked(watched), seen).said
        row = {"id": task.id, "prediction": nearest(watched, said.text, task.options), "said": said.text}
        row["source"] = said.source
        if benchmark == "nextqa":
            return row
        windows, guessed = _windows(task, watched, seen)
        return {**row, "span": windows[0][:2] if windows else None, "guessed": guessed}
    windows, guessed = _windows(task, watched, seen)
    if benchmark == "qvhighlights":
        scores = saliency(
            seen.relevance.scores.tolist(), (watched.timeline.seconds - watched.start_s).tolist(), task.clips
        )
        return {
            "qid": task.id, "query": task.text, "vid": task.video, "pred_relevant_windows": windows,
            "pred_saliency_scores": scores, "guessed": guessed,
        }  # fmt: skip
    return {
        "id": task.id, "video": task.video, "query": task.text, "prediction": [w[:2] for w in windows],
        "scores": [w[2] for w in windows], "guessed": guessed,
    }  # fmt: skip


def nearest(watched: Watched, answer: str, options: Sequence[str]) -> int:
    """The option whose text features have the greatest cosine with those of the answer; ties to the first."""
    pooled = watched.engine.text.encode([answer, *options]).pooled
    unit = torch.nn.functional.normalize(pooled.double(), dim=-1)
    return int((unit[1:] @ unit[0]).argmax())


def saliency(scores: Sequence[float], seconds: Sequence[float], clips: int) -> list[float]:
    """The mean frame score of each 2-second clip from the video's start; 0 where no frame lies in it."""
    held: list[list[float]] = [[] for _ in range(clips)]
    for score, t in zip(scores, seconds, strict=True):
        clip = int(t // CLIP_S)
        if 0 <= clip < clips:
            held[clip].append(score)
    return [round(sum(here) / len(here), 6) if here else 0.0 for here in held]


def _windows(task: Task, watched: Watched, seen: Recollection) -> tuple[list[list[float]], bool]:
    """[start, end, score], best first, from the video's start; the best there are where none counts as seen."""
    asked = task.asked(watched)
    found = moments_of(watched, asked, seen, limit=WINDOWS)
    guessed = not found
    if guessed:
        found = moments_of(watched, asked, seen, threshold=0.0, limit=WINDOWS)
    zero = watched.start_s
    return [[round(m.start_s - zero, 3), round(m.end_s - zero, 3), round(m.score, 6)] for m in found], guessed


def _grounded(annotations: Path) -> list[Task]:
    """NExT-GQA: the questions that have a stretch, their words from the CSV beside the annotations."""
    table = annotations.with_name(annotations.stem.removeprefix("gsub_") + ".csv")
    if not table.is_file():
        raise ConfigError(f"{table}: not there", allowed="the questions' CSV beside the annotations")
    words = {q.id: q for q in read_choices(table)}
    with shaped(annotations, allowed="{video: {duration, location: {qid: [[start, end], …]}}}"):
        names = [(video, f"{video}_{qid}") for video, row in read_json(annotations).items() for qid in row["location"]]
    lost = [name for _, name in names if name not in words]
    if lost:
        raise ConfigError(f"{table}: no question {lost[0]}", allowed="every question of the annotations")
    return [Task(name, video, words[name].question, options=words[name].options) for video, name in names]
