"""Density peaks: of many frames, the few that stand for the rest and differ from each other (select b, [P]).

DPC-KNN (Du, Ding and Jia 2016, in the form that video token merging uses): for frames a, b of width W

    d(a, b) = ‖f_a − f_b‖₂ / √W
    σ_l     = exp(−mean of d² over the K nearest, l itself among them)
    ρ_l     = least d to a denser frame; for the densest, the largest d of all

and the frames of greatest σ·ρ are kept. Ties break by time, the earlier frame first: never by a random number. (Of
different frames whose densities are equal only before rounding, either may come first.)
"""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from rewind.errors import ConfigError
from rewind.threads import one_thread

# Distances held at once: bounds memory at any T, and small enough to stay in a core's cache.
_BLOCK = 1 << 18
# Closer than this share of their squared norms, two frames are measured again by direct difference: |a|² + |b|² − 2ab
# has lost too many digits there, and exact duplicates must come out at exactly 0.
_NEAR = 1e-4
_PAIRS = 1 << 14


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
        features: (…, T, W), any number of videos of T frames; finite wherever `valid`. No gradient passes.
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
    x = features.detach().reshape(-1, frames, width)
    real = None if valid is None else valid.reshape(-1, frames)
    videos = max(1, _BLOCK // (frames * frames))
    starts = range(0, x.shape[0], videos)
    team = max(1, min(torch.get_num_threads(), len(starts))) if x.device.type == "cpu" else 1

    def share(number: int) -> list[Tensor]:
        room = _Room.of(x[:videos])
        blocks = ((x[i : i + videos], None if real is None else real[i : i + videos]) for i in starts[number::team])
        return [_strength(_Frames.of(*block, room), neighbours) for block in blocks]

    if team == 1:
        shares = [share(0)]
    else:
        # Whole blocks a thread: a team that shares each operation meets after each, and numpy's have no team.
        with one_thread(), ThreadPoolExecutor(team) as pool:
            shares = list(pool.map(share, range(team)))
    parts = [shares[block % team][block // team] for block in range(len(starts))]
    return (torch.cat(parts) if parts else x.new_empty(0, frames)).reshape(features.shape[:-1])


@dataclass(frozen=True)
class _Room:
    """Working memory for one block of videos, used again for the next: `x` (B, T, W), `d2` (B, R, T)."""

    x: Tensor
    d2: Tensor

    @staticmethod
    def of(x: Tensor) -> _Room:
        b, frames, width = x.shape
        dtype = torch.float64 if x.dtype == torch.float64 else torch.float32
        rows = max(1, min(frames, _BLOCK // frames))
        return _Room(x.new_empty(b, frames, width, dtype=dtype), x.new_empty(b, rows, frames, dtype=dtype))


@dataclass(frozen=True)
class _Frames:
    """Videos of one block: `x` (B, T, W) seen from its first frame, `real` the mask; both lie in a `_Room`."""

    x: Tensor
    real: Tensor | None
    room: _Room

    @staticmethod
    def of(x: Tensor, real: Tensor | None, room: _Room) -> _Frames:
        # Distances do not change with the origin; the rounding of |a|² + |b|² − 2ab does. A frame of the video itself
        # is a good one, and unlike the mean it leaves whole numbers whole, so that ties stay ties.
        x, out = x.to(room.x.dtype), room.x[: len(x)]
        if real is None:
            return _Frames(torch.sub(x, x[:, :1], out=out), None, room)
        first = real.to(torch.uint8).argmax(dim=1)[:, None, None].expand(-1, 1, x.shape[2])
        torch.sub(x, x.gather(1, first), out=out)
        return _Frames(out.masked_fill_(~real[..., None], 0.0), real, room)

    @property
    def whole(self) -> bool:
        """Whether the distances between all frames fit the room at once."""
        return self.room.d2.shape[1] == self.x.shape[1]

    def blocks(self) -> list[tuple[int, int]]:
        """(start, stop) of the rows whose distances fit the room."""
        rows, frames = self.room.d2.shape[1], self.x.shape[1]
        return [(start, min(frames, start + rows)) for start in range(0, frames, rows)]

    def squares(self, start: int, stop: int) -> Tensor:
        """W·d² of frames start…stop to all frames: (B, stop − start, T); inf to and from frames that are masked out."""
        d2 = torch.bmm(self.x[:, start:stop], self.x.mT, out=self.room.d2[: len(self.x), : stop - start])
        diagonal = d2.diagonal(offset=start, dim1=1, dim2=2)
        norm = diagonal.clone() if self.whole else self.x.square().sum(-1)
        own = norm[:, start:stop]
        torch.add(own[:, :, None], d2, alpha=-2, out=d2).add_(norm[:, None])
        diagonal.fill_(math.inf)
        # One test a row keeps the common case, no near pair at all, to a single pass.
        if bool((d2.amin(-1) <= _NEAR * (own + norm.amax(-1, keepdim=True))).any()):
            near = d2 <= _NEAR * (own[:, :, None] + norm[:, None])
            for part in torch.split(near.nonzero(), _PAIRS):
                video, row, other = part.unbind(1)
                d2[video, row, other] = (self.x[video, row + start] - self.x[video, other]).square().sum(-1)
        diagonal.zero_()
        if self.real is not None:
            d2.masked_fill_(~(self.real[:, start:stop, None] & self.real[:, None]), math.inf)
        return d2


def _strength(frames: _Frames, neighbours: int) -> Tensor:
    """A few short videos at once, or one long one in blocks of rows, its distances then made twice."""
    b, total, width = frames.x.shape
    blocks = frames.blocks()
    mean, furthest, first = frames.x.new_empty(b, total), frames.x.new_zeros(b), None
    number = torch.arange(total, device=mean.device)
    for start, stop in blocks:
        d2 = frames.squares(start, stop)
        mean[:, start:stop], twins = _mean_of_nearest(d2, neighbours, masked=frames.real is not None)
        furthest = torch.maximum(furthest, _greatest(d2, frames.real))
        if twins:
            first = number.expand(b, -1).clone() if first is None else first
            first[:, start:stop] = (d2 == 0).to(torch.uint8).argmax(-1)
    if first is not None:
        # Duplicates have one density; rounding may have given their rows different last digits.
        mean = mean.gather(1, first)
    # Of log σ = −mean, the smaller mean is the denser frame; between equals the earlier one is.
    order = mean.sort(dim=-1, stable=True).indices
    rank = torch.empty_like(mean).scatter_(1, order, number.to(mean.dtype).expand(b, -1))
    beyond = torch.finfo(mean.dtype).max
    apart = torch.empty_like(mean)
    for start, stop in blocks:
        d2 = d2 if frames.whole else frames.squares(start, stop)
        # 1 for the frame itself and those less dense, written as numbers: many times faster here than a mask.
        less_dense = torch.ge(rank[:, None], rank[:, start:stop, None], out=torch.empty_like(d2))
        apart[:, start:stop] = torch.maximum(d2, less_dense.mul_(beyond), out=less_dense).amin(-1)
    apart = torch.where(apart >= beyond, furthest[:, None], apart)
    strength = (apart / width).log() / 2 - mean / width
    return strength if frames.real is None else strength.masked_fill(~frames.real, -math.inf)


def _mean_of_nearest(d2: Tensor, neighbours: int, *, masked: bool) -> tuple[Tensor, bool]:
    """Mean of the K least (or of all there are) in each row (B, R, T) → (B, R), and whether any two frames are one."""
    k = min(neighbours, d2.shape[-1])
    if d2.device.type == "cpu":  # numpy's partition is several times faster than torch.topk on short rows
        least = torch.from_numpy(np.partition(d2.numpy(), k - 1, axis=-1)[..., :k])
    else:
        least = d2.topk(k, dim=-1, largest=False).values
    # Each row holds the 0 of the frame itself; one more is a duplicate. Masked rows hold none and would hide it.
    twins = k > 1 and int((least == 0).sum()) > least[..., 0].numel()
    if not masked:
        return least.sum(-1) / k, twins
    there = least.isfinite()
    # A row of a masked frame has nothing near it: its mean of nothing is taken as 0, and never used.
    return least.masked_fill(~there, 0.0).sum(-1) / there.sum(-1).clamp(min=1), twins or bool((~there).any())


def _greatest(d2: Tensor, real: Tensor | None) -> Tensor:
    return (d2 if real is None else d2.masked_fill(d2.isinf(), 0.0)).amax(dim=(1, 2))
