"""Density peaks: of many frames, the few that stand for the rest and differ from each other (select b of the rewind, [P]).

DPC-KNN (Du, Ding and Jia 2016, in the form that video token merging uses): for frames a, b of width W

    d(a, b) = ‖f_a − f_b‖₂ / √W
    σ_l     = exp(−mean of d² over the K nearest, l itself among them)
    ρ_l     = least d to a denser frame; for the densest, the largest d of all

and the frames of greatest σ·ρ are kept. Ties break by time, the earlier frame first: never by a random number.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from rewind.errors import ConfigError

# Distances held at once: bounds memory at any T, and small enough to stay in a core's cache for short videos.
_BLOCK = 1 << 17
# Closer than this share of their squared norms, two frames are measured again by direct difference: |a|² + |b|² − 2ab
# has lost too many digits there, and exact duplicates must come out at exactly 0.
_NEAR = 1e-4


@dataclass(frozen=True)
class Peaks:
    """The frames kept of each video.

    `rows` (…, k) long: frame numbers in time order, −1 where a video has fewer than k frames (at the end).
    `strength` (…, T): log(σ·ρ) of every frame, −inf for frames that a mask leaves out and for later duplicates.
    """

    rows: Tensor
    strength: Tensor


def density_peaks(features: Tensor, *, keep: int = 8, neighbours: int = 5, valid: Tensor | None = None) -> Peaks:
    """The `keep` density peaks of each video.

    Args:
        features: (…, T, W), any number of videos of T frames; finite wherever `valid`.
        keep: frames to keep of each; all of them where a video has no more.
        neighbours: K of the density, the frame itself among them.
        valid: (…, T) bool, False for padding; all frames count where it is not given.

    Raises:
        ConfigError: shapes that do not fit, or a count below 1.
    """
    if keep < 1:
        raise ConfigError(f"keep={keep}", allowed="1 or more")
    strength = peak_strength(features, neighbours=neighbours, valid=valid)
    frames = features.shape[-2]
    k = min(keep, frames)
    real = torch.ones(strength.shape, dtype=torch.bool, device=strength.device) if valid is None else valid
    # A valid duplicate has strength −inf too: padding sorts behind it.
    rank = torch.where(real, strength.clamp(min=torch.finfo(strength.dtype).min), strength.new_tensor(-math.inf))
    best = rank.sort(dim=-1, descending=True, stable=True).indices[..., :k]
    best = torch.where(real.gather(-1, best), best, frames).sort(dim=-1).values
    return Peaks(torch.where(best < frames, best, -1), strength)


def peak_strength(features: Tensor, *, neighbours: int = 5, valid: Tensor | None = None) -> Tensor:
    """log(σ·ρ) of every frame (…, T), in the logarithm so that no density underflows; arguments as `density_peaks`."""
    if features.ndim < 2 or features.shape[-2] < 1 or features.shape[-1] < 1:
        raise ConfigError(f"features {tuple(features.shape)}", allowed="(…, T, W) with a frame and a width")
    if neighbours < 1:
        raise ConfigError(f"neighbours={neighbours}", allowed="1 or more")
    if valid is not None and (valid.shape != features.shape[:-1] or valid.dtype != torch.bool):
        raise ConfigError(f"valid {tuple(valid.shape)} {valid.dtype}", allowed=f"{tuple(features.shape[:-1])} bool")
    frames, width = features.shape[-2:]
    x = features.reshape(-1, frames, width)
    x = (x if x.dtype == torch.float64 else x.float()) / math.sqrt(width)
    real = None if valid is None else valid.reshape(-1, frames)
    if real is not None:
        x = x.masked_fill(~real[..., None], 0.0)
    x = x - _centre(x, real)
    videos = max(1, _BLOCK // (frames * frames))
    parts = [
        _strength(x[i : i + videos], None if real is None else real[i : i + videos], neighbours)
        for i in range(0, x.shape[0], videos)
    ]
    return torch.cat(parts).reshape(features.shape[:-1])


def _centre(x: Tensor, real: Tensor | None) -> Tensor:
    """Distances do not change when the mean is taken away; the rounding of |a|² + |b|² − 2ab does, for the better."""
    if real is None:
        return x.mean(dim=1, keepdim=True)
    return x.sum(dim=1, keepdim=True) / real.sum(dim=1).clamp(min=1)[:, None, None]


def _strength(x: Tensor, real: Tensor | None, neighbours: int) -> Tensor:
    """A few short videos (B, T, W), or one long one, in blocks of rows."""
    b, frames, _ = x.shape
    size = max(1, min(frames, _BLOCK // frames))
    whole = size == frames
    norm = x.square().sum(dim=-1)
    kept = _distances(x, norm, real, 0, frames) if whole else None
    mean, furthest = x.new_empty(b, frames), x.new_zeros(b)
    for start in range(0, frames, size):
        stop = min(frames, start + size)
        d2 = kept if kept is not None else _distances(x, norm, real, start, stop)
        mean[:, start:stop] = _mean_of_nearest(d2, neighbours)
        furthest = torch.maximum(furthest, d2.masked_fill(d2.isinf(), 0.0).amax(dim=(1, 2)) if real is not None else d2.amax(dim=(1, 2)))
    mean = _settle_duplicates(x, mean)
    number = torch.arange(frames, device=x.device)
    apart = x.new_empty(b, frames)
    for start in range(0, frames, size):
        stop = min(frames, start + size)
        d2 = kept if kept is not None else _distances(x, norm, real, start, stop)
        own, other = mean[:, start:stop, None], mean[:, None, :]
        # In log σ = −mean the denser frame has the smaller mean; between equals the earlier one is the denser.
        denser = (other < own) | ((other == own) & (number < number[start:stop, None]))
        apart[:, start:stop] = d2.masked_fill(~denser, math.inf).amin(dim=-1)
    apart = torch.where(apart.isinf(), furthest[:, None], apart)
    strength = apart.log() / 2 - mean
    return strength if real is None else strength.masked_fill(~real, -math.inf)
