"""What a question is asked of: all of a video, or the part that options or the question's own words name. Without
NumPy, so that the command line can refuse a part before anything is loaded."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from rewind.clock import format_time
from rewind.errors import ConfigError
from rewind.language.times import Span
from rewind.language.which import Which, which_named
from rewind.language.within import part_named

if TYPE_CHECKING:
    from rewind.timeline import Timeline
    from rewind.values import VideoInfo


@dataclass(frozen=True)
class Scope:
    """The `words` that are looked for, in the frames from second `low` to before `high` of the video's own time (None:
    from its start, to its end). `within` is that part as it is told, None for all of the video; `notes` say what of the
    question was not followed. `which` of its moments is asked for, None for all of them; `at_s`: the instant that is
    asked about, which the part lies around. `around`: what is looked at to tell of a part that the question names: of
    one that is short, the seconds around it too."""

    words: str
    low: float | None
    high: float | None
    within: Span | None
    notes: tuple[str, ...] = ()
    which: Which | None = None
    at_s: float | None = None
    around: Span | None = None

    @property
    def until_s(self) -> float | None:
        """Where the part ends."""
        return None if self.within is None else self.within[1]

    def rows(self, timeline: Timeline) -> slice:
        """The rows of a video's frames that are meant. Raises: ConfigError where none of them lies there."""
        return _rows(timeline, self.low, self.high)

    @property
    def looked_at(self) -> tuple[float | None, float | None]:
        """`low` and `high` of what is looked at to tell of the part that is meant."""
        return self.around or (self.low, self.high)

    def rows_around(self, timeline: Timeline) -> slice:
        """The rows of a video's frames that are looked at to tell of those that are meant."""
        return _rows(timeline, *self.looked_at)


def _rows(timeline: Timeline, low: float | None, high: float | None) -> slice:
    first = 0 if low is None else timeline.rows_until(low)
    stop = len(timeline) if high is None else timeline.rows_until(high)
    if first >= stop:
        raise ConfigError(
            "no sampled frame in that part of the video",
            allowed="a part with at least one",
            do="widen it, or raise --fps",
        )
    return slice(first, stop)


def check_order(from_s: float | None, until_s: float | None) -> None:
    """What holds of limits in seconds whatever the video. Raises: ConfigError for a part that ends before it begins."""
    if from_s is not None and until_s is not None and not from_s < until_s:
        raise ConfigError(f"from {from_s} s until {until_s} s", allowed="a part that ends after it begins")


def limits_of(
    info: VideoInfo, *, from_s: float | None, until_s: float | None
) -> tuple[float | None, float | None]:  # fmt: skip
    """The limits that were given in seconds, None for one at infinity, which leaves nothing out.

    Raises: ConfigError for limits between which no video can lie.
    """
    start = info.start_s
    from_s, until_s = None if from_s == -math.inf else from_s, None if until_s == math.inf else until_s
    if until_s is not None and not until_s > start:
        raise ConfigError(f"until {until_s} s", allowed="a time after the video's start", do="give a later --until")
    if from_s is not None and not from_s < math.inf:
        raise ConfigError(f"from {from_s} s", allowed="a time before the video's end", do="give an earlier --from")
    check_order(from_s, until_s)
    return from_s, until_s


def scope_of(instruction: str, info: VideoInfo, *, fps: Fraction, from_s: float | None, until_s: float | None) -> Scope:
    """What a question asks of a video of known length. Times that its words tell count from the video's own, and *the
    first minute* from `from_s`.

    Raises: ConfigError for a part that begins where the video has ended.
    """
    start = info.start_s
    end = start + (info.duration_s or 0.0)
    if from_s is not None and not from_s < end:
        ends_at = format_time(end, hours=True)
        raise ConfigError(
            f"from {from_s} s", allowed=f"a time before the video's end, {ends_at}", do="give an earlier --from"
        )
    whole = from_s is None and until_s is None
    begins, ends = max(start, start if from_s is None else from_s), min(end, end if until_s is None else until_s)
    named = part_named(instruction, start_s=begins, end_s=ends, step_s=1 / float(fps))
    words, which = which_named(named.words)
    # The frames of limits that were given are those between them, whatever the header says of the video's length.
    low, high = named.part or (from_s, until_s)
    within = named.part or (None if whole else (begins, ends))
    return Scope(
        words, low, high, within, () if named.note is None else (named.note,), which, named.at_s, named.looked_at
    )
