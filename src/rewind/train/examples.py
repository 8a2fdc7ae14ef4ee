"""Endless training batches out of the scene bank: videos composed, questions asked, truth laid out frame by frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from rewind.config import SLOTS
from rewind.language.tokenizer import PAD, AnswerTokenizer
from rewind.precision import kept_as
from rewind.text import TextEncoder
from rewind.text.spelling import read_instructions
from rewind.train.bank import ProjectedBank
from rewind.train.losses import Batch
from rewind.worlds.ask_instants import CHANGE_MARGIN_S, SIZED
from rewind.worlds.index import FORMS, TAUGHT_FORMS, Index
from rewind.worlds.questions import Kind, Question, questions
from rewind.worlds.world import compose

MIX: dict[Kind, float] = {
    "needle": 0.26, "exists": 0.2, "order": 0.1, "count": 0.1, "breakpoint": 0.12, "state": 0.1, "find": 0.12,
}  # fmt: skip
PRESENT, ABSENT = "at", "never"
"""What the decoder says to a question for times: the moments themselves come from the frame scores."""
PROMPT = "What is shown in this video?"
"""A generic instruction, for memories that are written without one."""
_TRIES = 40
_BARE = 0.5
_ANY_LEVEL = 0.6
"""Share of questions with phrases as long as those of videos that no training has the time for."""
# Long phrases are the hardest to say, those of hours (the narrowest form) are nearly all that hours are asked with, and
# how things move is to be seen in no single frame: all are drawn more often.
_LEVELS = (
    *range(len(FORMS)), *range(4, len(FORMS)), *6 * (len(FORMS) - 1,), *2 * tuple(range(len(FORMS), len(TAUGHT_FORMS)))
)  # fmt: skip
_SIZED = 0.5
"""Share of questions on changes that name a size, as all of an hour do and none of what training has the time for: a
model that had never met one took it for a question of what is on screen, and answered with the thing's name."""
_NAMING: tuple[Kind, ...] = ("exists", "order", "count", "find")
READING: tuple[Kind, ...] = ("needle", "breakpoint", "state")
_SEVERAL = 6
"""Questions drawn of one video, so that one of them is likely to be of the change that it was made for."""
_COUNTABLE_S, _ARRANGE_TRIES = 48, 4000
_NARROW = FORMS.index(("shape", "colour", "texture"))


@dataclass(frozen=True)
class Example:
    """Bank rows of T frames, the question on them, and which frames show each thing that it names (T, SLOTS)."""

    rows: npt.NDArray[np.int64]
    question: Question
    relevant: npt.NDArray[np.bool_]
    bare: bool = False

    @property
    def text(self) -> str:
        """The instruction: the question, or only the noun phrase of a question for times, as `find` is given it."""
        return self.question.query if self.bare and self.question.query else self.question.text

    @property
    def answer(self) -> str:
        if self.question.kind == "find":
            return PRESENT if self.question.moments else ABSENT
        return self.question.answer


def draw_example(
    bank: ProjectedBank, rng: np.random.Generator, *, frames: int, kind: Kind, any_level: bool = False,
    alike: float = 0.0,
) -> Example:  # fmt: skip
    """A video of `frames` seconds and a question of `kind`, both drawn anew until the video can be asked so.

    Phrases are as long as the video's length makes them; with `any_level` most of them are as long as any video's,
    which is how training meets the phrases of hours, and of what came first more is asked: to say a phrase takes more
    examples than to say yes or no. What is measured is asked without.

    Args:
        alike: share of questions on changes in whose videos other things look like what changed.
    """
    for _ in range(_TRIES):
        # What is on screen *now* is asked at some second: the frames before it are the video.
        length = 2 * frames if kind == "breakpoint" else frames
        level = _level(rng, kind) if any_level else None
        needed: Sequence[int] = ()
        words = ""
        if alike and kind == "state" and rng.random() < alike:
            needed, words = bank.alike(sized=level == SIZED).draw(rng)
        chosen = _scenes(bank, rng, length=length, kind=kind, level=level, needed=needed)
        world = compose([bank.scenes[i] for i in chosen], seconds=length)
        several = _SEVERAL if words else 2 if any_level and kind == "order" else 1
        asked = questions(Index(world, level=level), rng, kinds=(kind,), per_kind=several)
        if not asked:
            continue
        wanted = (q for q in asked if (words in q.text if words else q.form == "order.first"))
        question = next(wanted, asked[0])
        rows = bank.rows(chosen, seconds=length)
        first, last = 0, length
        if question.at_s is not None:
            last = int(question.at_s) + 1
            first = last - frames
            if first < 0:
                continue
        relevant = relevant_frames(question, length)[first:last]
        return Example(rows[first:last], question, relevant, bare=bool(rng.random() < _BARE))
    raise ValueError(f"no {kind} question on {frames} seconds in {_TRIES} tries")


