"""Endless training batches out of the scene bank: videos composed, questions asked, truth laid out frame by frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from rewind.language.tokenizer import PAD, AnswerTokenizer
from rewind.text import TextEncoder
from rewind.train.bank import Bank
from rewind.train.losses import Batch
from rewind.worlds.index import Index
from rewind.worlds.looks import MOTION_WORDS
from rewind.worlds.questions import Kind, Question, questions
from rewind.worlds.truth import SceneTruth
from rewind.worlds.world import compose

MIX: dict[Kind, float] = {
    "needle": 0.26, "exists": 0.2, "order": 0.1, "count": 0.1, "breakpoint": 0.12, "state": 0.1, "find": 0.12,
}  # fmt: skip
PRESENT, ABSENT = "at", "never"
"""What the decoder says to a question for times: the moments themselves come from the frame scores."""
PROMPT = "What is shown in this video?"
"""Stage 1's fixed instruction: conditioning on the caption that the loss contrasts would leak it."""
_TRIES = 40


@dataclass(frozen=True)
class Example:
    """Bank rows of T frames, the question on them, and which frames hold its evidence (T,)."""

    rows: npt.NDArray[np.int64]
    question: Question
    relevant: npt.NDArray[np.bool_]

    @property
    def answer(self) -> str:
        if self.question.kind == "find":
            return PRESENT if self.question.moments else ABSENT
        return self.question.answer


def draw_example(bank: Bank, rng: np.random.Generator, *, frames: int, kind: Kind) -> Example:
    """A video of `frames` seconds and a question of `kind`, both drawn anew until the video can be asked so."""
    for _ in range(_TRIES):
        # What is on screen *now* is asked at some second: the frames before it are the video.
        length = 2 * frames if kind == "breakpoint" else frames
        chosen: list[int] = []
        filled = 0
        while filled < length:
            chosen.append(int(rng.integers(len(bank.scenes))))
            filled += bank.scenes[chosen[-1]].duration_s
        world = compose([bank.scenes[i] for i in chosen], seconds=length)
        asked = questions(Index(world), rng, kinds=(kind,))
        if not asked:
            continue
        question, rows = asked[0], bank.rows(chosen, seconds=length)
        first, last = 0, length
        if question.at_s is not None:
            last = int(question.at_s) + 1
            first = last - frames
            if first < 0:
                continue
        relevant = np.zeros(length, dtype=np.bool_)
        for start, end in question.moments:
            relevant[start:end] = True
        return Example(rows[first:last], question, relevant[first:last])
    raise ValueError(f"no {kind} question on {frames} seconds in {_TRIES} tries")


def draw_batch(
    bank: Bank, rng: np.random.Generator, *, size: int, frames: int, tokenizer: AnswerTokenizer, encoder: TextEncoder,
    mix: dict[Kind, float] | None = None, device: torch.device | str = "cpu",
) -> tuple[Batch, list[Example]]:  # fmt: skip
    """`size` videos of `frames` frames with one question each, kinds by `mix`."""
    kinds, shares = zip(*(mix or MIX).items(), strict=True)
    drawn = rng.choice(len(kinds), size, p=np.array(shares) / sum(shares))
    return collate(
        bank, [_draw_or_exists(bank, rng, frames=frames, kind=kinds[k]) for k in drawn], tokenizer, encoder, device
    )


def _draw_or_exists(bank: Bank, rng: np.random.Generator, *, frames: int, kind: Kind) -> Example:
    """A question of `kind`; where so short a video never holds one, whether something exists."""
    try:
        return draw_example(bank, rng, frames=frames, kind=kind)
    except ValueError:
        return draw_example(bank, rng, frames=frames, kind="exists")


def collate(
    bank: Bank, examples: Sequence[Example], tokenizer: AnswerTokenizer, encoder: TextEncoder,
    device: torch.device | str,
) -> tuple[Batch, list[Example]]:  # fmt: skip
    rows = torch.from_numpy(np.stack([e.rows for e in examples]))
    answers = [tokenizer.encode(e.answer) for e in examples]
    longest = max(len(a) for a in answers)
    text = encoder.encode([e.question.text for e in examples])
    batch = Batch(
        deep=bank.deep[rows].to(device),
        fine=bank.fine[rows].to(device),
        text=text,
        relevant=torch.from_numpy(np.stack([e.relevant for e in examples])).to(device),
        answer=torch.tensor([a + [PAD] * (longest - len(a)) for a in answers], device=device),
        speaks=torch.ones(len(examples), device=device),
    )
    return batch, list(examples)


@dataclass(frozen=True)
class Captions:
    """Stage 1's batch: clips of F frames, phrases, and which phrase holds in which frame.

    `deep` (B, F, P, C), `fine` (B, F, Pf, Cf), `phrases` n texts, `holds` (B, F, n) 0/1.
    """

    deep: torch.Tensor
    fine: torch.Tensor
    phrases: tuple[str, ...]
    holds: torch.Tensor


def draw_captions(
    bank: Bank,
    rng: np.random.Generator,
    *,
    size: int,
    frames: int,
    limit: int = 256,
    device: torch.device | str = "cpu",
) -> Captions:
    """`size` clips of `frames` frames inside one scene each, with what every frame shows in words."""
    rows, spoken = [], []
    for _ in range(size):
        scene = int(rng.integers(len(bank.scenes)))
        truth = bank.scenes[scene]
        start = int(rng.integers(0, max(1, truth.duration_s - frames + 1)))
        seconds = np.minimum(np.arange(start, start + frames), truth.duration_s - 1)
        rows.append(bank.first[scene] + seconds)
        spoken.append([_phrases(truth, int(s)) for s in seconds])
    pool = sorted({p for clip in spoken for frame in clip for p in frame})
    if len(pool) > limit:
        pool = [pool[int(i)] for i in rng.choice(len(pool), limit, replace=False)]
    place = {p: i for i, p in enumerate(pool)}
    holds = torch.zeros(size, frames, len(pool))
    for b, clip in enumerate(spoken):
        for f, frame in enumerate(clip):
            for phrase in frame:
                if phrase in place:
                    holds[b, f, place[phrase]] = 1
    picked = torch.from_numpy(np.stack(rows))
    return Captions(bank.deep[picked].to(device), bank.fine[picked].to(device), tuple(pool), holds.to(device))


def _phrases(truth: SceneTruth, second: int) -> set[str]:
    """What one frame shows, from coarse to fine."""
    said: set[str] = set()
    for a in truth.appearances:
        if a.start_s <= second < a.end_s:
            said |= {f"{a.colour} {a.shape}", f"{a.texture} {a.colour} {a.shape}", f"{a.size} {a.colour} {a.shape}"}
            said |= {a.shape, f"{a.colour} {a.shape} {MOTION_WORDS[a.motion]}"}
    for s in truth.signs:
        if s.start_s <= second < s.end_s:
            said |= {f"sign with the code {s.code}", f"{s.shape} {s.colour} sign", f"{s.colour} sign with a {s.symbol}"}
            said |= {f"{s.colour} sign with {s.glyph_colour} letters", f"sign that starts with {s.code[0]}"}
    return said
