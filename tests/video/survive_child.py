"""Reads each file named on standard input in every way and prints what came of it, a line of JSON a file.

A process of its own, so that a crash in a decoder is seen as one.
"""

from __future__ import annotations

import gc
import json
import os
import sys
import threading
import time
from fractions import Fraction

from rewind.errors import VideoError
from rewind.sampling import Reading
from rewind.video import open_frames


def watch(path: str, reading: Reading, fps: Fraction) -> dict[str, object]:
    """One reading; "wrong" lists what must never be."""
    wrong: list[str] = []
    index, pts, count = -1, None, 0
    begun = time.monotonic()
    try:
        with open_frames(path, fps=fps, reading=reading, size=(32, 32), stall_s=20) as stream:
            for frame in stream:
                if frame.index <= index or (pts is not None and frame.pts < pts):
                    wrong.append(f"sample {frame.index} at {frame.pts} after sample {index} at {pts}")
                index, pts, count = frame.index, frame.pts, count + 1
            frames = stream.report().frames
        if frames.sampled != frames.read + frames.skipped or frames.read != count or not count:
            wrong.append(f"{frames} for {count} frames")
        outcome = f"{count} frames"
    except VideoError as error:
        outcome = str(error)
        if "\n" in outcome or not error.allowed:
            wrong.append(f"not one line of what was found and what is allowed: {outcome!r}")
    return {"path": path, "outcome": outcome, "frames": count, "wrong": wrong, "s": time.monotonic() - begun}


def main() -> None:
    """Reads paths until the end of input, then says what was left open."""
    seconds_a_sample = Fraction(1)
    files: list[int] = []
    for number, line in enumerate(sys.stdin):
        path, _, way = line.rstrip("\n").partition("\t")
        print(json.dumps({"begin": path}), flush=True)
        print(json.dumps(watch(path, way or "exact", seconds_a_sample * (1 + 4 * (number % 2)))), flush=True)  # type: ignore[arg-type]
        if number == 0:
            files.append(_open_files())
    gc.collect()
    print(json.dumps({"threads": threading.active_count(), "files": _open_files(), "files_before": files[0]}))


def _open_files() -> int:
    gc.collect()
    try:
        return len(os.listdir("/proc/self/fd"))
    except FileNotFoundError:
        return 0


if __name__ == "__main__":
    main()
