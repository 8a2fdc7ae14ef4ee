"""A stretch of a video's stored features, read as if the video began and ended with it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from rewind.store.shards import Part

if TYPE_CHECKING:
    from rewind.store.features import StoredFeatures


@dataclass(frozen=True)
class Stretch:
    """Rows [first, stop) of `stored`; its own rows count from 0."""

    stored: StoredFeatures
    first: int
    stop: int

    def __len__(self) -> int:
        return self.stop - self.first

    @property
    def name(self) -> str:
        """What tells it apart from other stretches of the same features."""
        return str(self.stop) if self.first == 0 else f"{self.first}-{self.stop}"

    @property
    def folder(self) -> Path | None:
        """Where something may be kept beside the features; None where nothing can be."""
        return None if self.stored.trouble or not self.stored.folder.is_dir() else self.stored.folder

    def clips(self, size: int, *parts: Part) -> Iterator[tuple[Tensor, ...]]:
        """The given kinds of features in clips of `size` frames, the last one shorter; shards' borders leave no
        mark."""
        return _in_clips(self.stored.by_shard(*parts, first=self.first, stop=self.stop), size)

    def derived_clips(self, size: int, make: Callable[[Tensor, Tensor], Tensor], *, name: str) -> Iterator[Tensor]:
        """Clips of what `make(deep, fine)` gives; it is called once a shard and kept beside it under `name`."""
        made = self.stored.derived_by_shard(make, name=name, first=self.first, stop=self.stop)
        return (clip for (clip,) in _in_clips(((one,) for one in made), size))

    def part(self, part: Part) -> Iterator[Tensor]:
        """One kind of features, shard by shard in time order."""
        return (one for (one,) in self.stored.by_shard(part, first=self.first, stop=self.stop))

    def rows(self, part: Part, rows: Sequence[int]) -> Tensor:
        """Some rows (rising) of one kind of features: (n, ., .); only their shards are opened."""
        return self.stored.rows(part, [self.first + row for row in rows])


def _in_clips(stretches: Iterable[tuple[Tensor, ...]], size: int) -> Iterator[tuple[Tensor, ...]]:
    held: tuple[Tensor, ...] | None = None
    for stretch in stretches:
        joined = stretch if held is None else tuple(torch.cat(p) for p in zip(held, stretch, strict=True))
        full = len(joined[0]) // size * size
        for start in range(0, full, size):
            yield tuple(t[start : start + size] for t in joined)
        held = tuple(t[full:] for t in joined) if full < len(joined[0]) else None
    if held is not None:
        yield held
