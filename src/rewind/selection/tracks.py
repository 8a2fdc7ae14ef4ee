"""Tracks: for each thing that an instruction names, the stretches at which scores say that it is there ([us])."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

THERE = 0.5
"""Probability from which a frame counts as showing the thing."""
SURE = 0.9
"""Probability that a stretch must reach somewhere, in videos as short as those of training."""
TRAINED_FRAMES = 96
DOUBT = 0.1
"""Probability from which a frame between two that show it may have been missed."""


@dataclass(frozen=True)
class Stretches:
    """Up to `limit` stretches of all tracks, track by track and in time order.

    `first`, `last` (m,) rows, both inside; `track` (m,); `ordinal` (m,): the how-manieth of its track, from 0; `rank`
    (m,): the how-manieth of all to begin; `score` (m,): the best in it.
    """

    first: Tensor
    last: Tensor
    track: Tensor
    ordinal: Tensor
    rank: Tensor
    score: Tensor

    def __len__(self) -> int:
        return len(self.first)


def at_length(probability: float, frames: int) -> float:
    """What stands for `probability` in a video of that many frames: its odds rise with the frames.

    What is asked for is there about as often in an hour as in a minute and a half, but each frame more is one more that
    may look like it, and one wrong stretch before the right one turns the order round.
    """
    odds = probability / (1 - probability) * max(1.0, frames / TRAINED_FRAMES)
    return odds / (1 + odds)


def stretches(probability: Tensor, *, limit: int) -> Stretches:
    """Runs of frames at `THERE` or more that reach `SURE` at that length, in each column of `probability` (T,
    tracks); a hole of one doubtful frame is filled.

    A track that has none of them, beside one that has, gives its best run that reaches plain `SURE`: a question whose
    other thing is there hardly asks for a thing that is not, and without it order is told of one thing alone. Where a
    track has more than its share of `limit`, the ones with the best scores stay.
    """
    values = probability.detach().float().cpu().numpy()
    share, sure = limit // values.shape[1], at_length(SURE, len(values))
    found: list[tuple[int, int, int, int, float]] = []
    runs = [_runs(column) for column in values.T]
    anything = any((best >= sure).any() for _, _, best in runs)
    for track, (starts, ends, best) in enumerate(runs):
        kept = np.flatnonzero(best >= sure)
        if anything and not len(kept):
            kept = np.flatnonzero((best >= SURE) & (best == best.max(initial=0)))[:1]
        kept = np.sort(kept[np.argsort(-best[kept], kind="stable")[:share]])
        found += [(int(starts[i]), int(ends[i]) - 1, track, ordinal, float(best[i])) for ordinal, i in enumerate(kept)]
    first, last, which, ordinals = (torch.tensor([one[i] for one in found], dtype=torch.long) for i in range(4))
    rank = torch.argsort(torch.argsort(first, stable=True), stable=True)
    return Stretches(first, last, which, ordinals, rank, torch.tensor([one[4] for one in found], dtype=torch.float32))


def _runs(column: NDArray[np.float32]) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]:
    """First rows, rows after the last and best values of the runs at `THERE` or more."""
    there = column >= THERE
    # One frame that misses the thing does not make two stretches of one; one that is sure of its absence does.
    there[1:-1] |= there[:-2] & there[2:] & (column[1:-1] >= DOUBT)
    edges = np.diff(np.concatenate([[0], there.astype(np.int8), [0]]))
    starts, ends = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
    return starts, ends, np.array([column[a:b].max() for a, b in zip(starts, ends, strict=True)], np.float32)


def mean_tokens(tokens: Tensor, found: Stretches) -> Tensor:
    """Memory tokens (T, W, D) averaged over each stretch: (m, W, D)."""
    row = torch.arange(len(tokens))
    inside = ((row >= found.first[:, None]) & (row <= found.last[:, None])).float()
    share = (inside / inside.sum(1, keepdim=True)).to(tokens.device)
    with torch.autocast(tokens.device.type, enabled=False):
        return (share @ tokens.float().flatten(1)).view(-1, *tokens.shape[1:]).to(tokens.dtype)
