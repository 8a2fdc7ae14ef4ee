"""Watching against the CPU seconds that decoding and encoding take by themselves, divided by the cores."""

from __future__ import annotations

import statistics
import tempfile
from pathlib import Path

import torch

import rewind
from benchmarks import Line
from benchmarks.reading import make_video, timed
from rewind.cores import cores
from rewind.video import open_frames
from rewind.vision import load_vision


def run(*, seconds: int = 150, repeats: int = 3) -> Line:
    """Wall seconds of `watch`, store included, as a share of (CPU s of decoding + of encoding) / cores."""
    n = cores()
    encoder = load_vision()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "t.mp4"
        make_video(path, seconds=seconds)
        pixels = torch.randint(0, 256, (8, *encoder.input_size, 3), dtype=torch.uint8)
        encoder.encode(pixels)
        walls, used_by_watch, decoding, encoding = [], [], [], []
        for turn in range(repeats):

            def decode() -> int:
                with open_frames(path) as frames:
                    return sum(1 for _ in frames)

            _, used, count = timed(decode)
            decoding.append(used)
            threads = torch.get_num_threads()
            torch.set_num_threads(1)  # the CPU seconds of a second thread would be those of its waiting too
            _, used, _ = timed(lambda count=count: [encoder.encode(pixels) for _ in range(-(-count // 8))])
            torch.set_num_threads(threads)
            encoding.append(used)
            video = rewind.open(path, store=Path(folder) / f"store-{turn}")
            wall, used, _ = timed(video.watch)
            walls.append(wall)
            used_by_watch.append(used)
        parts = {"decode_cpu_s": statistics.median(decoding), "encode_cpu_s": statistics.median(encoding)}
    wall, work = statistics.median(walls), sum(parts.values()) / n
    # Wall seconds close to CPU seconds say that other work had the other cores: the bound is for a machine at rest.
    cpu_s = statistics.median(used_by_watch)
    left = {"wall_s": round(wall, 3), "cpu_s": round(cpu_s, 3), "frames": count, "frames_per_s": round(count / wall, 1)}
    return Line(
        "watch.wall",
        round(wall / work, 3),
        1.15,
        left,
        {**{k: round(v, 3) for k, v in parts.items()}, "cores": n},
    )
