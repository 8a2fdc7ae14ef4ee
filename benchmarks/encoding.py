"""Frames a second through the bundled vision encoder; reported, held against nothing."""

from __future__ import annotations

import time

import torch

from benchmarks import Line
from rewind.vision import load_vision


def run(*, batches: int = 24) -> Line:
    encoder = load_vision()
    pixels = torch.randint(0, 255, (8, *encoder.input_size, 3), dtype=torch.uint8)
    encoder.encode(pixels)
    begun = time.perf_counter()
    for _ in range(batches):
        encoder.encode(pixels)
    rate = batches * 8 / (time.perf_counter() - begun)
    threads = torch.get_num_threads()
    return Line("encoding.frames_per_s", round(rate, 1), None, {"threads": threads, "views": encoder.views}, {})
