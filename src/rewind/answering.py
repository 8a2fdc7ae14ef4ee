"""From stored features and an instruction to memory, relevance, key frames, moments and the decoder's words."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import wraps
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

import torch
from torch import Tensor

from rewind.config import Selector
from rewind.language.answer import Decoded
from rewind.language.which import Which
from rewind.memory import MemoryState
from rewind.model import ReWind
from rewind.models import Fingerprint
from rewind.relevance import FAMILIAR, Relevance, join
from rewind.selection import Selection, spans
from rewind.store import Part, Stretch
from rewind.store.memories import keep_memory, load_memory, memory_file
from rewind.text import TextEncoder, TextFeatures
from rewind.text.spelling import read_instructions
from rewind.threads import one_thread
from rewind.timeline import Timeline
from rewind.values import KeyFrame, Moment, VideoInfo
from rewind.vision.concepts import SEEN, UNKNOWN, Concepts

SMALL = 50_000_000
"""Parameters up to which a model's operations are too short for more than one thread."""

NOW = re.compile(
    r"^\s*(?:right\s+)?now\b[\s,]+(?=\S)|(?<=[^\s,])[\s,]+(?:(?:right\s+|just\s+)?now|at\s+(?:this\s+moment|present))(?=[\s?.!]*$)",
    re.IGNORECASE,
)
"""Words that ask for the last instant, where a query begins or ends with them."""

VAGUE = "the words do not say enough of what the thing looks like for memory to look for it"
T = TypeVar("T")
P = ParamSpec("P")


@dataclass(frozen=True)
class Engine:
    """What answers: model, instruction encoder, and concepts where the vision encoder has classes, or by an image-text
    model where one is named: `beside`."""

    model: ReWind
    hashes: Fingerprint
    text: TextEncoder
    concepts: Concepts | None
    beside: str | None = None

    @property
    def name(self) -> str:
        """What results call it."""
        return self.model.name if self.beside is None else f"{self.model.name} + {self.beside}"

    @property
    def model_hash(self) -> str:
        return self.hashes.whole

    def names_untaught(self, instruction: str) -> bool:
        """Whether an instruction names a thing that the classifier knows, by a word that no question of training holds:
        neither memory nor the bundled decoder was taught it, however like those questions it sounds."""
        if self.concepts is None or self.model.tokenizer is None:
            return False
        return self.concepts.names_beyond(instruction, self.model.tokenizer.words)

    def familiarity(self, text: TextFeatures) -> float:
        """0–1: how like the questions of training an instruction is; 0 where it asks for what memory cannot look for,
        however like those questions it sounds."""
        able = not self.names_untaught(text.texts[0]) and self.model.names_a_look(text)
        return self.model.familiarity(text) if able else 0.0

    def vague(self, text: TextFeatures) -> bool:
        """Whether an instruction sounds like one for memory and does not say what the thing looks like: *a sign*."""
        sounds = self.model.familiarity(text) >= FAMILIAR and not self.names_untaught(text.texts[0])
        return sounds and not self.model.names_a_look(text)

    @property
    def small(self) -> bool:
        return sum(parameter.numel() for parameter in self.model.parameters()) <= SMALL


@dataclass(frozen=True)
class Around:
    """What is looked at to tell of some frames: they are the `rows` of a stretch whose frames' times `timeline` holds,
    and which ends at second `end_s`. What the classifier says of single frames misleads: of a second it is told by the
    seconds around it too."""

    stretch: Stretch
    timeline: Timeline
    end_s: float
    rows: slice


@dataclass(frozen=True)
class Recollection:
    """A video remembered under one instruction: memory, what asks and how like training's questions that is, and the
    relevance of each frame."""

    text: TextFeatures
    familiarity: float
    state: MemoryState
    relevance: Relevance
    memory_s: float


def _fit_threads(work: Callable[Concatenate[Engine, P], T]) -> Callable[Concatenate[Engine, P], T]:
    @wraps(work)
    def inner(engine: Engine, /, *args: P.args, **options: P.kwargs) -> T:
        with one_thread(when=engine.small):
            return work(engine, *args, **options)

    return inner


@_fit_threads
@torch.no_grad()
def recollect(
    engine: Engine, stretch: Stretch, timeline: Timeline, instruction: str, *, around: Around | None = None
) -> Recollection:
    """Walk a stretch's frames, whose times `timeline` holds, under `instruction`, or find that walk's memory beside the
    features. Concepts look at what lies `around` the stretch too."""
    begun = time.perf_counter()
    rows = len(timeline)
    model, config = engine.model, engine.model.config
    text = read_instructions(engine.text, [instruction])
    kept = memory_file_of(engine, stretch, instruction)
    tokens = load_memory(kept, (1, rows, config.write_tokens, config.width)) if kept else None
    state = model.begin(text)
    if tokens is not None:
        state = state.holding(tokens)
    else:
        for patches in projected(engine, stretch):
            state = _walk(model, state, patches)
        state = state.closed()
        if kept:
            keep_memory(kept, state.tokens())
    seconds = torch.from_numpy(timeline.seconds)
    memory = model.frame_scores(state, left=seconds[-1] - seconds)
    concepts, known, lack = None, False, UNKNOWN
    if engine.concepts is not None:
        text = replace(text, degradations=(*text.degradations, *engine.concepts.cuts(instruction)))
        wide = around or Around(stretch, timeline, float(seconds[-1]), slice(0, rows))
        found = engine.concepts.score_parts(wide.stretch.part("posterior"), instruction, wide.timeline)
        concepts, known, lack = found.scores[wide.rows], bool(found.known), found.lack
        if float(concepts.max()) < SEEN and engine.vague(text):
            known, lack = False, VAGUE
    familiarity = engine.familiarity(text)
    relevance = join(memory, concepts, familiarity=familiarity, concepts_know=known, lack=lack)
    return Recollection(text, familiarity, state, relevance, time.perf_counter() - begun)


