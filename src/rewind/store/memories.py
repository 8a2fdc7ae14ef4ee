"""Memories kept beside the features: the tokens of a walk, so that the same question again does not walk anew."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from pathlib import Path

from torch import Tensor

from rewind.store.tensors import keep_tensor, kept_tensor

KEPT = 16
_WALK = "3"
"""To be raised where the same weights walk otherwise than before: older memories are then not found."""


def memory_file(folder: Path, *said: str) -> Path:
    """Where the memory goes that all of `said` decided: weights, instruction, frames walked."""
    return folder / f"memory-{hashlib.sha256(chr(0).join((_WALK, *said)).encode()).hexdigest()[:32]}.safetensors"


def load_memory(path: Path, shape: tuple[int, ...]) -> Tensor | None:
    """Kept tokens; None where there are none of that shape, or they are not bit for bit what was kept."""
    tokens = kept_tensor(path, "tokens")
    if tokens is None or tokens.shape != shape:
        return None
    with suppress(OSError):
        path.touch()
    return tokens


def keep_memory(path: Path, tokens: Tensor) -> None:
    """Keep tokens, the `KEPT` used last; a disk that refuses costs only the walk next time."""
    with suppress(OSError):
        keep_tensor(path, "tokens", tokens.contiguous())
        kept = sorted(path.parent.glob("memory-*.safetensors"), key=lambda p: p.stat().st_mtime, reverse=True)
        for old in kept[KEPT:]:
            old.unlink(missing_ok=True)
