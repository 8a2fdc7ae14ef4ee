"""The neck: deep and fine patches joined on the fine grid, of which only the salient ones are perceived ([us])."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from rewind.config import ReWindConfig
from rewind.precision import unmixed_on_cpu

_AROUND, _ROWS, _COLUMNS = 48, 3, 7
"""What is read around a patch: as many channels of each of 3 × 7 patches, 48 × 112 px: the longest codes are 92 px."""
_AT_ONCE = 16
"""Frames that go through together: a whole shard's grids would take hundreds of megabytes, and no less time."""


class NeckBlock(nn.Module):
    """Depth-wise 7 × 7 convolution, two linear layers, a residual (the block of ConvNeXt, Liu et al. 2022)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.look = nn.Conv2d(width, width, 7, padding=3, groups=width)
        self.norm = nn.LayerNorm(width)
        self.inner = nn.Linear(width, 2 * width)
        self.outer = nn.Linear(2 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        """(N, side, side, D) → the same shape."""
        # Its gradient takes a processor three times as long in bf16.
        with unmixed_on_cpu(x.device):
            seen = self.look(x.to(self.look.weight.dtype).permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
        return x + self.outer(nn.functional.gelu(self.inner(self.norm(seen)), approximate="tanh"))  # type: ignore[no-any-return]


@dataclass(frozen=True)
class Grid:
    """N frames on the fine grid: `patches` (N, side², D), what a neighbour reads of each, `around` (N, side², A), and
    logits of `salience` (N, side²)."""

    patches: Tensor
    around: Tensor
    salience: Tensor


class Neck(nn.Module):
    """Patch features (…, P, C) and fine features (…, Pf, Cf) → the frame's `salient` patches (…, n, D).

    A frozen classifier's patches know textures and colours, not which patch is the middle of a thing. The neck is
    trained for that where the data knows (`rewind.train.dense`): a thing's middle patch tells all of it, and says so by
    its salience. Perceive then reads `salient` patches a frame in place of a grid of 196. Depends on no instruction.

    The few patches that are handed on read those around them, each place with weights of its own: what a sign says
    depends on where on it each stroke is, which blocks that treat all places alike learn slowly (docs/architecture.md).

    With the config's `patch_place` their last two numbers are the middle of the thing they show, x and y from −1 to 1:
    what moves, and what was where another thing is now, can then be told.
    """

    def __init__(self, config: ReWindConfig) -> None:
        super().__init__()
        width = config.width
        self.side = config.fine_grid
        self.deep_side = int(config.patches**0.5)
        self.keep = config.salient
        self.deep_norm = nn.LayerNorm(config.vision_width)
        self.fine_norm = nn.LayerNorm(config.fine_width)
        self.deep = nn.Linear(config.vision_width, width)
        self.fine = nn.Linear(config.fine_width, width)
        self.position = nn.Parameter(torch.randn(self.side, self.side, width) * 0.02)
        self.blocks = nn.ModuleList(NeckBlock(width) for _ in range(config.neck_blocks))
        self.around = nn.Linear(width, _AROUND)
        self.around_fine = nn.Linear(config.fine_width, _AROUND)
        self.gather = nn.Sequential(
            nn.Linear(_AROUND * _ROWS * _COLUMNS, 2 * width), nn.GELU(approximate="tanh"), nn.Linear(2 * width, width)
        )
        self.norm = nn.LayerNorm(width)
        self.salience = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, 1))
        self.middle = nn.Linear(width, 2) if config.patch_place else None

    def grid(self, deep: Tensor, fine: Tensor) -> Grid:
        """deep (N, P, C), fine (N, Pf, Cf) → all patches, none of which has read those around it."""
        n, times = deep.shape[0], self.side // self.deep_side
        coarse = self.deep(self.deep_norm(deep)).view(n, self.deep_side, self.deep_side, -1)
        seen = self.fine_norm(fine)
        x = self.fine(seen).view(n, self.side, self.side, -1)
        x = x + coarse.repeat_interleave(times, 1).repeat_interleave(times, 2) + self.position
        for block in self.blocks:
            x = block(x)
        x = x.flatten(1, 2)
        return Grid(x, self.around(x) + self.around_fine(seen), self.salience(x)[..., 0])

    def read(self, grid: Grid, frame: Tensor, place: Tensor) -> Tensor:
        """Patches `place` (m,) of frames `frame` (m,), each with what stands around it: (m, D)."""
        up, left = _ROWS // 2, _COLUMNS // 2
        around = grid.around.view(-1, self.side, self.side, _AROUND)
        around = functional.pad(around, (0, 0, left, left, up, up))
        rows = (place // self.side)[:, None] + torch.arange(_ROWS, device=place.device)
        columns = (place % self.side)[:, None] + torch.arange(_COLUMNS, device=place.device)
        seen = around[frame[:, None, None], rows[:, :, None], columns[:, None]].flatten(1)
        read = grid.patches[frame, place] + self.gather(seen)
        patches = self.norm(read)
        if self.middle is None:
            return torch.as_tensor(patches)
        cell = torch.stack([place % self.side, place // self.side], dim=-1) + 0.5
        # A thing's middle lies in its patch or, where that is not the patch in its middle, beside it.
        middle = (cell + 1.5 * torch.tanh(self.middle(patches))) * (2 / self.side) - 1
        return torch.cat([patches[..., :-2], middle.to(patches.dtype)], dim=-1)

    def forward(self, deep: Tensor, fine: Tensor | None) -> Tensor:
        if fine is None:
            raise ValueError("perceives='neck' needs the fine grid")
        lead = deep.shape[:-2]
        parts = zip(deep.flatten(0, -3).split(_AT_ONCE), fine.flatten(0, -3).split(_AT_ONCE), strict=True)
        chosen = torch.cat([self._salient(*part) for part in parts])
        return chosen.view(*lead, self.keep, -1)

    def _salient(self, deep: Tensor, fine: Tensor) -> Tensor:
        grid = self.grid(deep, fine)
        place = grid.salience.topk(self.keep, dim=1).indices.sort(dim=1).values
        frame = torch.arange(len(place), device=place.device).repeat_interleave(self.keep)
        return self.read(grid, frame, place.flatten())
