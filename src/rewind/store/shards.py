"""One shard: the features of up to 64 samples in one safetensors file, fp16 or int8, read whole or a few rows."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from rewind.errors import StoreError
from rewind.sampling import Dtype
from rewind.store.keys import replace_file
from rewind.timeline import Clock, Timeline
from rewind.values import Features

MANIFEST = "manifest.json"
Part = Literal["deep", "fine", "posterior"]
SAMPLES = 64


class GoneError(StoreError):
    """What was stored of a video is there no more, manifest and all: it was removed or pruned meanwhile."""

    def __init__(self, folder: Path) -> None:
        super().__init__(
            f"what was stored as {folder.name[:12]} is gone: removed or pruned meanwhile",
            allowed="a store that stays while it is used", do="ask again, and the video is watched anew",
        )  # fmt: skip


@dataclass(frozen=True)
class ShardEntry:
    """What the manifest knows of a shard: samples [first, stop) of the clock, `rows` of them with a picture."""

    file: str
    first: int
    stop: int
    rows: int
    size_bytes: int
    crc32: int


def write_shard(folder: Path, features: Features, *, first: int, stop: int, dtype: Dtype) -> ShardEntry:
    """Write one shard under a temporary name, to the disk, then rename it. Raises: OSError."""
    data = save(_pack(features, dtype))
    name = f"{first:08d}.safetensors"
    replace_file(folder / name, data)
    return ShardEntry(name, first, stop, len(features), len(data), zlib.crc32(data))


def check_shard(folder: Path, entry: ShardEntry) -> None:
    """Raises: StoreError where the shard is missing or is not, byte for byte, what was written."""
    path = folder / entry.file
    try:
        data = path.read_bytes()
    except OSError as error:
        raise _unreadable(path, f"cannot be read ({error.strerror})") from error
    if len(data) != entry.size_bytes or zlib.crc32(data) != entry.crc32:
        raise _damaged(path, "is not what was written")


def read_part(folder: Path, entry: ShardEntry, part: Part, rows: Sequence[int] | None = None) -> Tensor:
    """One kind of features of a shard, or some rows of it: (n, ., .) fp16. The file is closed again: mapped pages
    count as resident memory."""
    path = folder / entry.file
    try:
        with safe_open(path, framework="pt") as file:
            if rows is None:
                values = file.get_tensor(part).clone()
            else:
                cut = file.get_slice(part)
                values = torch.cat([cut[row : row + 1] for row in rows])
            scale = file.get_tensor(f"{part}.scale").clone() if values.dtype == torch.int8 else None
    except (OSError, SafetensorError) as error:
        raise _unreadable(path, str(error)) from error
    if scale is not None:
        values = (values.float() * scale).half()
    return torch.as_tensor(values)


def read_timeline(folder: Path, entry: ShardEntry, clock: Clock) -> Timeline:
    try:
        with safe_open(folder / entry.file, framework="np") as file:
            index, pts = file.get_tensor("index").copy(), file.get_tensor("pts").copy()
    except (OSError, SafetensorError) as error:
        raise _unreadable(folder / entry.file, str(error)) from error
    return Timeline(clock, index, pts)


def row_bytes(deep: tuple[int, int], fine: tuple[int, int], posterior: tuple[int, int], *, dtype: Dtype) -> int:
    """Bytes that one frame takes in a store."""
    grids = deep[0] * deep[1] + fine[0] * fine[1]
    return grids * (2 if dtype == "fp16" else 1) + 2 * posterior[0] * posterior[1] + 16


def _pack(features: Features, dtype: Dtype) -> dict[str, Tensor]:
    packed = {
        "index": torch.from_numpy(features.timeline.index.astype(np.int64)),
        "pts": torch.from_numpy(features.timeline.pts.astype(np.int64)),
        # The posterior is small, and its small values matter: it stays fp16.
        "posterior": features.posterior.half().contiguous(),
    }
    for name in ("deep", "fine"):
        values: Tensor = getattr(features, name)
        if dtype == "fp16":
            packed[name] = values.half().contiguous()
        else:
            scale = values.float().abs().amax((0, 1)).clamp(min=1e-8) / 127
            packed[name] = (values.float() / scale).round().clamp(-127, 127).to(torch.int8)
            packed[f"{name}.scale"] = scale
    return packed


def _unreadable(path: Path, why: str) -> StoreError:
    # Who removes a stored video begins with its manifest; a shard that is missing beside one that names it is damage.
    if path.exists() or _named(path):
        return _damaged(path, why)
    return GoneError(path.parent)


def _named(path: Path) -> bool:
    """Whether the manifest beside it names a shard; where the video is just watched anew, not yet."""
    try:
        return f'"{path.name}"' in (path.parent / MANIFEST).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return False


def _damaged(path: Path, why: str) -> StoreError:
    key = path.parent.name
    return StoreError(
        f"stored features {path.name} of {key[:12]}: {why}", allowed="a store that only Rewind writes to",
        do=f"type: rewind store remove {key[:12]}, then ask again",
    )  # fmt: skip
