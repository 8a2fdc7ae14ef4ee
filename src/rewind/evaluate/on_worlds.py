"""A model on fresh worlds: made from held-out seeds, watched once, asked many questions each, marked exactly.

All is kept in a work folder as it comes, so that a run which broke off goes on: `answers.jsonl` has a row a question,
`worlds.jsonl` a row a finished world, `question-only.jsonl` what the control says.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rewind.answering import Engine
from rewind.errors import ConfigError
from rewind.evaluate.bootstrap import remark
from rewind.evaluate.figures import summarise
from rewind.evaluate.files import named_after
from rewind.evaluate.ledger import Ledger
from rewind.evaluate.marks import Record, mark
from rewind.evaluate.question_only import fit, training_questions
from rewind.evaluate.together import Asked, answer_of, moments_of, project_all, recollect_all
from rewind.evaluate.watched import Watched, draw_world, watch_file
from rewind.loaded import engine as load_engine
from rewind.sampling import Dtype
from rewind.worlds import KINDS, TEST_SEEDS, VALIDATION_SEEDS, VERSION, Question, World, make_world, questions, save
from rewind.worlds.splits import split_of

Stage = Callable[[str, int, "int | None"], None]
"""Called with what is being done, how much of it is, and how much there is."""


@dataclass(frozen=True)
class WorldRun:
    """Which worlds, how many questions, which model, and where results are kept.

    `direct` draws the pictures straight into the encoder, without an H.264 file. `dtype` is how their features are
    kept. `features` is a folder for files and features that other runs share; without it they lie in the work folder
    until their world is answered.
    """

    seed: int = TEST_SEEDS.start
    minutes: float = 10.0
    videos: int = 3
    per_kind: int = 20
    model: str = "nano"
    direct: bool = False
    dtype: Dtype = "fp16"
    work: Path | None = None
    features: Path | None = None

    def __post_init__(self) -> None:
        held = f"test seeds {TEST_SEEDS.start}–{TEST_SEEDS.stop - 1}, validation {VALIDATION_SEEDS.start}–"
        held += str(VALIDATION_SEEDS.stop - 1)
        if self.videos < 1 or self.per_kind < 1:
            raise ConfigError(f"{self.videos} videos, {self.per_kind} questions a kind", allowed="1 or more of each")
        if not 30 <= self.seconds <= 86_400:
            raise ConfigError(f"{self.minutes:g} minutes", allowed="0.5 to 1440")
        splits = {split_of(self.seed), split_of(self.seed + self.videos - 1)}
        if "train" in splits:
            raise ConfigError(
                f"seed {self.seed} is of the training range: the model may have seen it", allowed=held,
                do="give a held-out seed",
            )  # fmt: skip
        if len(splits) > 1:
            raise ConfigError(f"seeds {self.seed}–{self.seed + self.videos - 1} lie in two splits", allowed=held)

    @property
    def seconds(self) -> int:
        return round(self.minutes * 60)

    @property
    def folder(self) -> Path:
        """The work folder: the one given, or one in the working folder that is named after the run. Its name does not
        tell how many videos, so that more of them go on in it."""
        how = ("-direct" if self.direct else "") + ("" if self.dtype == "fp16" else f"-{self.dtype}")
        made = f"evaluate-worlds-{self.seed}-{self.minutes:g}min-{self.per_kind}each-{named_after(self.model)}{how}"
        return self.work or Path(made)


def evaluate_worlds(run: WorldRun, *, progress: Stage | None = None) -> dict[str, Any]:
    """Make what is not there yet, and give every figure as one JSON object.

    Raises:
        ConfigError: the work folder holds another run. WeightsError: no such model.
    """
    say = progress or (lambda _what, _done, _total: None)
    engine = load_engine(run.model)
    folder = _work_folder(run, engine)
    answers, control = Ledger(folder / "answers.jsonl"), Ledger(folder / "question-only.jsonl")
    finished = Ledger(folder / "worlds.jsonl")
    asked: dict[str, Question] = {}
    lost: list[str] = []
    for number in range(run.videos):
        name = str(run.seed + number)
        # The three files are written one after another: where one lost its end, another may have more than it.
        known = finished.rows[name]["questions"] if name in finished else None
        answered = known is not None and all(i in answers for i in known)
        if not answered or not all(i in control for i in known or ()):
            world, here = _planned(run, run.seed + number)
            asked.update(here)
            if not answered:
                degraded = _answer_world(run, engine, world, here, answers, number, say)
                finished.add({"id": name, "questions": list(here), "degradations": list(degraded)})
        lost += finished.rows[name]["degradations"]
    left = {i: q for i, q in asked.items() if i not in control}
    if left:
        model = fit(training_questions(run.seconds, progress=lambda d, t: say("question-only control", d, t)))
        for i, q in left.items():
            control.add({"id": i, "answer": model.answer(q), "right": model.right(q)})
    ids = [i for number in range(run.videos) for i in finished.rows[str(run.seed + number)]["questions"]]
    records = [Record(**answers.rows[i]) for i in ids]
    figures = summarise(records, {i: bool(row["right"]) for i, row in control.rows.items()})
    return {**_identity(run, engine), **figures, "work": str(folder), "notes": _notes(run, records, lost)}


def _planned(run: WorldRun, seed: int) -> tuple[World, dict[str, Question]]:
    world = make_world(seed, seconds=run.seconds)
    found = questions(world, np.random.default_rng(seed), per_kind=run.per_kind)
    return world, {f"{seed}-{i}": q for i, q in enumerate(found)}


def _answer_world(
    run: WorldRun, engine: Engine, world: World, asked: dict[str, Question], answers: Ledger, number: int, say: Stage
) -> Sequence[str]:
    """Watch one world, answer what of it is not answered yet; gives what watching gave up."""
    place = run.features or run.folder / "features"
    watched = _watch(run, engine, world, place, say)
    left = {i: q for i, q in asked.items() if i not in answers}
    # Worlds still to come are counted as this one: their questions are not drawn yet.
    each = len(asked) + sum(q.query is not None for q in asked.values())
    done = each * number + len(asked) - len(left)

    def count() -> None:
        nonlocal done
        done += 1
        say("answering", done, each * run.videos)

    queries = {i: Asked(q.query) for i, q in left.items() if q.query is not None}
    names, found = list(queries), {}
    patches = project_all(watched)
    for n, seen in recollect_all(watched, list(queries.values()), patches=patches):
        found[names[n]] = moments_of(watched, queries[names[n]], seen)
        count()
    names = list(left)
    texts = [Asked(q.text, q.at_s) for q in left.values()]
    for n, seen in recollect_all(watched, texts, patches=patches):
        given = answer_of(watched, texts[n], seen)
        seconds = watched.until(texts[n].until_s).seconds.tolist()
        answers.add(mark(names[n], left[names[n]], given, found.get(names[n]), seconds).to_json())
        count()
    if run.features is None:
        shutil.rmtree(place, ignore_errors=True)
    return watched.degradations


def _watch(run: WorldRun, engine: Engine, world: World, place: Path, say: Stage) -> Watched:
    name = f"world-{world.seed}-{run.seconds}s"
    if run.direct:
        encoder = engine.model.config.vision.replace("/", "-").replace(":", "-")
        kept = "" if run.dtype == "fp16" else f"-{run.dtype}"
        return draw_world(
            world, place / f"{name}-{encoder}{kept}", engine=engine, dtype=run.dtype,
            progress=lambda d, t: say(f"world {world.seed}: drawing", d, t),
        )  # fmt: skip
    path = place / f"{name}.mp4"
    if not path.is_file():
        save(world, (), place, name=name, progress=lambda d, t: say(f"world {world.seed}: writing", d, t))
    return watch_file(
        path, engine=engine, model=run.model, store=place / "store", dtype=run.dtype,
        progress=lambda d, t: say(f"world {world.seed}: watching", d, t),
    )  # fmt: skip


def _work_folder(run: WorldRun, engine: Engine) -> Path:
    """The work folder, made, or found to be this run's."""
    folder, mark_file, mine = run.folder, run.folder / "run.json", _identity(run, engine)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not mark_file.exists():
            mark_file.write_text(json.dumps(mine, indent=1) + "\n", encoding="utf-8")
        theirs = json.loads(mark_file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"work folder {folder}: {error}", allowed="a folder that can be written to") from error
    # More videos of the same kind go on where fewer ended. The weights say which model it is, by whatever name.
    other = [
        k for k in mine if k not in ("videos", "model") and (not isinstance(theirs, dict) or theirs.get(k) != mine[k])
    ]
    if other:
        raise ConfigError(
            f"work folder {folder} holds another run ({', '.join(other)} differ)", allowed="the same run, to go on",
            do="name another one with --work",
        )  # fmt: skip
    return folder


