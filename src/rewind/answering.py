"""From a video's stored features and an instruction to memory, relevance, key frames, moments and words."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

import torch
from torch import Tensor

from rewind.clock import format_time
from rewind.errors import ConfigError
from rewind.memory import MemoryState
from rewind.model import Decoded, ReWind, Selection
from rewind.models import Fingerprint
from rewind.relevance import Relevance, join
from rewind.selection import spans
from rewind.store import Part, StoredFeatures
from rewind.store.memories import keep_memory, load_memory, memory_file
from rewind.text import TextEncoder, TextFeatures
from rewind.text.spelling import read_instructions
from rewind.threads import one_thread
from rewind.values import AnswerSource, KeyFrame, Moment, Timeline, VideoInfo
from rewind.vision.concepts import UNKNOWN, Concepts

DECODER_MIN = 0.25
"""Confidence from which the decoder's words are the answer. Of worlds' questions that it is .25 to .5 sure of it
answers about half rightly, the concepts next to none; of questions unlike those of its training it is hardly ever so
sure."""
SUPPORTED = 0.5
"""Share of what counts as seen that memory's best score must reach for the decoder's words to stand. On real footage
memory's scores for what its worlds call a sign are 0.00, and the decoder made up a colour for it all the same; where it
was right on validation worlds of 10 minutes and listed nothing, they were two thirds of it and more."""
NEEDS_NO_SUPPORT = ("no", "never", "0")
"""What may be said of a video that shows nothing of what was asked for."""
ASKS_MORE = re.compile(
    r"\s*(?:what|which|who|whose|whom|how|where|why)\b"
    r"(?!\s+(?:time|second|minute|moment|part|in\s+the\s+(?:video|film|recording))s?\b)",
    re.IGNORECASE,
)
"""Questions that are not answered by times alone."""
ABSENT = "Not in this video."
NAMED = 0.15
"""Probability from which a class is named."""
SMALL = 50_000_000
"""Parameters up to which a model's operations are too short for more than one thread."""

T = TypeVar("T")
P = ParamSpec("P")


@dataclass(frozen=True)
class Engine:
    """What answers: model, instruction encoder, and concepts where the vision encoder has classes."""

    model: ReWind
    hashes: Fingerprint
    text: TextEncoder
    concepts: Concepts | None

    @property
    def model_hash(self) -> str:
        return self.hashes.whole

    @property
    def small(self) -> bool:
        return sum(parameter.numel() for parameter in self.model.parameters()) <= SMALL


@dataclass(frozen=True)
class Recollection:
    """A video remembered under one instruction: memory, what asks, and the relevance of each frame."""

    text: TextFeatures
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
def recollect(engine: Engine, stored: StoredFeatures, timeline: Timeline, instruction: str) -> Recollection:
    """Walk the first len(timeline) frames under `instruction`, or find that walk's memory beside the features."""
    begun = time.perf_counter()
    rows = len(timeline)
    if rows == 0:
        raise ConfigError("no frame before that time", allowed="a later --until")
    model, config = engine.model, engine.model.config
    text = read_instructions(engine.text, [instruction])
    kept = memory_file_of(engine, stored, instruction, rows)
    tokens = load_memory(kept, (1, rows, config.write_tokens, config.width)) if kept else None
    state = model.begin(text)
    if tokens is not None:
        state = state.holding(tokens)
    else:
        for stretch in projected(engine, stored, rows):
            state = _walk(model, state, stretch)
        state = state.closed()
        if kept:
            keep_memory(kept, state.tokens())
    seconds = torch.from_numpy(timeline.seconds)
    memory = model.frame_scores(state, left=seconds[-1] - seconds)
    concepts, known, lack = None, False, UNKNOWN
    if engine.concepts is not None:
        # One block: a small one after each stretch would keep the room of that stretch from being used again.
        evidence, done = torch.empty(rows), 0
        for (part,) in stored.stretches("posterior", rows=rows):
            evidence[done : done + len(part)] = engine.concepts.evidence(part, instruction)
            done += len(part)
        found = engine.concepts.judge(evidence, instruction, timeline)
        concepts, known, lack = found.scores, bool(found.known), found.lack
    relevance = join(memory, concepts, familiarity=model.familiarity(text), concepts_know=known, lack=lack)
    return Recollection(text, state, relevance, time.perf_counter() - begun)


@_fit_threads
def choose(engine: Engine, seen: Recollection, timeline: Timeline) -> tuple[Selection, tuple[KeyFrame, ...]]:
    """The rewind: key frames by relevance and density peaks, with their times."""
    picks = engine.model.select(seen.state, scores=seen.relevance.scores)
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
) -> tuple[Moment, ...]:
    """Moments that reach the threshold, in the file's own time, none past `until_s`; none at all means absent."""
    seconds = timeline.seconds
    step = 1 / float(timeline.clock.fps)
    end = float(seconds[-1]) + step
    if info.duration_s is not None:
        stop = float(info.start_pts * info.time_base) + info.duration_s
        end = min(end, stop) if stop > float(seconds[-1]) else end
    if until_s is not None:
        end = min(end, until_s)
    return tuple(
        spans(
            relevance.scores, seconds, threshold=relevance.threshold if threshold is None else threshold, shoulder=0.5,
            merge_gap_s=step, end_s=end, step_s=step, limit=limit,
        )
    )  # fmt: skip


