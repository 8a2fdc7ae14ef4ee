"""A model on a benchmark's own videos: every question answered into a predictions file, which is then scored."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rewind.errors import ConfigError, VideoError
from rewind.evaluate.files import named_after
from rewind.evaluate.judge import Judge
from rewind.evaluate.ledger import Ledger
from rewind.evaluate.on_worlds import Stage
from rewind.evaluate.score import Benchmark, benchmark_named, score_predictions
from rewind.evaluate.tasks import Task, answer_row, empty_row, key_of, read_tasks
from rewind.evaluate.together import recollect_all
from rewind.evaluate.video_files import find_videos
from rewind.evaluate.watched import watch_file
from rewind.loaded import engine as load_engine

NAMED = 8  # missing videos that a note names


@dataclass(frozen=True)
class BenchmarkRun:
    """Which benchmark, its files, which model, and which image-text model beside it; answers go to `predictions`, or to
    a file named after the run."""

    benchmark: str
    annotations: Path
    videos: Path
    model: str = "nano"
    image_text: str | None = None
    predictions: Path | None = None
    store: Path | None = None
    judge: Judge | None = None
    judge_record: Path | None = None

    def __post_init__(self) -> None:
        name = self.name
        if not self.annotations.exists():
            raise ConfigError(f"{self.annotations}: not there", allowed="a file that exists")
        if self.judge is not None and name != "moviechat":
            raise ConfigError(f"a judge for {name}", allowed="a judge for moviechat only")
        if self.file.suffix != ".jsonl":
            raise ConfigError(f"--predictions {self.file}", allowed="a name that ends in .jsonl: answers are lines")
        if not self.file.parent.is_dir():
            raise ConfigError(f"--predictions {self.file}: no such folder", allowed="a folder that is there")

    @property
    def name(self) -> Benchmark:
        return benchmark_named(self.benchmark)

    @property
    def file(self) -> Path:
        """Where answers go."""
        by = "-".join(map(named_after, [self.model, *([self.image_text] if self.image_text else [])]))
        return self.predictions or Path(f"predictions-{self.name}-{by}.jsonl")


def evaluate_benchmark(run: BenchmarkRun, *, seed: int = 0, progress: Stage | None = None) -> dict[str, Any]:
    """Answer what is not answered yet, then score the file exactly as `rewind evaluate --predictions` does.

    Raises:
        ConfigError: files that contradict each other; a predictions file of another model or benchmark.
    """
    notes = predict(run, progress=progress)
    scored = score_predictions(
        run.benchmark, run.file, run.annotations, seed=seed, judge=run.judge, record=run.judge_record
    )
    scored["notes"] = [*notes, *scored["notes"]]
    beside = {} if run.image_text is None else {"image_text": run.image_text}
    return {**scored, "model": run.model, **beside, "predictions": str(run.file)}


def predict(run: BenchmarkRun, *, progress: Stage | None = None) -> tuple[str, ...]:
    """Write a row for every question of the annotations; rows that are there are kept, so that it goes on. Gives notes
    on what counts as wrong, and why."""
    say = progress or (lambda _what, _done, _total: None)
    tasks = read_tasks(run.name, run.annotations)
    files = find_videos(run.videos, [t.video for t in tasks])
    engine = load_engine(run.model, run.image_text)
    mine = f"{engine.name} {engine.model_hash[:16]}"
    ledger = _ledger(run, tasks, mine)
    left = [t for t in tasks if ledger.rows.get(str(t.id), {"missing": True}).get("missing")]
    done, unreadable = len(tasks) - len(left), dict[str, str]()
    for video, path in files.paths.items():
        here = [t for t in left if t.video == video]
        if not here:
            continue
        try:
            watched = watch_file(
                path, engine=engine, model=run.model, image_text=run.image_text, store=run.store,
                progress=lambda d, t, video=video: say(f"watching {video}", d, t),  # type: ignore[misc]
            )  # fmt: skip
            if not len(watched.timeline):
                raise VideoError(f"{path.name}: no frame could be read")
        except VideoError as error:
            unreadable[video] = error.given
            continue
        # With the row, so that a run which goes on, or is scored again, still tells them.
        lost = {"degradations": list(watched.degradations)} if watched.degradations else {}
        for n, seen in recollect_all(watched, [t.asked(watched) for t in here]):
            row = answer_row(run.name, here[n], watched, seen)
            ledger.add({**row, "model": mine, "task": here[n].fingerprint, **lost})
            done += 1
            say("answering", done, len(tasks))
    without = _fill(run, ledger, tasks, mine)
    return _notes(run, ledger, files.missing, unreadable, without)


def _ledger(run: BenchmarkRun, tasks: list[Task], mine: str) -> Ledger:
    """The predictions so far. Raises: ConfigError where they are another model's, or to other questions."""
    ledger, by_id = Ledger(run.file, key=key_of(run.name)), {str(t.id): t for t in tasks}
    for name, row in ledger.rows.items():
        # A name may be a folder, called otherwise from elsewhere; the hash of the weights behind it says which it is.
        if str(row.get("model")).rpartition(" ")[2] != mine.rpartition(" ")[2]:
            raise ConfigError(
                f"{run.file} holds answers of {row.get('model', 'an unnamed model')}, not of {mine}",
                allowed="one model a file", do="name another file with --predictions",
            )  # fmt: skip
        # Ids are often line numbers: other annotations have the same. Most rows of older versions tell the video.
        task = by_id.get(name)
        same = task is not None and row.get("task", task.fingerprint) == task.fingerprint
        if task is None or not same or row.get("video", row.get("vid", task.video)) != task.video:
            raise ConfigError(
                f"{run.file} answers another question {name}", allowed=f"questions of {run.annotations.name}",
                do="name another file with --predictions",
            )  # fmt: skip
    return ledger


def _fill(run: BenchmarkRun, ledger: Ledger, tasks: list[Task], mine: str) -> int:
    """Rows without an answer for what has none; gives how many there are."""
    for task in tasks:
        if str(task.id) not in ledger:
            ledger.add({**empty_row(run.name, task), "missing": True, "model": mine, "task": task.fingerprint})
    return sum(bool(row.get("missing")) for row in ledger.rows.values())


def _notes(
    run: BenchmarkRun, ledger: Ledger, missing: tuple[str, ...], unreadable: dict[str, str], without: int
) -> tuple[str, ...]:
    notes = []
    if without:
        notes.append(f"{without} questions count as wrong because their video is missing or cannot be read")
    if missing:
        more = f" and {len(missing) - NAMED} more" if len(missing) > NAMED else ""
        notes.append(f"{len(missing)} videos missing: {', '.join(missing[:NAMED])}{more}")
    notes += [f"video {name} cannot be read: {why}" for name, why in unreadable.items()]
    guessed = sum(bool(row.get("guessed")) for row in ledger.rows.values())
    if guessed:
        notes.append(f"{guessed} queries had no moment above the threshold: the best there is was given, as all exist")
    if run.name in ("nextqa", "nextgqa"):
        notes.append("options were chosen by the cosine of their text features with those of the answer in words")
    sources = Counter(str(row["source"]) for row in ledger.rows.values() if "source" in row)
    if sources:
        notes.append("answered by: " + ", ".join(f"{name} {count}" for name, count in sorted(sources.items())))
    return (*notes, *dict.fromkeys(d for row in ledger.rows.values() for d in row.get("degradations", ())))
