"""An arena's folder: its plan, its measured rates, one sub-folder a recipe and seed; each file replaced whole."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from rewind.arena.contenders import CONTENDERS, Contender, to_train
from rewind.arena.encoder import Encoder
from rewind.arena.intervals import Line
from rewind.arena.language import FROM_SCRATCH, Language
from rewind.arena.plan import ArenaPlan, Cost, Rates, fit
from rewind.errors import ConfigError
from rewind.evaluate.files import read_json, read_lines, shaped
from rewind.store import replace_file
from rewind.train.bank import ProjectedBank
from rewind.train.loop import CHECKPOINT, CURVE, read_curve

if TYPE_CHECKING:
    from collections.abc import Callable

_FILE, _RESULT, _ANSWERS = "arena.json", "result.json", "answers.jsonl"
_TAUGHT_BY = ("tokens", "scenes", "short", "long", "long_frames")
"""What of a plan training depends on; the rest is about the test."""
_ALLOWED = "an arena of this version"


class Measures(Protocol):
    """Who can tell how long a recipe takes, and which language all begin with."""

    @property
    def language(self) -> Language | None: ...

    def measure(self, contender: Contender, plan: ArenaPlan, test: ProjectedBank) -> Rates: ...


@dataclass(frozen=True)
class Arena:
    """A plan that is settled: `plan` as the budget left it, `asked_for` as it was given."""

    folder: Path
    plan: ArenaPlan
    asked_for: ArenaPlan
    rates: Rates
    encoder_name: str
    fingerprint: str
    decoder_name: str
    decoder_fingerprint: str

    def place(self, recipe: str, seed: int) -> Path:
        return self.folder / recipe / f"seed-{seed}"

    def has(self, recipe: str, seed: int) -> bool:
        return (self.place(recipe, seed) / _RESULT).is_file()

    def add(self, recipe: str, seed: int, result: dict[str, Any], answers: Sequence[Line]) -> None:
        place = self.place(recipe, seed)
        place.mkdir(parents=True, exist_ok=True)
        replace_file(place / _ANSWERS, "".join(json.dumps(line) + "\n" for line in answers).encode())
        replace_file(place / _RESULT, json.dumps(result, indent=1).encode())  # last: it says that the test is done

    def results(self) -> dict[str, dict[int, dict[str, Any]]]:
        """What is finished, by recipe and seed."""
        found: dict[str, dict[int, dict[str, Any]]] = {}
        for name in CONTENDERS:
            for path in sorted((self.folder / name).glob(f"seed-*/{_RESULT}")):
                result = json.loads(path.read_text(encoding="utf-8"))
                found.setdefault(name, {})[int(result["seed"])] = result
        return found

    def answers(self, recipe: str, seed: int) -> list[Line]:
        """Its test question by question; nothing of a test of an earlier version, which kept none."""
        path = self.place(recipe, seed) / _ANSWERS
        return read_lines(path) if path.is_file() else []

    def train_seconds(self, recipe: str, seed: int) -> float:
        """Seconds that its steps took, all calls together."""
        return round(sum(float(row["seconds"]) for row in read_curve(self.place(recipe, seed) / CURVE)), 1)

    def wanted(self, trained: Contender, contenders: Sequence[Contender], seed: int) -> list[Contender]:
        """Who is still to be tested with these weights: whose they are, and the swaps that were asked for."""
        tested = (c for c in (trained, *contenders) if c.trained_as == trained.name)
        return [c for c in dict.fromkeys(tested) if not self.has(c.name, seed)]

    def left(self, contenders: Sequence[Contender], *, seeds: int) -> Cost:
        """What is still to be done will take so long: steps behind the checkpoints, tests that are not there yet."""
        train = test = 0.0
        for seed in range(seeds):
            for trained in to_train(contenders):
                wanted = self.wanted(trained, contenders, seed)
                if wanted:
                    train += self.rates.training_s(trained, *self._steps_left(trained.name, seed))
                test += sum(self.rates.testing_s(c, self.plan) for c in wanted)
        return Cost(train, test)

    def _steps_left(self, recipe: str, seed: int) -> tuple[int, int]:
        """Of either stage, by the curve: it may be a little ahead of the checkpoint."""
        place = self.place(recipe, seed)
        going = (place / CHECKPOINT).is_file() and (place / CURVE).is_file()
        taken = [row["stage"] for row in read_curve(place / CURVE)] if going else []
        return max(0, self.plan.short - taken.count(0)), max(0, self.plan.long - taken.count(1))

    def write(self, name: str, content: str) -> None:
        replace_file(self.folder / name, content.encode())


def kept_arena(folder: Path) -> Arena:
    """The arena that a folder holds, to be read.

    Raises: ConfigError where it holds none, or one of another version.
    """
    path = folder / _FILE
    if not path.is_file():
        raise ConfigError(f"{folder}: no {_FILE} there", allowed="the folder of an arena", do="name one with --out")
    kept = read_json(path)
    with shaped(path, allowed=_ALLOWED):
        return Arena(
            folder, ArenaPlan(**kept["plan"]), ArenaPlan(**kept["asked_for"]), _rates(kept), kept["encoder"],
            kept["encoder_sha256"], kept["decoder"], kept["decoder_sha256"],
        )  # fmt: skip


def _rates(kept: Mapping[str, Any]) -> Rates:
    rates = kept.get("rates", {"steps": {}, "question": {}})
    steps = {k: (float(v[0]), float(v[1])) for k, v in rates["steps"].items()}
    return Rates(steps, {k: float(v) for k, v in rates["question"].items()})


def open_arena(
    plan: ArenaPlan, encoder: Encoder, folder: Path, contenders: Sequence[Contender], teacher: Measures,
    test: ProjectedBank, *, seeds: int, budget_s: float | None, say: Callable[[str], None],
) -> Arena:  # fmt: skip
    """The folder's arena, or a new one whose steps fit the budget; recipes that were not measured yet are.

    Raises: ConfigError where the folder holds another arena, or the budget is too short for a new one.
    """
    path = folder / _FILE
    kept: dict[str, Any] = read_json(path) if path.is_file() else {}
    asked = plan.to_json()
    language = teacher.language
    decoder_name, decoder_hash = (FROM_SCRATCH, "") if language is None else (language.name, language.fingerprint)
    hashes = {"encoder": encoder.fingerprint, "decoder": decoder_hash}
    with shaped(path, allowed=_ALLOWED):
        other = _differing(kept, "asked_for", asked, hashes) if kept else []
        measured, begun = _rates(kept), ArenaPlan(**kept["plan"]) if kept else None
    if other:
        raise ConfigError(
            f"{folder} holds an arena with another {', '.join(other)}", allowed="the options that it was begun with",
            do="give another --out",
        )  # fmt: skip
    for contender in to_train(contenders):
        if contender.name not in measured.steps:
            say(f"measuring {contender.name}")
            one = teacher.measure(contender, plan, test)
            measured = Rates({**measured.steps, **one.steps}, {**measured.question, **one.question})
    settled = begun or fit(plan, contenders, measured, seeds=seeds, budget_s=budget_s)
    name = Path(encoder.name).name
    folder.mkdir(parents=True, exist_ok=True)
    content = {
        "plan": settled.to_json(), "asked_for": asked, "rates": measured.to_json(), "encoder": name,
        "encoder_sha256": encoder.fingerprint, "decoder": decoder_name, "decoder_sha256": decoder_hash,
    }  # fmt: skip
    replace_file(path, json.dumps(content, indent=1).encode())
    return Arena(folder, settled, plan, measured, name, encoder.fingerprint, decoder_name, decoder_hash)


def require_same_training(other: Path, plan: ArenaPlan, *, encoder: str, decoder: str) -> None:
    """Refuse weights that were trained otherwise; `encoder` and `decoder` are hashes.

    Raises: ConfigError where `other` holds no arena, or one with another training.
    """
    path = other / _FILE
    if not path.is_file():
        raise ConfigError(f"{other}: no {_FILE} there", allowed="the folder of an arena, to take weights from")
    mine = plan.to_json()
    taught = {k: mine[k] for k in _TAUGHT_BY}
    with shaped(path, allowed=_ALLOWED):
        differ = _differing(read_json(path), "plan", taught, {"encoder": encoder, "decoder": decoder})
    if differ:
        raise ConfigError(
            f"{other} holds recipes trained with another {', '.join(differ)}", allowed="weights of the same training",
            do="give the options that it was begun with, but for the test's",
        )  # fmt: skip


def take_weights(arena: Arena, other: Path, trained: Sequence[Contender], *, seeds: int) -> int:
    """Copy checkpoints of the arena in `other` for what has none here: they do not depend on the test.

    Returns: how many were copied. One that is not finished there is gone on with here.

    Raises: ConfigError where `other` holds no arena, or one with another training.
    """
    require_same_training(other, arena.plan, encoder=arena.fingerprint, decoder=arena.decoder_fingerprint)
    copied = 0
    for place, there in (
        (arena.place(c.name, seed), other / c.name / f"seed-{seed}") for c in trained for seed in range(seeds)
    ):
        if (place / CHECKPOINT).is_file() or not (there / CHECKPOINT).is_file():
            continue
        place.mkdir(parents=True, exist_ok=True)
        # The curve is read after the checkpoint: of a recipe in training it may then be longer, and is cut back to it.
        state, curve = (there / CHECKPOINT).read_bytes(), (there / CURVE).read_bytes()
        replace_file(place / CURVE, curve)
        replace_file(place / CHECKPOINT, state)
        copied += 1
    return copied


def _differing(kept: Mapping[str, Any], which: str, plan: Mapping[str, Any], hashes: Mapping[str, str]) -> list[str]:
    """Names of what an arena's file tells otherwise: of its plan called `which`, and of its hashes."""
    return [k for k, v in plan.items() if kept[which].get(k) != v] + [
        k for k, v in hashes.items() if kept.get(f"{k}_sha256") != v
    ]