def _identity(run: WorldRun, engine: Engine) -> dict[str, Any]:
    return {
        "benchmark": "worlds", "worlds": VERSION, "split": split_of(run.seed), "seed": run.seed,
        "minutes": run.minutes, "videos": run.videos, "per_kind": run.per_kind, "model": engine.model.name,
        "weights": engine.model_hash[:16],
        "features": ("drawn" if run.direct else "file") + ("" if run.dtype == "fp16" else f", {run.dtype}"),
    }  # fmt: skip


def _notes(run: WorldRun, records: Sequence[Record], lost: Sequence[str]) -> list[str]:
    notes = []
    if run.direct:
        notes.append("--direct: pictures drawn straight into the encoder, without an H.264 file between")
    few = remark(run.videos)
    notes += [few] if few else []
    notes.append("find: chance is saying there always, as a third of the things never appear; a code has chance 0")
    wanted = run.videos * run.per_kind
    for kind in KINDS:
        there = sum(r.kind == kind for r in records)
        if there < wanted:
            notes.append(f"{kind}: {there} of {wanted} questions: these worlds do not hold more")
    again = len(records) - len({(r.id.partition("-")[0], r.question, r.at_s) for r in records})
    if again:
        notes.append(f"{again} questions are asked twice, so that no answer becomes rarer")
    return [*notes, *dict.fromkeys(lost)]
