"""What a person sees: the cost before the work, the answer with its moments, one line of accounting.

The result goes to stdout, all else to stderr; with --json stdout holds one JSON object and nothing else.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rewind.cli.words import clock, count, length, plain, rate, size, span
from rewind.clock import format_length

if TYPE_CHECKING:
    from rewind.estimate import Estimate
    from rewind.values import Answer, Found, Moment, VideoInfo


def announce(info: VideoInfo, estimate: Estimate, fps: Fraction, *, quiet: bool) -> None:
    """The first line: what the video is, and what watching it will cost."""
    if not quiet:
        print(describe(info, estimate, fps), file=sys.stderr, flush=True)


def say_waiting() -> None:
    """Why nothing happens."""
    print("another process is watching this video; waiting for it", file=sys.stderr, flush=True)


def describe(info: VideoInfo, estimate: Estimate, fps: Fraction) -> str:
    """`match.mp4 · 1:32:10 · 5,530 frames at 1 a second · about 3 min to watch, 416 MB on disk`."""
    name = "standard input" if info.path == "-" else Path(info.path).name or info.path
    seconds = info.duration_s
    if seconds is None and estimate.stored and estimate.frames is not None:
        seconds = float(estimate.frames / fps)  # the header does not tell it, but it was watched
    parts = [
        plain(name),
        "unknown length" if seconds is None else format_length(seconds),
    ]
    if estimate.frames == 0:  # the file itself tells what is asked
        return " · ".join(parts)
    frames = "frames" if estimate.frames is None else count(estimate.frames, "frame")
    parts.append(f"{frames} at {rate(fps)}")
    cost = []
    if estimate.stored:
        cost.append("watched already")
    elif estimate.seconds is not None:
        took = length(estimate.seconds)
        cost.append(f"{took} to watch" if took.startswith("less") else f"about {took} to watch")
    if estimate.store_bytes:
        cost.append(f"{size(estimate.store_bytes)} on disk")
    return " · ".join([*parts, *([", ".join(cost)] if cost else [])])


def print_json(value: Mapping[str, Any]) -> None:
    """One JSON object, one line, in characters that any terminal and locale can carry."""
    print(json.dumps(value, ensure_ascii=True, allow_nan=False), flush=True)


def print_answer(answer: Answer, *, quiet: bool, told: Sequence[str] = ()) -> None:
    """Words, moments, what was given up but for what was `told` before, one line of accounting."""
    print(f"{plain(answer.answer).rstrip('.')} {_best(answer)}." if answer.absent else plain(answer.answer))
    _print_moments(answer.moments)
    _print_degradations([line for line in answer.degradations if line not in told])
    _print_within(answer)
    if not quiet and answer.answer_source == "file":
        print("told by the file itself, nothing was looked at")
    elif not quiet:
        tokens, took = answer.tokens, answer.seconds
        memory = f"memory {count(tokens.memory_stored, 'token')}, {tokens.memory_shown:,} shown"
        merged = " (far moments merged)" if tokens.memory_shown < tokens.memory_stored else ""
        how = " from what the classifier names" if answer.answer_source == "concepts" else ""
        wall = f"answered{how} in {length(took.memory + took.select + took.answer)}"
        print(" · ".join([count(len(answer.key_frames), "key frame"), memory + merged, wall]))
    sys.stdout.flush()


def print_found(found: Found, *, quiet: bool, told: Sequence[str] = ()) -> None:
    """Moments, best first, or the best score there was and what would have counted."""
    if found.absent:
        there = "Not in this video" if found.within is None else "Not in this part of the video"
        print(f"{there if found.known else 'I do not know'} {_best(found)}.")
    else:
        _print_moments(found.moments)
    _print_degradations([line for line in found.degradations if line not in told])
    _print_within(found)
    if not quiet:
        took = found.seconds
        print(f"{count(found.frames.read, 'frame')} read · found in {length(took.memory + took.select)}")
    sys.stdout.flush()


def print_notes(degradations: Sequence[str], *, quiet: bool) -> None:
    """What was given up of a video, before the first question on it."""
    if not quiet:
        _print_degradations(degradations)
        sys.stdout.flush()


def print_files(what: str, paths: Sequence[Path], *, quiet: bool) -> None:
    """Where files were written."""
    if paths and not quiet:
        print(f"{what}: {plain(str(paths[0].parent))} ({count(len(paths), 'file')})", flush=True)


def _print_within(given: Answer | Found) -> None:
    if given.within is not None:
        print(f"looked at {span(*given.within)} alone")


def _best(given: Answer | Found) -> str:
    """(best 0.08 at 0:51:30; 0.30 would count as seen)."""
    best = f"best {given.best_score:.2f} at {clock(given.best_time_s)}"
    return f"({best}; {given.threshold:.2f} would count as seen)"


def _print_moments(moments: Sequence[Moment]) -> None:
    for moment in moments:
        print(f"   {span(moment.start_s, moment.end_s)}   {moment.score:.2f}")


def _print_degradations(degradations: Sequence[str]) -> None:
    for line in degradations:
        print(f"note: {plain(line)}")
