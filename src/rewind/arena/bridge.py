"""VideoLLaMB's way (Wang et al. 2025): scenes cut where neighbours differ, memory carried over a recurrent bridge."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from rewind.arena.others import POOLED, PooledFrames
from rewind.arena.recipe import Entries, Heard, Kit
from rewind.memory.attention import Attention, FeedForward

MOST_SEGMENTS = 16
SEGMENT_FRAMES = 8
"""Frames of a segment that cross the bridge, evenly spaced."""
MEMORY_GROUPS = 3
"""Memory tokens a segment, in groups of `POOLED`."""
_ALPHA, _FLOOR = 0.5, 0.02


def scene_cuts(features: Tensor, *, most: int, alpha: float = _ALPHA, floor: float = _FLOOR) -> list[int]:
    """SceneTilling: frames after which a segment ends, the last frame among them.

    c_i is the cosine of neighbours; its depth is that below the peaks to either side, each climbed to until the first
    drop. Cuts are where depth exceeds its mean by `alpha` deviations, and `floor` ([us]: none in a static video).

    Args:
        features: (T, C). most: segments at most; the deepest cuts stay.
    """
    alike = functional.cosine_similarity(features[:-1].float(), features[1:].float(), dim=-1).cpu().numpy()
    n = len(alike)
    depth = np.zeros(n)
    for i in range(n):
        left = right = i
        while left > 0 and alike[left - 1] >= alike[left]:
            left -= 1
        while right < n - 1 and alike[right + 1] >= alike[right]:
            right += 1
        depth[i] = (alike[left] + alike[right] - 2 * alike[i]) / 2
    cuts = [i for i in range(n) if depth[i] > max(depth.mean() + alpha * depth.std(), floor)]
    cuts = sorted(sorted(cuts, key=lambda i: (-depth[i], i))[: most - 1])
    return [*cuts, n]


class Bridge(PooledFrames):
    """Memory tokens and a segment's frames attend to each other; what memory became is kept, and looked back on.

    The decoder gets the memory tokens of every segment, and the last segment's own frames. No instruction.
    """

    def __init__(self, kit: Kit) -> None:
        super().__init__(kit)
        width, heads = kit.config.width, kit.config.heads
        self.memory = nn.Parameter(torch.randn(MEMORY_GROUPS * POOLED, width) * 0.2)
        self.first = nn.Parameter(torch.zeros(width))
        self.bridge, self.recall = Attention(width, heads=heads), Attention(width, heads=heads)
        self.think = FeedForward(width, times=2)
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(3))

    def entries(self, patches: Tensor, heard: Heard, *, tokens: int) -> Entries:  # noqa: ARG002  (one signature)
        b, t = patches.shape[:2]
        pooled = self.pool(patches)
        groups = tokens // POOLED
        last_frames = min(SEGMENT_FRAMES, max(1, groups // 2))
        most = max(1, min(MOST_SEGMENTS, (groups - last_frames) // MEMORY_GROUPS))
        ends = [scene_cuts(v.flatten(1), most=most) for v in pooled.detach()]
        segments = max(len(e) for e in ends)
        frames = self.write(pooled)
        plan = [_rows(ends, number, frames.device) for number in range(segments)]
        starts, stops, there = (torch.stack([p[i] for p in plan], dim=1) for i in (2, 3, 4))
        memory = self.memory.expand(b, -1, -1) + self.first
        kept: list[Tensor] = []
        shown = frames.new_zeros(b, last_frames, POOLED, frames.shape[-1])
        at = torch.zeros(b, last_frames, dtype=torch.long, device=patches.device)
        at_mask = torch.zeros_like(at, dtype=torch.bool)
        for number, (rows, real, *_) in enumerate(plan):
            x = self._cross(memory, frames, rows, real)
            now = there[:, number, None, None]
            kept.append(x[:, : memory.shape[1]])
            back = self.norms[2](torch.cat(kept, dim=1))
            # A video whose segments are over keeps its memory; what it would have written is masked out.
            past = there[:, : number + 1].repeat_interleave(memory.shape[1], 1)
            memory = torch.where(now, kept[-1] + self.recall(kept[-1], back, mask=past[:, None, None]), memory)
            out = x[:, memory.shape[1] :].view(b, SEGMENT_FRAMES, POOLED, -1)[:, :last_frames]
            shown = torch.where(now[..., None], out, shown)
            at = torch.where(now[..., 0], rows[:, :last_frames], at)
            at_mask = torch.where(now[..., 0], real[:, :last_frames], at_mask)
        held = torch.cat([k.view(b, MEMORY_GROUPS, POOLED, -1) for k in kept] + [shown], dim=1)
        start = torch.cat([starts.repeat_interleave(MEMORY_GROUPS, 1), at], dim=1)
        end = torch.cat([stops.repeat_interleave(MEMORY_GROUPS, 1), at + 1], dim=1)
        mask = torch.cat([there.repeat_interleave(MEMORY_GROUPS, 1), at_mask], dim=1)
        wide = [v[..., None].expand(-1, -1, POOLED) for v in (start, end, mask)]
        assert int(stops.max()) == t  # noqa: S101  (the last segment ends with the video)
        return Entries(held, wide[0], wide[1], wide[2])

    def _cross(self, memory: Tensor, frames: Tensor, rows: Tensor, real: Tensor) -> Tensor:
        """One pass over the bridge: memory (B, m, D) and a segment's frames attend to each other (B, m + 8·W, D)."""
        b = memory.shape[0]
        segment = torch.gather(frames, 1, rows[..., None, None].expand(-1, -1, *frames.shape[2:]))
        seen = real.repeat_interleave(POOLED, 1)
        x = torch.cat([memory, segment.flatten(1, 2)], dim=1)
        mask = torch.cat([seen.new_ones(b, memory.shape[1]), seen], dim=1)
        look = self.norms[0](x)
        x = x + self.bridge(look, look, mask=mask[:, None, None])
        return torch.as_tensor(x + self.think(self.norms[1](x)))


def _rows(ends: list[list[int]], number: int, device: torch.device) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Of segment `number` of each video: frames (B, 8), which are real, first and past-last frame, if it is there."""
    rows, real, first_of, end_of = [], [], [], []
    for of in ends:
        there = number < len(of)
        first, last = (of[number - 1] + 1 if number else 0, of[number]) if there else (0, 0)
        n = min(SEGMENT_FRAMES, last - first + 1)  # of a segment that is not there, one frame: a softmax needs a key
        chosen = np.linspace(first, last, n).round().astype(int).tolist()
        rows.append(chosen + [0] * (SEGMENT_FRAMES - n))
        real.append([True] * n + [False] * (SEGMENT_FRAMES - n))
        first_of.append(first)
        end_of.append(last + 1)
    there_of = [number < len(of) for of in ends]
    made = (torch.tensor(v, device=device) for v in (rows, real, first_of, end_of, there_of))
    a, b, c, d, e = made
    return a, b, c, d, e
