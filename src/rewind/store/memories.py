"""Memories kept beside the features: the tokens of a walk, so that the same question again does not walk anew."""

from __future__ import annotations

import hashlib
import zlib
from contextlib import suppress
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from rewind.store.keys import replace_file, sweep

KEPT = 16
_WALK = "3"
"""To be raised where the same weights walk otherwise than before: older memories are then not found."""


def memory_file(folder: Path, *said: str) -> Path:
    """Where the memory goes that all of `said` decided: weights, instruction, frames walked."""
    return folder / f"memory-{hashlib.sha256(chr(0).join((_WALK, *said)).encode()).hexdigest()[:32]}.safetensors"


def load_memory(path: Path, shape: tuple[int, ...]) -> Tensor | None:
    """Kept tokens; None where there are none of that shape, or they are not bit for bit what was kept."""
    try:
        with safe_open(path, framework="pt") as file:
            tokens, said = file.get_tensor("tokens").clone(), file.metadata() or {}
    except (OSError, SafetensorError):
        return None
    if tokens.shape != shape or said.get("crc32") != _crc32(tokens):
        return None
    with suppress(OSError):
        path.touch()
    return torch.as_tensor(tokens)


def keep_memory(path: Path, tokens: Tensor) -> None:
    """Keep tokens, the `KEPT` used last; a disk that refuses costs only the walk next time."""
    tokens = tokens.contiguous()
    with suppress(OSError):
        replace_file(path, save({"tokens": tokens}, {"crc32": _crc32(tokens)}))
        kept = sorted(path.parent.glob("memory-*.safetensors"), key=lambda p: p.stat().st_mtime, reverse=True)
        for old in kept[KEPT:]:
            old.unlink(missing_ok=True)
        sweep(path.parent, "memory-")


def _crc32(tokens: Tensor) -> str:
    return f"{zlib.crc32(tokens.numpy().tobytes()):08x}"
