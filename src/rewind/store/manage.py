"""What lies in a store: list, show, remove, prune."""

from __future__ import annotations

import re
import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from rewind.errors import StoreError
from rewind.store.features import MANIFEST, Manifest

_KEY = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True)
class StoredVideo:
    """One stored video: its key, where it came from, how much of it there is. `trouble` is why it cannot be used."""

    key: str
    source: str
    frames: int
    size_bytes: int
    finished: bool
    used: float
    trouble: str | None = None


def list_store(folder: Path) -> list[StoredVideo]:
    """All stored videos, the one used last first. `used` is in seconds since 1970.

    Raises: StoreError where the folder cannot be read.
    """
    found = []
    try:
        for path in folder.iterdir() if folder.is_dir() else ():
            with suppress(FileNotFoundError):  # removed by another process meanwhile
                if (path / MANIFEST).is_file() or (_KEY.fullmatch(path.name) and path.is_dir()):
                    found.append(_describe(path))
    except OSError as error:
        raise StoreError(f"{folder}: {error.strerror or error}", allowed="a store that can be read") from error
    return sorted(found, key=lambda v: -v.used)


def find_stored(folder: Path, key: str) -> StoredVideo:
    """The stored video whose key or file name begins with `key`. Raises: StoreError for none or several."""
    videos = list_store(folder)
    hits = [v for v in videos if v.key.startswith(key)] or [v for v in videos if Path(v.source).name.startswith(key)]
    if len(hits) != 1:
        found = "no stored video" if not hits else f"{len(hits)} stored videos"
        raise StoreError(f"{found} for {key!r}", allowed="the start of one key", do="see: rewind store list")
    return hits[0]


def remove_stored(folder: Path, key: str) -> StoredVideo:
    """Remove one stored video; gives what it was."""
    video = find_stored(folder, key)
    try:
        shutil.rmtree(folder / video.key)
    except OSError as error:
        raise StoreError(f"{folder / video.key}: {error.strerror}", allowed="a store that can be written to") from error
    return video


def prune_store(folder: Path, *, max_bytes: int) -> list[StoredVideo]:
    """Remove the stored videos used longest ago until the rest takes `max_bytes` at most; gives those removed."""
    videos = list_store(folder)
    total = sum(v.size_bytes for v in videos)
    removed = []
    for video in reversed(videos):
        if total <= max_bytes:
            break
        removed.append(remove_stored(folder, video.key))
        total -= video.size_bytes
    return removed


def _describe(folder: Path) -> StoredVideo:
    size = sum(f.stat().st_size for f in folder.iterdir() if f.is_file())
    marks = [folder / MANIFEST, folder / "used"]
    used = max((mark.stat().st_mtime for mark in marks if mark.is_file()), default=folder.stat().st_mtime)
    if not marks[0].is_file():
        return StoredVideo(folder.name, "?", 0, size, False, used, "no frame is stored yet")
    try:
        manifest = Manifest.load(folder)
    except StoreError as error:
        return StoredVideo(folder.name, "?", 0, size, False, used, str(error))
    source = str(manifest.source.get("path", "?"))
    return StoredVideo(folder.name, source, manifest.rows, size, manifest.finished, used)
