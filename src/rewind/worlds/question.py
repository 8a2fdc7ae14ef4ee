"""What a question is, and the drawing that all kinds share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, TypeVar

import numpy as np

from rewind.worlds import wording
from rewind.worlds.index import Span

Kind = Literal["needle", "exists", "order", "count", "breakpoint", "state", "find"]
KINDS: tuple[Kind, ...] = ("needle", "exists", "order", "count", "breakpoint", "state", "find")
YES_NO = ("yes", "no")
T = TypeVar("T")


@dataclass(frozen=True)
class Question:
    """One question and all that is needed to mark it.

    `form` is the kind and what is asked of it (``needle.character``); `level` says how many attributes its phrases
    name. `choices` are all answers that the form allows (empty for codes and times). `moments` are the half-open
    stretches, in seconds, that hold the evidence: empty where there is none. `at_s` is set where the question is
    asked during the video; `query` is the noun phrase of a find question, whose `moments` are its answer. `things`
    are all stretches of each thing that the words name, in their order, where they name two: what training marks.
    """

    kind: Kind
    form: str
    template: int
    level: int
    text: str
    answer: str
    accepted: tuple[str, ...]
    choices: tuple[str, ...]
    moments: tuple[Span, ...]
    at_s: float | None = None
    query: str | None = None
    things: tuple[tuple[Span, ...], ...] = ()

    @property
    def absent(self) -> bool:
        """Whether the right answer is that the thing is not there."""
        return self.kind in ("exists", "find") and not self.moments

    def to_json(self) -> dict[str, Any]:
        data = asdict(self)
        data["moments"] = [list(m) for m in self.moments]
        data["accepted"], data["choices"] = list(self.accepted), list(self.choices)
        del data["things"]
        return data


def pick(rng: np.random.Generator, options: Sequence[T]) -> T:
    """One of `options`, each as likely."""
    return options[int(rng.integers(len(options)))]


def by_answer(rng: np.random.Generator, found: Sequence[tuple[str, T]]) -> tuple[str, T] | None:
    """One instance, its answer drawn first and evenly among those there are."""
    if not found:
        return None
    answer = pick(rng, sorted({a for a, _ in found}))
    return answer, pick(rng, [item for a, item in found if a == answer])


def make(
    rng: np.random.Generator,
    form: str,
    answer: str,
    moments: Sequence[Span],
    words: Mapping[str, str],
    *,
    level: int = 0,
    choices: Sequence[str] = (),
    at_s: float | None = None,
    query: str | None = None,
    things: Mapping[str, Sequence[Span]] | None = None,
) -> Question:
    """A question of that form in one of its wordings, its blanks filled with `words`; `things` by their blanks."""
    kind: Any = form.partition(".")[0]
    template = int(rng.integers(len(wording.TEMPLATES[form])))
    pattern = wording.TEMPLATES[form][template]
    text = pattern.format_map(words)
    named = sorted(things or {}, key=lambda blank: pattern.index(f"{{{blank}}}"))
    accepted = (answer, f"the {answer}") if form == "order.first" else (answer,)
    return Question(
        kind, form, template, level, text, answer, accepted, tuple(choices), tuple(moments), at_s, query,
        tuple(tuple((things or {})[blank]) for blank in named),
    )  # fmt: skip
