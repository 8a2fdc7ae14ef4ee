"""One family of errors. Each message says what was given, what is allowed and what to do next, in one line."""

from __future__ import annotations


class RewindError(Exception):
    """Base of every error that Rewind raises on purpose; `str(error)` is the one line a user reads.

    Args:
        given: what was found, e.g. ``"notes.txt is not a video"``.
        allowed: what would have been accepted, e.g. ``"a file with a video stream"``.
        do: what to type or change next.
    """

    def __init__(self, given: str, *, allowed: str = "", do: str = "") -> None:
        self.given = _one_line(given)
        self.allowed = _one_line(allowed)
        self.do = _one_line(do)
        parts = [self.given]
        if self.allowed:
            parts.append(f"allowed: {self.allowed}")
        if self.do:
            parts.append(self.do)
        super().__init__("; ".join(parts))


class VideoError(RewindError):
    """The source cannot be read as a video: missing, foreign, empty, truncated, without a video stream, stalled."""


class StoreError(RewindError):
    """The feature store is damaged, foreign, outdated, full or not writable."""


class WeightsError(RewindError):
    """Weights are missing, have another SHA-256 than the one expected, or do not fit the config."""


class ConfigError(RewindError, ValueError):
    """An option has a value that is not allowed."""


class BudgetError(RewindError):
    """A request does not fit the token budget."""


class TestSeedError(RewindError):
    """Training asked for a seed of the test range."""

    __test__ = False  # not a test class, whatever its name suggests to a collector


def is_text(text: str) -> bool:
    """Whether UTF-8 can write it: what a terminal hands over of other bytes is half characters (surrogates)."""
    return not any("\ud800" <= c <= "\udfff" for c in text)


def _one_line(text: str) -> str:
    return " ".join(str(text).split())
