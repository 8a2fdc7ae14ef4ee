"""What watching will cost, told before it begins."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

from rewind.cores import cores
from rewind.sampling import Reading
from rewind.store import Manifest
from rewind.values import VideoInfo

# Seconds that a million decoded pixels and an encoded frame take on one core, as measured on EPYC cores with bf16
# (docs/performance.md) and without (LOG.md): an estimate for a first look, no promise.
DECODE_S_PER_MPIX, ENCODE_S, ENCODE_FP32_S = 0.0016, 0.008, 0.035
GIGA_S, GIGA_FP32_S = 0.0043, 0.017
"""Seconds of a milliard multiplications of a vision transformer."""
READING_COST: dict[Reading, float] = {"exact": 1.0, "fast": 0.85, "keyframes": 0.1}


@dataclass(frozen=True)
class Estimate:
    """What watching will cost; None where the source does not tell its length. `stored`: it was watched already, and
    frames and bytes are what came of it."""

    frames: int | None
    seconds: float | None
    store_bytes: int | None
    stored: bool


def estimate(
    info: VideoInfo,
    *,
    fps: Fraction,
    reading: Reading,
    frame_bytes: int,
    bf16: bool = True,
    more_work: int = 0,
    watched: Manifest | None = None,
) -> Estimate:
    """Of a probed video; `frame_bytes` is what one frame takes in the store, `bf16`: what the encoder reckons in,
    `more_work`: multiplications a frame of a second encoder, `watched`: what its finished store says."""
    if watched is not None:
        return Estimate(watched.frames.sampled, 0.0, watched.size_bytes, stored=True)
    if info.duration_s is None:
        return Estimate(None, None, None, stored=False)
    frames = max(1, math.ceil(info.duration_s * fps))
    rate = info.average_rate or 30.0
    pixels = info.width * info.height / 1e6 * rate * info.duration_s
    encode_s = (ENCODE_S if bf16 else ENCODE_FP32_S) + more_work / 1e9 * (GIGA_S if bf16 else GIGA_FP32_S)
    work = pixels * DECODE_S_PER_MPIX * READING_COST[reading] + frames * encode_s
    return Estimate(frames, work / cores(), frames * frame_bytes, stored=False)


def of_part(whole: Estimate, frames: int) -> Estimate:
    """Of some frames of a video, which are read alone and not kept."""
    share = frames / whole.frames if whole.frames else 1.0
    return Estimate(frames, None if whole.seconds is None else whole.seconds * share, None, stored=False)
