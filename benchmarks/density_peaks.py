"""Density peaks of a batch of videos against a per-video loop of the published definition, both timed in one run.

The loop is the definition in tensor operations, one video at a time, as the public codes that use DPC-KNN write it. The
two are timed in turns and the least time of each counts, so that other work on the machine weighs on both alike.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import torch
from torch import Tensor

from benchmarks import Line
from rewind.selection import density_peaks


def loop(features: Tensor, *, keep: int, neighbours: int) -> Tensor:
    """(B, T, W) → (B, keep): the published definition, video by video."""
    return torch.stack([published(video, keep=keep, neighbours=neighbours) for video in features])


def published(video: Tensor, *, keep: int, neighbours: int) -> Tensor:
    distance = torch.cdist(video, video) / video.shape[1] ** 0.5
    nearest = distance.topk(neighbours, dim=-1, largest=False).values
    density = torch.exp(-nearest.square().mean(-1))
    denser = (density[None, :] > density[:, None]).to(distance.dtype)
    apart = (distance * denser + distance.max() * (1 - denser)).amin(-1)
    return (density * apart).topk(keep).indices.sort().values


def seconds(run: Callable[[], object]) -> float:
    began = time.perf_counter()
    run()
    return time.perf_counter() - began


def run(*, videos: int = 1000, frames: int = 64, width: int = 256, rounds: int = 5) -> Line:
    """How many times faster the batch is: least times of interleaved rounds, each side at its own best thread count.

    The loop's tensors are too small to gain from threads; the batch gains. The matrix products alone, which both sides
    need, are about an eighth of the loop on one core: no batching gets past that there.
    """
    keep, k = 8, 5
    own = torch.get_num_threads()
    features = torch.randn(videos, frames, width, generator=torch.Generator().manual_seed(0))
    batched: dict[int, float] = {}
    looped: dict[int, float] = {}
    for _ in range(rounds):
        for threads in sorted({1, own}):
            torch.set_num_threads(threads)
            took = seconds(lambda: density_peaks(features, keep=keep, neighbours=k))
            batched[threads] = min(batched.get(threads, took), took)
            took = seconds(lambda: loop(features, keep=keep, neighbours=k))
            looped[threads] = min(looped.get(threads, took), took)
    torch.set_num_threads(own)
    same = (density_peaks(features, keep=keep, neighbours=k).rows == loop(features, keep=keep, neighbours=k)).all(dim=1)
    left = {"batch_s_by_threads": _rounded(batched), "videos": videos, "frames": frames, "width": width}
    right = {"loop_s_by_threads": _rounded(looped), "same_frames": round(float(same.float().mean()), 4)}
    ratio = min(looped.values()) / min(batched.values())
    return Line("density_peaks.batch", round(ratio, 2), 5.0, left, right, at_least=True)


def _rounded(times: dict[int, float]) -> dict[str, float]:
    return {str(threads): round(took, 4) for threads, took in times.items()}
