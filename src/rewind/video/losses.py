"""What a reading lost or approximated, counted so that two readings, one going on behind the other, add up to one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from rewind.values import FrameCount


@dataclass(frozen=True)
class Losses:
    """`late` pictures came at times that had passed, `errors` packets were broken, `early` samples show an earlier
    picture, by up to `earliest` ticks; `gaps` are stretches [begin, end) in ticks that hold no picture for over an
    hour; `notes` are sentences. Samples without a picture are no part of it: they stand in `FrameCount`."""

    late: int = 0
    errors: int = 0
    early: int = 0
    earliest: int = 0
    gaps: tuple[tuple[int, int], ...] = ()
    notes: tuple[str, ...] = ()

    def __add__(self, after: Losses) -> Losses:
        """Those of a reading and of the one that went on `after` it."""
        return Losses(
            self.late + after.late,
            self.errors + after.errors,
            self.early + after.early,
            max(self.earliest, after.earliest),
            tuple(sorted({*self.gaps, *after.gaps})),
            tuple(dict.fromkeys((*self.notes, *after.notes))),
        )

    @staticmethod
    def of(said: Mapping[str, Any]) -> Losses:
        """From what `dataclasses.asdict` gave, also when it went through JSON.

        Raises: ValueError, TypeError for anything else.
        """
        plain = dict(said)
        gaps = tuple((int(begin), int(end)) for begin, end in plain.pop("gaps", ()))
        return Losses(gaps=gaps, notes=tuple(plain.pop("notes", ())), **plain)

    def sentences(self, frames: FrameCount, time_base: Fraction) -> tuple[str, ...]:
        """What was lost, a plain sentence each; `time_base` in seconds a tick."""
        seconds = float(time_base)
        lost = [*self.notes]
        if frames.skipped:
            lost.append(f"{_count(frames.skipped, 'sample')} skipped: no picture could be decoded")
        elif self.errors:
            lost.append(f"{_count(self.errors, 'broken packet')}, at times that no sample asks for")
        if self.late:
            lost.append(f"{_count(self.late, 'picture')} left out: times that do not rise")
        for begin, end in self.gaps[:3]:
            lost.append(
                f"no new picture from {begin * seconds:.1f} s to {end * seconds:.1f} s: sampled for its first hour"
            )
        if self.early:
            far = self.earliest * seconds
            lost.append(f"{self.early} of {frames.read} samples show an earlier picture, by up to {far:.3f} s")
        return tuple(lost)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
