"""One tensor in a file of its own beside the features: replaced whole, and checked when it is read again."""

from __future__ import annotations

import zlib
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from rewind.store.keys import replace_file, sweep


def keep_tensor(path: Path, name: str, value: Tensor) -> None:
    """Write a contiguous tensor under a name. What a killed process left of the same kind of file, whose names begin as
    this one's up to the first hyphen, is swept away. Raises: OSError."""
    replace_file(path, save({name: value}, {"crc32": _crc32(value)}))
    sweep(path.parent, path.name.partition("-")[0] + "-")


def kept_tensor(path: Path, name: str) -> Tensor | None:
    """The tensor; None where there is none, or it is not bit for bit what was written."""
    try:
        with safe_open(path, framework="pt") as file:
            value, said = torch.as_tensor(file.get_tensor(name)).clone(), file.metadata() or {}
    except (OSError, SafetensorError):
        return None
    return value if said.get("crc32") == _crc32(value) else None


def _crc32(value: Tensor) -> str:
    return f"{zlib.crc32(value.numpy().tobytes()):08x}"
