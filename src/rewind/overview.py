"""What a video shows, in words, for questions that name nothing: the surest names of each stretch of it, and when."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from rewind.clock import format_span
from rewind.language.times import Span
from rewind.store import Stretch
from rewind.timeline import Timeline
from rewind.values import Moment
from rewind.vision.concepts import WINDOW_S, Concepts

LISTED, TIMES = 5, 2
"""Names that are told at most, and stretches of each."""
LEAST = 3
"""Samples of a window at least, where they are far apart."""


@dataclass(frozen=True)
class Shown:
    """A name, and the longest stretches in which it is on screen, in time order; `more` says that there are others."""

    name: str
    moments: tuple[Moment, ...]
    more: bool = False

    @property
    def sure(self) -> float:
        return max(moment.score for moment in self.moments)

    def __str__(self) -> str:
        when = ", ".join(format_span(m.start_s, m.end_s) for m in self.moments)
        return f"{self.name} ({self.sure:.2f}) at {when}{', …' if self.more else ''}"


def overview(
    concepts: Concepts, stretch: Stretch, timeline: Timeline, *, end_s: float, within: Span | None = None
) -> tuple[Shown, ...]:
    """What is on screen most, up to `LISTED` names in the order in which they appear; none where nothing is sure.

    A stretch is made of whole windows of five seconds, three samples at least, that surely show it: of the names of
    single frames most are wrong (docs/concepts.md).

    Args:
        timeline: of the stretch's frames. end_s: where the last one's picture ends.
        within: the only part of it that is told of, in seconds.
    """
    rows = max(LEAST, round(WINDOW_S * float(timeline.clock.fps)))
    edges = [*timeline.seconds.tolist(), end_s]
    low, high = within or (-math.inf, math.inf)
    found: dict[str, list[Moment]] = {}
    first = 0
    for window in _windows((clip for (clip,) in stretch.clips(rows, "posterior")), least=(rows + 1) // 2):
        last = first + len(window)
        for name, sure in concepts.in_view(window, limit=LISTED):
            if edges[first] < high and low < edges[last]:
                told = Moment(max(low, edges[first]), min(high, edges[last]), sure)
                _add(found.setdefault(name, []), told)
        first = last
    most = sorted(found.items(), key=lambda item: -sum(m.score * (m.end_s - m.start_s) for m in item[1]))[:LISTED]
    shown = [Shown(name, _longest(moments), len(moments) > TIMES) for name, moments in most]
    return tuple(sorted(shown, key=lambda one: one.moments[0]))


def _windows(clips: Iterable[Tensor], *, least: int) -> Iterator[Tensor]:
    """Clips as they come, but a last one of fewer than `least` frames beside the one before: few frames mislead."""
    held: Tensor | None = None
    for clip in clips:
        if held is None:
            held = clip
        elif len(clip) < least:
            held = torch.cat([held, clip])
        else:
            yield held
            held = clip
    if held is not None:
        yield held


def _add(moments: list[Moment], new: Moment) -> None:
    if moments and moments[-1].end_s == new.start_s:
        before = moments.pop()
        new = Moment(before.start_s, new.end_s, max(before.score, new.score))
    moments.append(new)


def _longest(moments: Sequence[Moment]) -> tuple[Moment, ...]:
    return tuple(sorted(sorted(moments, key=lambda m: m.start_s - m.end_s)[:TIMES]))
