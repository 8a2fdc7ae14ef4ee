"""Peak resident memory of watching and asking, a long video against a short one, each in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks import Line
from benchmarks.reading import make_video

CHILD = """
import json, resource, sys
import rewind
video = rewind.open(sys.argv[1], store=sys.argv[2])
answer = video.ask("Is there a bicycle?")
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({"peak_mb": round(peak, 1), "frames": answer.frames.read, "tokens": answer.tokens.total}))
"""


def run(*, minutes: int = 180) -> Line:
    """Peak MB at `minutes` against 1 minute: small pictures, as what counts is the number of frames."""
    with tempfile.TemporaryDirectory() as folder:
        sides = []
        for length in (minutes, 1):
            path = Path(folder) / f"{length}.mp4"
            make_video(path, seconds=length * 60, rate=4, size="160x90")
            command = [sys.executable, "-c", CHILD, str(path), str(Path(folder) / "store")]
            done = subprocess.run(command, check=True, capture_output=True, text=True)
            sides.append({"minutes": length, **json.loads(done.stdout)})
    long, short = sides
    return Line("memory.peak", round(long["peak_mb"] / short["peak_mb"], 3), 1.25, long, short)
