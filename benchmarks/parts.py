"""Ask about parts of worlds: is what is said of a part true of it, where all of the video would have it otherwise?

    python -m benchmarks.parts [--seed 2000010] [--worlds 3] [--minutes 10] [--questions 30]

Of each world things are drawn that appear in it, and for each a part of 40 to 180 s: half of them show it, half do not.
Prints lines of JSON over all worlds, each with n and a 95 % bootstrap interval over the questions: `asked` is the share
of right answers to *Does … appear between … and …?*; `whole` of the same question asked of all of the video, the
control: of a thing that appears elsewhere it is wrong; `found` the share of `find` with limits that is rightly absent
or whose best moment overlaps a true one by half (IoU .5).
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import rewind
from benchmarks.haystack import share
from rewind.clock import format_time
from rewind.values import Moment
from rewind.worlds import make_world
from rewind.worlds.index import Index, Span, phrase

LEVEL = 6  # texture, colour and shape name a thing
STRETCHES = 4  # at most: what is nearly always there is in every part


@dataclass(frozen=True)
class Part:
    """A thing, where in the video it is to be looked for, and its true stretches there."""

    thing: str
    first: int
    last: int
    shown: tuple[Span, ...]


def draw_parts(index: Index, rng: np.random.Generator, count: int) -> Iterator[Part]:
    """Parts by turns with and without the thing."""
    looks = sorted((phrase(look), spans) for look, spans in index.moments(LEVEL).items() if len(spans) <= STRETCHES)
    while count:
        thing, spans = looks[rng.integers(len(looks))]
        long = int(rng.integers(40, 181))
        first = int(rng.integers(0, int(index.duration_s) - long))
        last = first + long
        shown = tuple((max(a, first), min(b, last)) for a, b in spans if a < last and b > first)
        # A second of it at an edge is neither here nor there.
        if bool(shown) == (count % 2 == 0) and all(b - a >= 2 for a, b in shown):
            yield Part(thing, first, last, shown)
            count -= 1


def overlaps(moment: Moment, spans: tuple[Span, ...]) -> bool:
    """Whether a moment has an IoU of .5 with one of the stretches."""
    for start, end in spans:
        common = min(moment.end_s, end) - max(moment.start_s, start)
        if common / (max(moment.end_s, end) - min(moment.start_s, start)) >= 0.5:
            return True
    return False


def run(seed: int, *, worlds: int, minutes: float, questions: int) -> dict[str, list[bool]]:
    """Whether each answer was right."""
    right: dict[str, list[bool]] = {"asked": [], "whole": [], "found": []}
    for number in range(worlds):
        world = make_world(seed + number, seconds=round(minutes * 60))
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "world.mp4"
            world.write(path)
            video = rewind.open(path, store=Path(folder) / "store")
            video.watch()
            for part in draw_parts(Index(world), np.random.default_rng(seed + number), questions):
                there = bool(part.shown)
                question, times = f"Does a {part.thing} appear", (format_time(part.first), format_time(part.last))
                asked = video.ask(f"{question} between {times[0]} and {times[1]}?")
                right["asked"].append(asked.answer.lower().startswith("yes") == there)
                right["whole"].append(video.ask(f"{question}?").answer.lower().startswith("yes") == there)
                found = video.find(f"a {part.thing}", from_s=float(part.first), until_s=float(part.last))
                right["found"].append(
                    overlaps(found.moments[0], part.shown) if there and found else there == bool(found)
                )
    return right


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=2_000_010, help="of the first world")
    parser.add_argument("--worlds", type=int, default=3)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--questions", type=int, default=30, help="parts of a world, half of which show the thing")
    given = parser.parse_args()
    right = run(given.seed, worlds=given.worlds, minutes=given.minutes, questions=given.questions)
    for metric, hits in right.items():
        line = {"benchmark": "parts", "seed": given.seed, "minutes": given.minutes, "metric": metric}
        print(json.dumps({**line, **share(hits)}))


if __name__ == "__main__":
    main()
