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
import json, sys
import rewind
from benchmarks.memory_use import peak_mb
video = rewind.open(sys.argv[1], store=sys.argv[2])
answer = video.ask("Is there a bicycle?")
print(json.dumps({"peak_mb": peak_mb(), "frames": answer.frames.read, "tokens": answer.tokens.total}))
"""


def peak_mb() -> float:
    """The most memory that this process has held, in MB of 2^20 bytes.

    Linux hands `ru_maxrss` of a process on to those that it starts: there it says no less than what the parent held.
    """
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text(encoding="ascii").splitlines() if line.startswith("VmHWM"))
        return round(int(line.split()[1]) / 1024, 1)
    import resource  # which Windows lacks

    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(most / (1 << (20 if sys.platform == "darwin" else 10)), 1)


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
