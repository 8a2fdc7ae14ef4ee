"""What a question gets: an answer in words with its evidence, or the moments that were found."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

from rewind import answering
from rewind.answering import Around, Engine, Recollection
from rewind.language.answer import Decoded
from rewind.language.question import UNFOLLOWED, negates
from rewind.language.times import Span
from rewind.language.which import Which
from rewind.outcome import Recalled, frames_of
from rewind.relevance import FAMILIAR
from rewind.saying import Said, say
from rewind.store import Stretch
from rewind.timeline import Timeline
from rewind.values import Answer, Found, FrameCount, KeyFrame, Moment, Seconds, TokenCount, VideoInfo
from rewind.vision.concepts import PEOPLE_ALIKE

MOMENTS = 5
"""Moments of an answer at most; of what `find` gives where no other number is asked for, too."""


@dataclass(frozen=True)
class Told:
    """What is told of one question: the decoder's own words, those of the answer, the key frames that were looked at
    and the moments that the scores found; `select_s` and `answer_s`: what choosing and telling took."""

    decoded: Decoded
    said: Said
    key_frames: tuple[KeyFrame, ...]
    moments: tuple[Moment, ...]
    select_s: float = 0.0
    answer_s: float = 0.0


def tell(
    engine: Engine, seen: Recollection, stretch: Stretch, timeline: Timeline, info: VideoInfo, *,
    until_s: float | None = None, which: Which | None = None, within: Span | None = None, at_s: float | None = None,
    followed: bool = True, around: Around | None = None,
) -> Told:  # fmt: skip
    """Key frames and moments, then words, of a stretch whose frames' times `timeline` holds.

    Args:
        until_s: where the part of the video that is asked about ends; which: of its moments the one that is asked for.
        within, at_s, followed, around: as `say` takes them.
    """
    begun = time.perf_counter()
    picks, key_frames = answering.choose(engine, seen, timeline)
    moments = answering.moments_of(seen.relevance, timeline, info, limit=MOMENTS, until_s=until_s, which=which)
    selected = time.perf_counter()
    decoded = answering.decode(engine, seen, picks, stretch, timeline)
    end_s = answering.end_of(timeline, info, until_s=until_s)
    said = say(
        engine, seen, decoded, moments, stretch, timeline, end_s=end_s, within=within, at_s=at_s, followed=followed,
        around=around,
    )  # fmt: skip
    return Told(decoded, said, key_frames, moments, selected - begun, time.perf_counter() - selected)


def answer_of(engine: Engine, here: Recalled, info: VideoInfo, *, took: Seconds) -> Answer:
    """What is told of a question, with its evidence and all that was given up. `took` is what reading and memory
    cost."""
    scope, seen, timeline = here.scope, here.seen, here.timeline
    told = tell(
        engine, seen, here.stretch, timeline, info, until_s=scope.until_s, which=scope.which,
        within=scope.within, at_s=scope.at_s, followed=not scope.notes, around=here.around,
    )  # fmt: skip
    said, decoded = told.said, told.decoded
    best, best_at, lacks = seen.relevance.best, answering.best_time(seen.relevance, timeline), here.lacks
    if said.unasked:  # what is in view is no moment of what was looked for, as nothing was
        best, best_at, lacks = said.moments[0].score, said.moments[0].start_s, ()
    if said.source == "concepts" and said.moments and not said.unasked:
        lacks = (*lacks, *_taken_for_others(engine, scope.words))
    return Answer(
        answer=said.text, absent=said.absent, moments=said.moments,
        key_frames=tuple(replace(k, row=here.first_row + k.row) for k in told.key_frames),
        confidence=round(said.confidence, 4), answer_source=said.source, best_score=best, best_time_s=best_at,
        threshold=seen.relevance.threshold, tokens=decoded.tokens, frames=frames_of(here.stretch, timeline),
        model=engine.name, video=info, within=scope.within,
        degradations=(*here.lost, *scope.notes, *seen.text.degradations, *lacks, *decoded.degradations),
        seconds=replace(took, select=told.select_s, answer=told.answer_s),
    )  # fmt: skip


def _taken_for_others(engine: Engine, words: str) -> tuple[str, ...]:
    """What is to be told of the moments that concepts found."""
    return (PEOPLE_ALIKE,) if engine.concepts is not None and engine.concepts.takes_for_anyone(words) else ()


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
    by_concepts = bool(moments) and seen.familiarity < FAMILIAR
    unfollowed = (UNFOLLOWED,) if by_concepts and negates(scope.words) else ()
    others = _taken_for_others(engine, scope.words) if by_concepts else ()
    return Found(
        absent=not moments, moments=moments,
        best_score=float(relevance.scores[-1]) if only_now else relevance.best,
        best_time_s=last if only_now else answering.best_time(relevance, timeline),
        threshold=relevance.threshold if threshold is None else threshold, frames=frames_of(here.stretch, timeline),
        model=engine.name, video=info, within=scope.within,
        degradations=(*here.lost, *scope.notes, *seen.text.degradations, *here.lacks, *unfollowed, *others),
        seconds=replace(took, select=time.perf_counter() - begun), known=relevance.known,
    )  # fmt: skip
