"""How other systems keep a long video small: MovieChat's consolidation and MA-LMM's memory-bank compression.

Both merge frames that adjoin and look most alike. What is merged is decided on detached features, so each memory entry
is the plain mean of a stretch of frames, and gradients flow through that mean.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from rewind.errors import ConfigError


def merge_adjacent(features: Tensor, counts: Tensor, *, keep: int) -> tuple[Tensor, Tensor]:
    """Merge the most alike neighbours until `keep` entries are left (MovieChat, Song et al. 2024, its consolidation).

    Likeness is the cosine, averaged over an entry's tokens; ties go to the earlier pair. A merged entry is the mean of
    its two parts weighted by the frames that each stands for ([us]: published, unweighted): a mean of frames always.

    Args:
        features: (n, W, D). counts: (n,) frames of each entry.

    Returns: features (k, W, D) and counts (k,), k = min(n, keep), in time order.
    """
    while features.shape[0] > keep:
        alike = functional.cosine_similarity(features[:-1], features[1:], dim=-1).mean(-1)
        at = int(alike.argmax())
        share = counts[at : at + 2].to(features.dtype)
        joined = (features[at : at + 2] * (share / share.sum())[:, None, None]).sum(0, keepdim=True)
        features = torch.cat([features[:at], joined, features[at + 2 :]])
        counts = torch.cat([counts[:at], counts[at : at + 2].sum(0, keepdim=True), counts[at + 2 :]])
    return features, counts


@torch.no_grad()
def consolidate(features: Tensor, *, short: int, into: int, keep: int) -> Tensor:
    """MovieChat's two memories over T frames: how many frames each entry stands for, in time order.

    Frames enter a first-in-first-out buffer of `short`. When it is full it is merged down to `into` entries, which go
    to the long-term memory, and starts anew; the long-term memory is merged the same way once it holds more than
    `keep` − `short` entries. What is read at the end is the long-term memory and the buffer.

    Args:
        features: (T, W, D), detached.

    Returns: (G,) long, Σ = T, G at most `keep`.
    """
    if not 1 <= into <= short < keep:
        raise ConfigError(f"short={short}, into={into}, keep={keep}", allowed="1 <= into <= short < keep")
    ones = torch.ones(features.shape[0], dtype=torch.long, device=features.device)
    long, counts = features[:0], ones[:0]
    start = 0
    while features.shape[0] - start > short:
        merged, of = merge_adjacent(features[start : start + short], ones[start : start + short], keep=into)
        long, counts = merge_adjacent(torch.cat([long, merged]), torch.cat([counts, of]), keep=keep - short)
        start += short
    return torch.cat([counts, ones[start:]])


@torch.no_grad()
def compress(features: Tensor, *, keep: int) -> Tensor:
    """MA-LMM's memory bank (He et al. 2024): one frame in, one merge of the two most alike neighbours, slot by slot.

    Each token slot of a frame is a bank of its own: the pair that merges in one need not merge in another.

    Args:
        features: (B, T, W, D), detached.

    Returns: (B, G, W) long: frames that each entry stands for, G = min(T, keep), Σ over G = T.
    """
    b, t, w, d = features.shape
    x = features.transpose(1, 2).reshape(b * w, t, d)
    bank, counts = x[:, :keep], torch.ones(b * w, min(t, keep), dtype=torch.long, device=x.device)
    row = torch.arange(b * w, device=x.device)
    for frame in range(keep, t):
        bank = torch.cat([bank, x[:, frame : frame + 1]], dim=1)
        counts = torch.cat([counts, counts.new_ones(b * w, 1)], dim=1)
        at = functional.cosine_similarity(bank[:, :-1], bank[:, 1:], dim=-1).argmax(1)
        first, second = counts[row, at], counts[row, at + 1]
        share = (first / (first + second)).to(x.dtype)[:, None]
        bank[row, at] = bank[row, at] * share + bank[row, at + 1] * (1 - share)
        counts[row, at] = first + second
        stays = torch.ones_like(counts, dtype=torch.bool)
        stays[row, at + 1] = False
        bank, counts = bank[stays].view(b * w, keep, d), counts[stays].view(b * w, keep)
    return counts.view(b, w, -1).transpose(1, 2)


def extents(counts: Tensor) -> tuple[Tensor, Tensor]:
    """Frames an entry stands for (B, G, W) → first and one-past-last frame of each (B, G, W)."""
    end = counts.cumsum(1)
    return end - counts, end


def means(tokens: Tensor, counts: Tensor) -> Tensor:
    """Tokens of frames (B, T, W, D) averaged over each entry's frames, (B, G, W) of them: (B, G, W, D)."""
    start, end = extents(counts)
    frame = torch.arange(tokens.shape[1], device=tokens.device)
    inside = (frame >= start[..., None]) & (frame < end[..., None])  # (B, G, W, T)
    return torch.einsum("bgwt,btwd->bgwd", inside.to(tokens.dtype) / counts[..., None].to(tokens.dtype), tokens)
