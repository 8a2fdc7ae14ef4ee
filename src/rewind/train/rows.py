"""Rows of many files as of one tensor: a bank is gigabytes, and a step of training looks at some fifty frames of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor


class Rows:
    """Tensors (n, …) of one shape and type, one after another.

    What is asked for is copied out. Of tensors that lie in files (`safetensors`) nothing else need be in memory: what
    the system has read of them it can let go, so that a laptop trains on a bank that is larger than its memory.
    """

    def __init__(self, parts: Sequence[Tensor]) -> None:
        self.parts = tuple(parts)

    @cached_property
    def ends(self) -> npt.NDArray[np.int64]:
        return np.cumsum([len(part) for part in self.parts])

    def __len__(self) -> int:
        return int(self.ends[-1]) if self.parts else 0

    def __getitem__(self, rows: npt.NDArray[np.int64] | slice) -> Tensor:
        """Rows by their numbers, in any order, or a slice of them.

        Raises: IndexError for a number that no row has.
        """
        wanted = np.arange(len(self))[rows] if isinstance(rows, slice) else np.asarray(rows)
        if wanted.size and not (wanted.min() >= 0 and wanted.max() < len(self)):
            raise IndexError(f"rows {wanted.min()} to {wanted.max()} of {len(self)}")
        found = self.parts[0].new_empty(len(wanted), *self.parts[0].shape[1:])
        part = np.searchsorted(self.ends, wanted, side="right")
        for number in np.unique(part):
            here = np.flatnonzero(part == number)
            within = wanted[here] - (self.ends[number] - len(self.parts[number]))
            found[torch.from_numpy(here)] = self.parts[number][torch.from_numpy(within)]
        return found

    def batches(self, size: int) -> Iterator[Tensor]:
        """All rows in their order, `size` at a time."""
        for start in range(0, len(self), size):
            yield self[start : start + size]
