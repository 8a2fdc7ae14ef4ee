"""What is worked out of a shard's features and needs no instruction: made once, kept beside the shard in half
precision.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from torch import Tensor

from rewind.store.tensors import keep_tensor, kept_tensor

Make = Callable[[], Tensor]
NAMES = 2
"""Kept of one video: two models that are asked in turns do not throw away each other's."""


def derived(folder: Path | None, name: str, make: Make, *, shard: str, rows: int) -> Tensor:
    """`make()` in half precision, or what of it was kept under `name` for that shard: (rows, …).

    A disk that refuses, a file that is not what was written: it is made anew. Of other names, which come of other
    weights, those written last are kept, `NAMES` in all.
    """
    path = None if folder is None else folder / f"derived-{name}-{Path(shard).stem}.safetensors"
    kept = None if path is None else kept_tensor(path, "made")
    if kept is not None and len(kept) == rows:
        return kept
    made = make().half().contiguous()
    if path is not None:
        with suppress(OSError):
            keep_tensor(path, "made", made)
            _drop_others(path.parent, name)
    return made


def _drop_others(folder: Path, name: str) -> None:
    written: dict[str, float] = {}
    files = [path for path in folder.glob("derived-*-*.safetensors") if _name(path) != name]
    for path in files:
        written[_name(path)] = max(written.get(_name(path), 0.0), path.stat().st_mtime)
    kept = sorted(written, key=written.__getitem__, reverse=True)[: NAMES - 1]
    for path in files:
        if _name(path) not in kept:
            path.unlink(missing_ok=True)


def _name(path: Path) -> str:
    return path.name.removeprefix("derived-").rsplit("-", 1)[0]
