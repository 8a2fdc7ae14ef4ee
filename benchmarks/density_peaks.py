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
    """How many times faster the batch is; least times of interleaved rounds, one thread."""
    keep, k = 8, 5
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    features = torch.randn(videos, frames, width, generator=torch.Generator().manual_seed(0))
    batched, looped = [], []
    for _ in range(rounds):
        batched.append(seconds(lambda: density_peaks(features, keep=keep, neighbours=k)))
        looped.append(seconds(lambda: loop(features, keep=keep, neighbours=k)))
    same = (density_peaks(features, keep=keep, neighbours=k).rows == loop(features, keep=keep, neighbours=k)).all(dim=1)
    torch.set_num_threads(threads)
    left = {"batch_s": round(min(batched), 4), "videos": videos, "frames": frames, "width": width}
    right = {"loop_s": round(min(looped), 4), "same_frames": round(float(same.float().mean()), 4)}
    return Line("density_peaks.batch", round(min(looped) / min(batched), 2), 5.0, left, right, at_least=True)
