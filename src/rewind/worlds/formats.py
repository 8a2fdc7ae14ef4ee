"""Worlds as files: the video, its truth, and its questions in the formats of MovieChat-1K and Charades-STA.

MovieChat-1K has one JSON object a video: ``info``, ``caption``, ``global`` questions of the whole video, and
``breakpoint`` questions with the frame number ``time`` at which they are asked (`time / fps` is the second).
Charades-STA has one line a query: ``video start end##query``, and scores the best stretch alone. So a query with
several moments is not in it, as a system could find one of them only, nor is one whose thing is absent (the truth file
keeps both).
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rewind.folders import from_home
from rewind.store import replace_file, replacing
from rewind.worlds.backgrounds import FRAME_PX
from rewind.worlds.questions import Question
from rewind.worlds.world import World


@dataclass(frozen=True)
class WorldFiles:
    """Where `save` wrote what."""

    video: Path
    truth: Path
    moviechat: Path
    charades: Path


def to_moviechat(name: str, world: World, asked: Iterable[Question], *, fps: int = 8) -> dict[str, Any]:
    """The MovieChat-1K object of one video. Find questions are not in it: their answers are moments."""
    whole: list[dict[str, Any]] = []
    during: list[dict[str, Any]] = []
    for q in asked:
        if q.kind == "find":
            continue
        if q.at_s is None:
            whole.append({"question": q.text, "answer": q.answer})
        else:
            # The next frame on: a frame before it would be a second too early at 1 frame a second.
            during.append({"time": math.ceil(q.at_s * fps), "question": q.text, "answer": q.answer})
    info = {
        "video_path": f"{name}.mp4",
        "class": "world",
        "fps": fps,
        "num_frame": world.duration_s * fps,
        "w": FRAME_PX,
        "h": FRAME_PX,
    }
    return {"info": info, "caption": "", "global": whole, "breakpoint": during}


def to_charades(name: str, asked: Iterable[Question]) -> str:
    """Charades-STA lines of the find questions whose thing appears exactly once, each query once."""
    lines = [
        f"{name} {s:.1f} {e:.1f}##{q.query}"
        for q in asked
        if q.kind == "find" and len(q.moments) == 1
        for s, e in q.moments
    ]
    return "".join(line + "\n" for line in dict.fromkeys(lines))


def truth_with_questions(world: World, asked: Sequence[Question]) -> str:
    """The truth and the questions as one JSON text, byte-identical for the same world and questions."""
    data = {**world.truth(), "questions": [q.to_json() for q in asked]}
    return json.dumps(data, sort_keys=True, indent=1) + "\n"


def save(
    world: World,
    asked: Sequence[Question],
    folder: str | Path,
    *,
    name: str,
    fps: int = 8,
    crf: int = 18,
    progress: Callable[[int, int], None] | None = None,
) -> WorldFiles:
    """Write ``name.truth.json``, ``name.json`` (MovieChat-1K), ``name.txt`` (Charades-STA) and last ``name.mp4``.

    Each takes its name when it is whole, so that a stopped or a second writer of the same world leaves no broken one.
    """
    base = from_home(folder)
    base.mkdir(parents=True, exist_ok=True)
    files = WorldFiles(base / f"{name}.mp4", base / f"{name}.truth.json", base / f"{name}.json", base / f"{name}.txt")
    replace_file(files.truth, truth_with_questions(world, asked).encode())
    chat = to_moviechat(name, world, asked, fps=fps)
    replace_file(files.moviechat, (json.dumps(chat, indent=1) + "\n").encode())
    replace_file(files.charades, to_charades(name, asked).encode())
    with replacing(files.video) as temporary:
        world.write(temporary, fps=fps, crf=crf, progress=progress)
    return files
