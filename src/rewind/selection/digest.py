"""Digest: the memory of a video of any length, brought to a fixed token budget: relevant frames whole, others merged.

The rule. Of n groups that the budget holds, up to half go to the most relevant frames, each whole. They cut the rest of
the video into stretches; each stretch is divided evenly, and the stretches share the remaining groups so that the
largest group is as small as it can be. All n groups are used, in time order; each frame is in exactly one.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from rewind.errors import BudgetError, ConfigError


@dataclass(frozen=True)
class Digest:
    """n groups of adjacent frames, in time order.

    `tokens` (n, W, D): the mean of the group's tokens; `start_s`, `end_s` (n,): the half-open stretch of each;
    `scores` (n,): the best relevance in the group; `weight` (n,) long: frames in it, Σ = T; `merged_frames`: how many
    frames share a group with another.
    """

    tokens: Tensor
    start_s: Tensor
    end_s: Tensor
    scores: Tensor
    weight: Tensor
    merged_frames: int


def digest(
    tokens: Tensor, scores: Tensor, seconds: Tensor, *, budget_tokens: int, end_s: float | None = None
) -> Digest:
    """Bring the memory of T frames to at most `budget_tokens` tokens; the same memory where it already fits.

    Args:
        tokens: (T, W, D), W tokens of width D a frame.
        scores: (T,) relevance to the instruction; ties break by time.
        seconds: (T,) instants, strictly rising.
        budget_tokens: at least W.
        end_s: where the last frame ends; one median step after it where not given (1 s for a single frame).

    Raises:
        ConfigError: shapes that do not fit, times that do not rise.
        BudgetError: the budget does not hold one frame.
    """
    if tokens.ndim != 3 or not len(tokens) or scores.shape != tokens.shape[:1] or seconds.shape != tokens.shape[:1]:
        shapes = f"tokens {tuple(tokens.shape)}, scores {tuple(scores.shape)}, seconds {tuple(seconds.shape)}"
        raise ConfigError(shapes, allowed="(T, W, D), (T,) and (T,), T at least 1")
    if budget_tokens < tokens.shape[1]:
        raise BudgetError(f"a digest of {budget_tokens} tokens", allowed=f"{tokens.shape[1]} or more, one frame's")
    if bool((seconds.diff() <= 0).any()):
        raise ConfigError("times that do not rise", allowed="strictly rising seconds")
    total, width, _ = tokens.shape
    if end_s is None:
        end_s = float(seconds[-1]) + frame_step(seconds)
    weight = group_sizes(scores, groups=budget_tokens // width).to(tokens.device)
    n = weight.shape[0]
    last = weight.cumsum(0)
    first = last - weight
    ends = torch.cat([seconds[1:], seconds.new_tensor([end_s])])
    if n == total:
        return Digest(tokens, seconds, ends, scores, weight, 0)
    group = torch.repeat_interleave(torch.arange(n, device=tokens.device), weight)
    # In half precision the sum of an hour's tokens is no number any more.
    summed = torch.zeros(n, *tokens.shape[1:], device=tokens.device).index_add_(0, group, tokens.float())
    best = scores.new_full((n,), -torch.inf).scatter_reduce_(0, group.to(scores.device), scores, "amax")
    merged = int(weight[weight > 1].sum())
    starts, stops = first.to(seconds.device), (last - 1).to(seconds.device)
    means = (summed / weight[:, None, None]).to(tokens.dtype)
    return Digest(means, seconds[starts], ends[stops], best, weight, merged)


def frame_step(seconds: Tensor) -> float:
    """How many seconds a sampled frame stands for: the median step of the times (T,); 1 s for a single one."""
    return float(seconds.diff().median()) if len(seconds) > 1 else 1.0


def group_sizes(scores: Tensor, *, groups: int) -> Tensor:
    """Frames in each group (n,) long, in time order, n = min(T, groups): the rule at the head of this module."""
    total = scores.shape[0]
    if total <= groups:
        return torch.ones(total, dtype=torch.long)
    # m whole frames leave at most m + 1 stretches between them, and each stretch needs a group.
    whole = scores.detach().cpu().sort(descending=True, stable=True).indices[: (groups - 1) // 2].sort().values
    edges = torch.cat([torch.tensor([-1]), whole, torch.tensor([total])])
    lengths = edges.diff() - 1
    parts = _share(lengths, groups - whole.shape[0])
    sizes = []
    for i, (length, count) in enumerate(zip(lengths.tolist(), parts.tolist(), strict=True)):
        if count:
            small, extra = divmod(length, count)
            sizes += [small + 1] * extra + [small] * (count - extra)
        if i < whole.shape[0]:
            sizes.append(1)
    return torch.tensor(sizes, dtype=torch.long)


def _share(lengths: Tensor, slots: int) -> Tensor:
    """Split `slots` groups among stretches of `lengths` frames: the largest group least, every slot used."""
    low, high = 1, max(1, int(lengths.max()))
    while low < high:  # the least group size whose groups fit
        size = (low + high) // 2
        if int(((lengths + size - 1) // size).sum()) <= slots:
            high = size
        else:
            low = size + 1
    parts = (lengths + high - 1) // high
    left = slots - int(parts.sum())
    if left and high > 1:
        # Slots left over go where one size smaller would want them, longest stretch first.
        wanted = (lengths + high - 2) // (high - 1) - parts
        order = lengths.sort(descending=True, stable=True).indices
        before = wanted[order].cumsum(0) - wanted[order]
        parts[order] += torch.minimum(wanted[order], (left - before).clamp(min=0))
    return parts
