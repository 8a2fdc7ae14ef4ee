"""What is worked out of a shard's features and needs no instruction: made once, kept beside the shard in half
precision.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from rewind.store.keys import replace_file

Make = Callable[[], Tensor]


def derived(folder: Path | None, name: str, make: Make, *, shard: str, rows: int) -> Tensor:
    """`make()` in half precision, or what of it was kept under `name` for that shard: (rows, …).

    A disk that refuses, a file that is not what was written: it is made anew. Of other names nothing is kept, since
    they come of other weights.
    """
    path = None if folder is None else folder / f"derived-{name}-{Path(shard).stem}.safetensors"
    kept = None if path is None else _load(path, rows)
    if kept is not None:
        return kept
    made = make().half().contiguous()
    if path is not None:
        with suppress(OSError):
            replace_file(path, save({"made": made}, {"crc32": _crc32(made)}))
            for old in path.parent.glob("derived-*.safetensors"):
                if not old.name.startswith(f"derived-{name}-"):
                    old.unlink(missing_ok=True)
    return made


def _load(path: Path, rows: int) -> Tensor | None:
    try:
        with safe_open(path, framework="pt") as file:
            made, said = file.get_tensor("made").clone(), file.metadata() or {}
    except (OSError, SafetensorError):
        return None
    return torch.as_tensor(made) if len(made) == rows and said.get("crc32") == _crc32(made) else None


def _crc32(made: Tensor) -> str:
    return f"{zlib.crc32(made.numpy().tobytes()):08x}"
