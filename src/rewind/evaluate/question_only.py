"""The question-only control: how often the words of a question alone give its answer away.

Naive Bayes, one model a form of question, on words, pairs of words, which half of the question a word is in, and the
wording. It learns from questions on worlds made of training seeds' scenes, which are planned and never drawn, of the
same length as the worlds that it is tested on. What it gets right above chance is a fault of the questions: no model's
figure means more than its distance from this one.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from rewind.errors import ConfigError
from rewind.evaluate.marks import truth_of
from rewind.worlds import Index, Pool, Question, plan_scene, questions, require_training_seed

SCENES, WORLDS, PER_KIND = 480, 60, 30
_NAMES_ITS_CHOICES = ("order.first",)
"""Forms whose two choices stand in the question: there the answer is the first or the second of them."""
Progress = Callable[[int, "int | None"], None]


@dataclass(frozen=True)
class Table:
    """What one form of question was seen with: log-probability of each label, and of each feature under it."""

    labels: tuple[str, ...]
    prior: npt.NDArray[np.float64]
    features: dict[str, int]
    likelihood: npt.NDArray[np.float64]

    def best(self, question: Question) -> str:
        counts = np.zeros(len(self.features))
        for feature in _features(question):
            if feature in self.features:
                counts[self.features[feature]] += 1
        return self.labels[int(np.argmax(self.prior + self.likelihood @ counts))]


@dataclass(frozen=True)
class QuestionOnly:
    """A table for each form of question that was seen."""

    tables: dict[str, Table]

    def answer(self, question: Question) -> str:
        """The likeliest answer to the words alone; the first choice to a form that was never seen."""
        table = self.tables.get(question.form)
        if table is None:
            return question.choices[0] if question.choices else ""
        label = table.best(question)
        return question.choices[int(label)] if question.form in _NAMES_ITS_CHOICES else label

    def right(self, question: Question) -> bool:
        return self.answer(question) == truth_of(question)


def fit(asked: Iterable[Question], *, smoothing: float = 1.0) -> QuestionOnly:
    """Naive Bayes with additive smoothing, a table a form. Raises: ConfigError for no question."""
    by_form: dict[str, list[Question]] = defaultdict(list)
    for q in asked:
        by_form[q.form].append(q)
    if not by_form:
        raise ConfigError("no question to learn from", allowed="at least one")
    return QuestionOnly({form: _table(found, smoothing) for form, found in by_form.items()})


def training_questions(
    seconds: int,
    *,
    seed: int = 0,
    scenes: int = SCENES,
    worlds: int = WORLDS,
    per_kind: int = PER_KIND,
    progress: Progress | None = None,
) -> list[Question]:
    """Questions on worlds of `seconds`, arranged from the scenes of `scenes` training seeds; nothing is drawn.

    Raises: TestSeedError for seeds that are held out.
    """
    scenes = max(scenes, int(seconds / 16 * 1.5) + 24)
    require_training_seed(seed + scenes - 1)
    total = scenes + worlds
    truths = []
    for number in range(scenes):
        truths.append(plan_scene(require_training_seed(seed + number), 0))
        if progress:
            progress(number + 1, total)
    pool, rng = Pool(truths), np.random.default_rng([seed, seconds, 11])
    asked: list[Question] = []
    for number in range(worlds):
        asked += questions(Index(pool.world(seconds, rng)), rng, per_kind=per_kind)
        if progress:
            progress(scenes + number + 1, total)
    return asked


def _table(asked: Sequence[Question], smoothing: float) -> Table:
    seen: dict[str, Counter[str]] = defaultdict(Counter)
    often: Counter[str] = Counter()
    for q in asked:
        label = _label(q)
        often[label] += 1
        seen[label].update(_features(q))
    labels = tuple(sorted(often))
    features = {name: i for i, name in enumerate(sorted({f for counts in seen.values() for f in counts}))}
    counts = np.full((len(labels), len(features)), smoothing)
    for row, label in enumerate(labels):
        for name, number in seen[label].items():
            counts[row, features[name]] += number
    prior = np.log(np.array([often[label] for label in labels]) / len(asked))
    return Table(labels, prior, features, np.log(counts / counts.sum(axis=1, keepdims=True)))


def _label(q: Question) -> str:
    return str(q.choices.index(q.answer)) if q.form in _NAMES_ITS_CHOICES else truth_of(q)


def _features(q: Question) -> list[str]:
    words = re.findall(r"\w+", q.text.lower())
    halves = [f"{word}@{2 * i // len(words)}" for i, word in enumerate(words)]
    pairs = [f"{a} {b}" for a, b in pairwise(words)]
    return [*words, *halves, *pairs, f"wording {q.template}"]