def relevant_frames(question: Question, length: int) -> npt.NDArray[np.bool_]:
    """Which seconds of a video show each thing that a question names (T, SLOTS); of a change, the two beside it."""
    relevant = np.zeros((length, SLOTS), dtype=np.bool_)
    for slot, moments in enumerate(question.things or (question.moments,)):
        for start, end in moments:
            first, last = _beside_change(start, end, length) if question.kind == "state" else (start, end)
            relevant[first:last, slot] = True
    return relevant


def _beside_change(start: int, end: int, length: int) -> tuple[int, int]:
    """The seconds on either side of a change, in the middle of its moment but where the video's ends cut that.

    Of the whole moment only these show that something changed. Taught that the others count as well, a model takes
    whatever looks like the thing for what changed, at .9 and more: nothing else is to be seen there.
    """
    at = end - CHANGE_MARGIN_S if end < length else start + CHANGE_MARGIN_S
    return at - 1, at + 1


def _level(rng: np.random.Generator, kind: Kind) -> int | None:
    """The form of phrases for a question to train on; None for what the video's length makes of it."""
    if kind == "state":
        return SIZED if rng.random() < _SIZED else None
    return int(rng.choice(_LEVELS)) if kind in _NAMING and rng.random() < _ANY_LEVEL else None


def _scenes(
    bank: ProjectedBank, rng: np.random.Generator, *, length: int, kind: Kind, level: int | None = None,
    needed: Sequence[int] = (),
) -> list[int]:  # fmt: skip
    """Scenes that fill the length, `needed` among them; for counts, such that every number can be the answer, where the
    length allows.

    What so short a video shows of a narrow phrase is there once, or not at all; in an hour it comes back. A model that
    had never seen that counted four stretches of an hour, all of them found, as one. Few scenes are repeated instead.
    """
    among: Sequence[int] = range(len(bank.scenes))
    if kind == "count" and length >= _COUNTABLE_S:
        if level is None or level < _NARROW:
            return bank.pool.arrange(length, rng, tries=_ARRANGE_TRIES)
        among = rng.choice(len(bank.scenes), int(rng.integers(2, 4)), replace=False).tolist()
    chosen = list(needed)
    filled = sum(bank.scenes[i].duration_s for i in chosen)
    while filled < length:
        chosen.append(among[int(rng.integers(len(among)))])
        filled += bank.scenes[chosen[-1]].duration_s
    return [chosen[i] for i in rng.permutation(len(chosen))] if needed else chosen


def draw_batch(
    bank: ProjectedBank, rng: np.random.Generator, *, size: int, frames: int, tokenizer: AnswerTokenizer,
    encoder: TextEncoder, mix: dict[Kind, float] | None = None, device: torch.device | str = "cpu", alike: float = 0.0,
) -> tuple[Batch, list[Example]]:  # fmt: skip
    """`size` videos of `frames` frames to train on, with one question each: kinds by `mix`, phrases of any level."""
    kinds, shares = zip(*(mix or MIX).items(), strict=True)
    drawn = rng.choice(len(kinds), size, p=np.array(shares) / sum(shares))
    return collate(
        bank, [_draw_or_exists(bank, rng, frames=frames, kind=kinds[k], alike=alike) for k in drawn], tokenizer,
        encoder, device,
    )  # fmt: skip


def _draw_or_exists(bank: ProjectedBank, rng: np.random.Generator, *, frames: int, kind: Kind, alike: float) -> Example:
    """A question of `kind`; where so short a video never holds one, whether something exists."""
    try:
        return draw_example(bank, rng, frames=frames, kind=kind, any_level=True, alike=alike)
    except ValueError:
        return draw_example(bank, rng, frames=frames, kind="exists", any_level=True)


def collate(
    bank: ProjectedBank, examples: Sequence[Example], tokenizer: AnswerTokenizer, encoder: TextEncoder,
    device: torch.device | str,
) -> tuple[Batch, list[Example]]:  # fmt: skip
    rows = torch.from_numpy(np.stack([e.rows for e in examples]))
    answers = [tokenizer.encode(e.answer) for e in examples]
    longest = max(len(a) for a in answers)
    batch = Batch(
        patches=bank.patches[rows].to(device, kept_as(device)),
        text=read_instructions(encoder, [e.text for e in examples]),
        relevant=torch.from_numpy(np.stack([e.relevant for e in examples])).to(device),
        answer=torch.tensor([a + [PAD] * (longest - len(a)) for a in answers], device=device),
        speaks=torch.ones(len(examples), device=device),
        reads=torch.tensor([e.question.kind in READING for e in examples], device=device),
    )
    return batch, list(examples)
