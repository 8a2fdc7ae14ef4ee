"""What a question gets: an answer in words with its evidence, or the moments that were found."""

from __future__ import annotations

import time
from dataclasses import replace

from rewind import answering
from rewind.answering import Engine
from rewind.language.question import UNFOLLOWED, negates
from rewind.outcome import Recalled, frames_of
from rewind.relevance import FAMILIAR
from rewind.saying import say
from rewind.values import Answer, Found, FrameCount, Seconds, TokenCount, VideoInfo

MOMENTS = 5
"""Moments of an answer at most."""


def answer_of(engine: Engine, here: Recalled, info: VideoInfo, *, took: Seconds) -> Answer:
    """Key frames, then words. `took` is what reading and memory cost."""
    scope, seen, timeline = here.scope, here.seen, here.timeline
    begun = time.perf_counter()
    picks, key_frames = answering.choose(engine, seen, timeline)
    moments = answering.moments_of(
        seen.relevance, timeline, info, limit=MOMENTS, until_s=scope.until_s, which=scope.which
    )
    selected = time.perf_counter()
    decoded = answering.decode(engine, seen, picks, here.stretch, timeline)
    said = say(
        engine, seen, decoded, moments, here.stretch, timeline, part=scope.within is not None, at_s=scope.at_s,
        end_s=answering.end_of(timeline, info, until_s=scope.until_s), followed=not scope.notes,
    )  # fmt: skip
    best, best_at, lacks = seen.relevance.best, answering.best_time(seen.relevance, timeline), here.lacks
    if said.unasked:  # what is in view is no moment of what was looked for, as nothing was
        best, best_at, lacks = said.moments[0].score, said.moments[0].start_s, ()
    answered = time.perf_counter()
    return Answer(
        answer=said.text, absent=said.absent, moments=said.moments,
        key_frames=tuple(replace(k, row=here.first_row + k.row) for k in key_frames),
        confidence=round(said.confidence, 4), answer_source=said.source, best_score=best, best_time_s=best_at,
        threshold=seen.relevance.threshold, tokens=decoded.tokens, frames=frames_of(here.stretch, timeline),
        model=engine.name, video=info, within=scope.within,
        degradations=(*here.lost, *scope.notes, *seen.text.degradations, *lacks, *decoded.degradations),
        seconds=replace(took, select=selected - begun, answer=answered - selected),
    )  # fmt: skip


def told_by_the_file(engine: Engine, fact: str, info: VideoInfo) -> Answer:
    """What the header says, with nothing watched."""
    return Answer(
        answer=fact, absent=False, moments=(), key_frames=(), confidence=1.0, answer_source="file", best_score=0.0,
        best_time_s=info.start_s, threshold=0.0, tokens=TokenCount(0, 0, 0, 0, 0, 0, engine.model.config.budget),
        frames=FrameCount(0, 0, 0), model=engine.name, video=info,
    )  # fmt: skip


def found_of(
    engine: Engine, here: Recalled, info: VideoInfo, *, took: Seconds, threshold: float | None, limit: int,
    only_now: bool,
) -> Found:  # fmt: skip
    """Moments from the scores. `only_now`: the one that lasts to the end."""
    begun = time.perf_counter()
    scope, seen, timeline, relevance = here.scope, here.seen, here.timeline, here.seen.relevance
    last = float(timeline.seconds[-1])
    moments = answering.moments_of(
        relevance, timeline, info, threshold=threshold, limit=None if only_now else limit, until_s=scope.until_s,
        which=scope.which,
    )  # fmt: skip
    if only_now:
        moments = tuple(m for m in moments if m.end_s > last)
    unfollowed = (UNFOLLOWED,) if moments and seen.familiarity < FAMILIAR and negates(scope.words) else ()
    return Found(
        absent=not moments, moments=moments,
        best_score=float(relevance.scores[-1]) if only_now else relevance.best,
        best_time_s=last if only_now else answering.best_time(relevance, timeline),
        threshold=relevance.threshold if threshold is None else threshold, frames=frames_of(here.stretch, timeline),
        model=engine.name, video=info, within=scope.within,
        degradations=(*here.lost, *scope.notes, *seen.text.degradations, *here.lacks, *unfollowed),
        seconds=replace(took, select=time.perf_counter() - begun), known=relevance.known,
    )  # fmt: skip
