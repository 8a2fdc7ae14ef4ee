"""Many questions of one video at once: memory walks in batches, then each question goes the engine's own way.

What a frame writes to memory hangs on the frames before it and on the instruction, never on those after: questions
that end at different times walk together as far as their whole clips go, and part for the rest. What they wrote is laid
where `answering.recollect` looks for memories of earlier questions, so that all else is the engine's own work.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from rewind import answering
from rewind.answering import Recollection
from rewind.evaluate.watched import Watched
from rewind.memory.aim import Handed
from rewind.replies import MOMENTS, Told, tell
from rewind.store import Stretch
from rewind.store.memories import KEPT, keep_memory
from rewind.text.spelling import read_instructions
from rewind.threads import one_thread
from rewind.values import Moment

BATCH = 12


@dataclass(frozen=True)
class Asked:
    """An instruction, asked as if the video ended at `until_s` (seconds of its own time)."""

    text: str
    until_s: float | None = None


@torch.no_grad()
def project_all(watched: Watched) -> Tensor:
    """What of a video's features depends on no instruction, worked out once: (T, P, D), some 6–25 kB a frame."""
    engine, stored = watched.engine, watched.stored
    with one_thread(when=engine.small):
        return torch.cat(list(answering.projected(engine, stored.stretch())))


def recollect_all(
    watched: Watched, asked: Sequence[Asked], *, patches: Tensor | None = None, batch: int = BATCH
) -> Iterator[tuple[int, Recollection]]:
    """The memory of the video under each instruction, with its place in `asked`; the same as `answering.recollect`.

    Places come in batches of questions of like length, not in order. One batch's memories are held at a time.

    Args:
        patches: of `project_all`, where several calls share them.
        batch: questions that walk together, fewer than the memories that a store keeps.
    """
    patches = project_all(watched) if patches is None else patches
    rows = [len(watched.until(a.until_s)) for a in asked]
    order = sorted(range(len(asked)), key=lambda i: (-rows[i], i))
    batch = min(batch, KEPT - 1)
    for start in range(0, len(order), batch):
        places = order[start : start + batch]
        with one_thread(when=watched.engine.small):
            _walk(watched, patches, [asked[i].text for i in places], [rows[i] for i in places])
        for i in places:
            timeline = watched.until(asked[i].until_s)
            yield i, answering.recollect(watched.engine, _stretch(watched, asked[i]), timeline, asked[i].text)


def answer_of(watched: Watched, asked: Asked, seen: Recollection) -> Told:
    """What `Video.ask` says, from the same calls."""
    timeline, stretch = watched.until(asked.until_s), _stretch(watched, asked)
    return tell(watched.engine, seen, stretch, timeline, watched.info, until_s=asked.until_s)


def moments_of(
    watched: Watched, asked: Asked, seen: Recollection, *, threshold: float | None = None, limit: int = MOMENTS
) -> tuple[Moment, ...]:
    """What `Video.find` gives, best first; none means absent."""
    return answering.moments_of(
        seen.relevance, watched.until(asked.until_s), watched.info, threshold=threshold, limit=limit,
        until_s=asked.until_s,
    )  # fmt: skip


def _stretch(watched: Watched, asked: Asked) -> Stretch:
    return watched.stored.stretch(0, len(watched.until(asked.until_s)))


@torch.no_grad()
def _walk(watched: Watched, patches: Tensor, texts: Sequence[str], rows: Sequence[int]) -> None:
    """Keep the memory of the first rows[i] frames under texts[i]: whole clips together, the last part of one alone."""
    engine, model = watched.engine, watched.engine.model
    size = model.config.clip_frames
    whole = [n // size * size for n in rows]
    together = model.begin(read_instructions(engine.text, list(texts)))
    handed: dict[int, Handed | None] = {}
    for clip in patches[: max(whole)].split(size) if max(whole) else ():
        together = model.perceive(together, clip.to(model.dtype).expand(len(texts), *clip.shape))
        if together.frames in whole:
            handed[together.frames] = together.handed
    shared = together.tokens() if max(whole) else None
    for i, (words, first, last) in enumerate(zip(texts, whole, rows, strict=True)):
        parts = [] if shared is None else [shared[i : i + 1, :first]]
        if first < last:
            state = model.begin(read_instructions(engine.text, [words]))
            if first:
                state = state.append(parts[0], *model.read.project(parts[0]))
                last_of_it = handed[first]
                state = replace(state, handed=last_of_it and last_of_it.row(i))
            parts = [model.perceive(state, patches[first:last].to(model.dtype)).tokens()]
        kept = answering.memory_file_of(engine, watched.stored.stretch(0, last), words)
        if kept is not None:
            keep_memory(kept, parts[0])
