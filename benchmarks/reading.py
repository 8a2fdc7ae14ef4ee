"""Reading: wall and CPU seconds of each way of reading, against decoding everything and throwing it away.

    python -m benchmarks.reading [--seconds 150] [--repeats 5] [--video FILE]

One line of JSON for each measurement. Runs are interleaved and medians compared, because other work on the machine
comes and goes. The floor is `ffmpeg -threads <cores> -f null`, of the machine's ffmpeg or of the one that the `bench`
extra brings; the same with PyAV is measured always, and is the floor where there is no such program.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import json
import resource
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import av.filter

from benchmarks import Line
from rewind.cores import cores
from rewind.sampling import Reading
from rewind.video import open_frames

BOUNDS: dict[Reading, float] = {"exact": 0.90, "fast": 0.55, "keyframes": 0.06}


def make_video(path: Path, *, seconds: int, rate: int = 30, size: str = "1280x720") -> None:
    """A moving test picture with noise: H.264 High, 3 B-frames, GOP 250, about 3 Mbit/s, in MP4 with an index."""
    graph = av.filter.Graph()
    source = graph.add("testsrc2", f"size={size}:rate={rate}:duration={seconds}")
    noise = graph.add("noise", "alls=10:allf=t")
    shape = graph.add("format", "yuv420p")
    sink = graph.add("buffersink")
    source.link_to(noise)
    noise.link_to(shape)
    shape.link_to(sink)
    graph.configure()
    width, height = (int(n) for n in size.split("x"))
    options = {"preset": "veryfast", "bf": "3", "g": "250", "b_strategy": "0", "sc_threshold": "0"}
    with av.open(str(path), "w", format="mp4") as out:
        stream = out.add_stream("libx264", rate=rate, options=options)
        stream.width, stream.height, stream.pix_fmt, stream.bit_rate = width, height, "yuv420p", 3_000_000
        stream.codec_context.time_base = Fraction(1, rate)
        for number in range(seconds * rate):
            frame = graph.vpull()
            frame.pts, frame.time_base = number, Fraction(1, rate)
            frame.pict_type = 0  # the filter says I of every picture, which the encoder would obey
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))


def read(path: Path, reading: Reading, fps: Fraction) -> tuple[int, tuple[str, ...]]:
    """Reads every sample and throws it away; how many there were, and what the reading gave up."""
    with open_frames(path, fps=fps, reading=reading) as frames:
        count = sum(1 for _ in frames)
        return count, frames.report().degradations


def decode_all(path: Path, cores: int) -> int:
    """Decodes every picture with PyAV and FFmpeg's own threads."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        stream.codec_context.thread_count = cores
        return sum(1 for _ in container.decode(stream))


def ffmpeg_program() -> str | None:
    """The ffmpeg on the PATH, else that of the imageio-ffmpeg package; None where there is neither."""
    found = shutil.which("ffmpeg")
    if found is None and importlib.util.find_spec("imageio_ffmpeg"):
        found = importlib.import_module("imageio_ffmpeg").get_ffmpeg_exe()
    return found


def decode_ffmpeg(program: str, path: Path, cores: int) -> None:
    """The same with the ffmpeg program."""
    command = [program, "-v", "error", "-threads", str(cores), "-i", str(path), "-map", "0:v:0", "-f", "null", "-"]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)


def timed(work: Callable[[], Any]) -> tuple[float, float, Any]:
    """Wall seconds, CPU seconds (children included) and the result."""

    def cpu() -> float:
        own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
        return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime

    wall, used = time.perf_counter(), cpu()
    result = work()
    return time.perf_counter() - wall, cpu() - used, result


def run() -> list[Line]:
    """The bounds of the design, each against decoding everything on the same file in the same run."""
    records = {record["what"]: record for record in measure()}
    lines = []
    for way, bound in BOUNDS.items():
        mine = records[way]
        floor = records[mine["floor"]]
        lines.append(Line(f"reading.{way}", mine["of_floor"], bound, mine, floor))
    return lines


def measure(
    *, seconds: int = 150, repeats: int = 5, video: Path | None = None, fps: Fraction = Fraction(1)
) -> list[dict[str, Any]]:
    """Measures and prints; gives the same as a list of records."""
    threads = cores()
    records: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        path = video or Path(folder) / "t.mp4"
        if video is None:
            make_video(path, seconds=seconds)
        works: dict[str, Callable[[], Any]] = {"decode all (PyAV)": lambda: decode_all(path, threads)}
        program = ffmpeg_program()
        if program:
            works["decode all (ffmpeg)"] = lambda: decode_ffmpeg(program, path, threads)
        for way in BOUNDS:
            works[way] = lambda way=way: read(path, way, fps)
        walls: dict[str, list[float]] = {name: [] for name in works}
        cpus: dict[str, list[float]] = {name: [] for name in works}
        notes: dict[str, tuple[str, ...]] = {}
        for _ in range(repeats):
            for name, work in works.items():
                wall, used, result = timed(work)
                walls[name].append(wall)
                cpus[name].append(used)
                if isinstance(result, tuple):
                    notes[name] = result[1]
        floor = "decode all (ffmpeg)" if "decode all (ffmpeg)" in works else "decode all (PyAV)"
        for name in works:
            wall, used = statistics.median(walls[name]), statistics.median(cpus[name])
            record: dict[str, Any] = {
                "bench": "reading", "what": name, "cores": threads, "repeats": repeats,
                "wall_s": round(wall, 3), "cpu_s": round(used, 3),
                "of_floor": round(wall / statistics.median(walls[floor]), 3),
                "cpu_of_floor": round(used / statistics.median(cpus[floor]), 3), "floor": floor,
            }  # fmt: skip
            if name in BOUNDS:
                record["bound"] = BOUNDS[name]  # type: ignore[index]
                record["held"] = record["of_floor"] <= record["bound"]
                record["degradations"] = list(notes[name])
            records.append(record)
            print(json.dumps(record), flush=True)
    return records


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=150)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--video", type=Path)
    given = parser.parse_args()
    measure(seconds=given.seconds, repeats=given.repeats, video=given.video)