@torch.no_grad()
def decode(engine: Engine, seen: Recollection, picks: Selection, stored: StoredFeatures, timeline: Timeline) -> Decoded:
    """The decoder's words on memory, key frames and instruction."""
    # A decoder from elsewhere is large, whatever the memory's size.
    with one_thread(when=engine.small and engine.model.borrowed is None):
        return engine.model.answer(
            seen.state, picks, text=seen.text, patches=_patches(engine.model, stored, picks.rows),
            seconds=torch.from_numpy(timeline.seconds), scores=seen.relevance.scores,
        )  # fmt: skip


@dataclass(frozen=True)
class Said:
    """The answer's words, where they come from, how sure, and whether they say that the thing is absent."""

    text: str
    source: AnswerSource
    confidence: float
    absent: bool


def say(
    engine: Engine, seen: Recollection, decoded: Decoded, moments: Sequence[Moment], key_frames: Sequence[KeyFrame],
    stored: StoredFeatures, timeline: Timeline,
) -> Said:  # fmt: skip
    """One path for all video: the decoder where it is sure, else the concepts, else the plain word that none knows."""
    relevance = seen.relevance
    supported = relevance.remembered >= SUPPORTED or decoded.text in NEEDS_NO_SUPPORT
    if decoded.confidence >= DECODER_MIN and decoded.text and supported:
        text = decoded.text
        absent = text in ("never", "no") and not moments
        if text == "never" and absent:
            text = ABSENT
        elif text in ("at", "never"):
            # Where the scores have found the thing, a decoder that says never is not believed: `find` shows it too.
            text = _times(moments) if moments else f"Around {_clock(best_time(relevance, timeline))}, faintly."
        return Said(text, "decoder", decoded.confidence, absent)
    if engine.concepts is None or not relevance.known:
        shown = _on_screen(engine, stored, [k.row for k in key_frames])
        seen_there = f" On screen at the key frames: {shown}." if shown else ""
        return Said(f"I do not know.{seen_there}", "none", max(0.0, decoded.confidence), False)
    if not moments:
        return Said(ABSENT, "concepts", 1 - relevance.best, True)
    first = moments[0]
    rows = [i for i, s in enumerate(timeline.seconds) if first.start_s <= s < first.end_s]
    shown = _on_screen(engine, stored, rows[:: max(1, len(rows) // 16)])
    text = _times(moments[:1]) + (f" On screen: {shown}." if shown else "")
    if ASKS_MORE.match(seen.text.texts[0]):
        text = f"I cannot tell; what is asked about is seen {text[0].lower()}{text[1:]}"
        return Said(text, "concepts", max(0.0, decoded.confidence), False)
    return Said(text, "concepts", first.score, False)


def _clock(seconds: float) -> str:
    return format_time(seconds, hours=True)


def best_time(relevance: Relevance, timeline: Timeline) -> float:
    """The instant, in seconds, of the frame with the best score."""
    return float(timeline.instant(int(relevance.scores.argmax())))


def _times(moments: Sequence[Moment]) -> str:
    parts = [f"{_clock(m.start_s)} – {_clock(m.end_s)}" for m in sorted(moments[:3])]
    return f"At {', '.join(parts)}."


def _on_screen(engine: Engine, stored: StoredFeatures, rows: Sequence[int]) -> str:
    """The surest classes of some frames in words, or nothing."""
    if engine.concepts is None or not rows:
        return ""
    named = engine.concepts.names(stored.rows("posterior", list(rows)))
    return ", ".join(f"{name} ({p:.2f})" for name, p in named if p >= NAMED)


def _patches(model: ReWind, stored: StoredFeatures, rows: Sequence[int]) -> Tensor:
    """Projected patches (k, P, D) of some frames."""
    fine = None if model.config.perceives == "deep" else stored.rows("fine", list(rows))
    return model.project(stored.rows("deep", list(rows)), fine)


def projected(engine: Engine, stored: StoredFeatures, rows: int) -> Iterator[Tensor]:
    """Projected patches of the first `rows` frames, many clips at a time; a neck's are kept beside the features."""
    model = engine.model
    size = model.config.clip_frames * 16
    if model.config.perceives == "neck":
        yield from stored.derived_clips(size, model.project, name=engine.hashes.patches[:16], rows=rows)
        return
    parts: tuple[Part, ...] = ("deep",) if model.config.perceives == "deep" else ("deep", "fine")
    for stretch in stored.clips(size, *parts, rows=rows):
        yield model.project(*stretch)


def _walk(model: ReWind, state: MemoryState, patches: Tensor) -> MemoryState:
    """The loop over a stretch (n, P, D) that begins where a clip does."""
    for clip in patches.to(model.dtype).split(model.config.clip_frames):
        state = model.perceive(state, clip)
    return state


def memory_file_of(engine: Engine, stored: StoredFeatures, instruction: str, rows: int) -> Path | None:
    """Where the memory of the first `rows` frames under `instruction` is kept; None where nothing can be."""
    if not stored.folder.is_dir() or stored.trouble:
        return None
    return memory_file(stored.folder, engine.hashes.walk, engine.text.weights_hash, instruction, str(rows))