@_fit_threads
def choose(engine: Engine, seen: Recollection, timeline: Timeline) -> tuple[Selection, tuple[KeyFrame, ...]]:
    """The rewind: key frames by relevance and density peaks, with their times. Evenly spaced ones where no witness
    knows what is asked for: the best of scores that say nothing are the video's first frames."""
    blind: Selector | None = None if seen.relevance.known else "uniform"
    picks = engine.model.select(seen.state, scores=seen.relevance.scores, selector=blind)
    frames = (
        KeyFrame(float(timeline.instant(row)), round(score, 4), row)
        for row, score in zip(picks.rows, picks.scores, strict=True)
    )
    return picks, tuple(frames)


def moments_of(
    relevance: Relevance,
    timeline: Timeline,
    info: VideoInfo,
    *,
    threshold: float | None = None,
    limit: int | None = None,
    until_s: float | None = None,
    which: Which | None = None,
) -> tuple[Moment, ...]:
    """Moments that reach the threshold, in the file's own time, none past `until_s`; none at all means absent. Of all
    of them the one that is asked for, where `which` says so."""
    found = moments_in(
        relevance.scores, timeline, threshold=relevance.threshold if threshold is None else threshold,
        end_s=end_of(timeline, info, until_s=until_s), limit=limit if which is None else None,
    )  # fmt: skip
    if which is not None and found:
        return (min(found, key=lambda m: m.start_s) if which == "first" else max(found, key=lambda m: m.end_s),)
    return tuple(found)


def moments_in(
    scores: Tensor, timeline: Timeline, *, threshold: float, end_s: float, limit: int | None = None
) -> list[Moment]:
    """Moments of frames' scores (T,), by the one rule that the engine has: `spans`, with a sample as its step."""
    step = 1 / float(timeline.clock.fps)
    return spans(
        scores, timeline.seconds, threshold=threshold, shoulder=0.5, merge_gap_s=step, end_s=end_s, step_s=step,
        limit=limit,
    )  # fmt: skip


def end_of(timeline: Timeline, info: VideoInfo, *, until_s: float | None = None) -> float:
    """The second of the file's own time at which the last frame's picture ends: a sample's length after it comes, but
    not past the video's end or `until_s`."""
    last = float(timeline.seconds[-1])
    end = last + 1 / float(timeline.clock.fps)
    if info.duration_s is not None:
        stop = info.start_s + info.duration_s
        end = min(end, stop) if stop > last else end
    return end if until_s is None else min(end, until_s)


@torch.no_grad()
def decode(engine: Engine, seen: Recollection, picks: Selection, stretch: Stretch, timeline: Timeline) -> Decoded:
    """The decoder's words on memory, key frames and instruction."""
    # A decoder from elsewhere is large, whatever the memory's size.
    with one_thread(when=engine.small and engine.model.borrowed is None):
        return engine.model.answer(
            seen.state, picks, text=seen.text, patches=_patches(engine.model, stretch, picks.rows),
            seconds=torch.from_numpy(timeline.seconds), scores=seen.relevance.scores, familiarity=seen.familiarity,
        )  # fmt: skip


def best_time(relevance: Relevance, timeline: Timeline) -> float:
    """The instant, in seconds, of the frame with the best score."""
    return float(timeline.instant(int(relevance.scores.argmax())))


def _patches(model: ReWind, stretch: Stretch, rows: Sequence[int]) -> Tensor:
    """Projected patches (k, P, D) of some frames."""
    fine = None if model.config.perceives == "deep" else stretch.rows("fine", rows)
    return model.project(stretch.rows("deep", rows), fine)


def projected(engine: Engine, stretch: Stretch) -> Iterator[Tensor]:
    """Projected patches of a stretch's frames, many clips at a time; a neck's are kept beside the features."""
    model = engine.model
    size = model.config.clip_frames * 16
    if model.config.perceives == "neck":
        yield from stretch.derived_clips(size, model.project, name=engine.hashes.patches[:16])
        return
    parts: tuple[Part, ...] = ("deep",) if model.config.perceives == "deep" else ("deep", "fine")
    for clips in stretch.clips(size, *parts):
        yield model.project(*clips)


def _walk(model: ReWind, state: MemoryState, patches: Tensor) -> MemoryState:
    """The loop over patches (n, P, D) that begin where a clip does."""
    for clip in patches.to(model.dtype).split(model.config.clip_frames):
        state = model.perceive(state, clip)
    return state


def memory_file_of(engine: Engine, stretch: Stretch, instruction: str) -> Path | None:
    """Where the memory of a stretch under `instruction` is kept; None where nothing can be."""
    if stretch.folder is None:
        return None
    return memory_file(stretch.folder, engine.hashes.walk, engine.text.weights_hash, instruction, stretch.name)
