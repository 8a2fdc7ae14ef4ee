"""What lies in a store: list, show, remove, prune."""

from __future__ import annotations

import errno
import os
import re
import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from rewind.errors import ConfigError, StoreError
from rewind.store.features import Manifest
from rewind.store.lock import LOCK, BusyError, is_locked, locked
from rewind.store.shards import MANIFEST, GoneError

_KEY = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True)
class StoredVideo:
    """One stored video: its key, where it came from, how much of it there is. `trouble` is why it cannot be used;
    `busy`: a process is watching it now. `fps`, `reading`, `dtype` and
    `vision`, the encoder's name, tell apart what one file was stored as."""

    key: str
    source: str
    frames: int
    size_bytes: int
    finished: bool
    used: float
    trouble: str | None = None
    busy: bool = False
    fps: str | None = None
    reading: str | None = None
    dtype: str | None = None
    vision: str | None = None


def list_store(folder: Path) -> list[StoredVideo]:
    """All stored videos, the one used last first. `used` is in seconds since 1970.

    Raises: StoreError where the folder cannot be read, or is none.
    """
    found = []
    try:
        if not folder.is_dir() and os.path.lexists(folder):
            raise NotADirectoryError(errno.ENOTDIR, "not a folder")
        for path in folder.iterdir() if folder.is_dir() else ():
            with suppress(FileNotFoundError, GoneError):  # removed by another process meanwhile
                if (path / MANIFEST).is_file() or (_KEY.fullmatch(path.name) and path.is_dir()):
                    found.append(_describe(path))
    except OSError as error:
        raise StoreError(f"{folder}: {error.strerror or error}", allowed="a store's folder that can be read") from error
    return sorted(found, key=lambda v: -v.used)


def find_stored(folder: Path, key: str) -> StoredVideo:
    """The stored video whose key or file name begins with `key`.

    Raises: StoreError for none or several; ConfigError for a blank key, with which every one begins.
    """
    if not key.strip():
        raise ConfigError(
            f"key {key!r}", allowed="the start of one key, or of a file's name", do="see: rewind store list"
        )
    videos = list_store(folder)
    hits = [v for v in videos if v.key.startswith(key)] or [v for v in videos if Path(v.source).name.startswith(key)]
    if len(hits) != 1:
        found = "no stored video" if not hits else f"{len(hits)} stored videos"
        raise StoreError(f"{found} for {key!r}", allowed="the start of one key", do="see: rewind store list")
    return hits[0]


def remove_stored(folder: Path, key: str) -> StoredVideo:
    """Remove one stored video; gives what it was.

    Raises: StoreError for no such video or a store that cannot be written to; BusyError while a process watches it.
    """
    video = find_stored(folder, key)
    path = folder / video.key
    try:
        with locked(path, wait_s=0):
            _empty(path)
        _drop(path)
    except BusyError:
        raise BusyError(
            f"{video.key[:12]} ({Path(video.source).name}) is being watched",
            allowed="a video that nothing writes to",
            do="wait until it is watched, or stop that",
        ) from None
    except OSError as error:
        raise StoreError(f"{path}: {error.strerror}", allowed="a store that can be written to") from error
    return video


def prune_store(folder: Path, *, max_bytes: int) -> list[StoredVideo]:
    """Remove the stored videos used longest ago until the rest takes `max_bytes` at most; gives those removed. What is
    being watched stays."""
    videos = list_store(folder)
    total = sum(v.size_bytes for v in videos)
    removed = []
    for video in reversed(videos):
        if total <= max_bytes:
            break
        try:
            removed.append(remove_stored(folder, video.key))
        except BusyError:
            continue
        total -= video.size_bytes
    return removed


def _empty(path: Path) -> None:
    """Removes all but the lock file, which tells who owns the folder, and that last where it can go while held. The
    manifest goes first: stopped on the way, what is left says that no frame is stored."""
    for child in sorted(path.iterdir(), key=lambda p: p.name != MANIFEST):
        if child.is_dir():
            shutil.rmtree(child)
        elif child.name != LOCK:
            child.unlink()
    if os.name != "nt":
        (path / LOCK).unlink()


def _drop(path: Path) -> None:
    """Removes the emptied folder, unless another process has begun to write to it again."""
    with suppress(OSError):
        if os.name == "nt":  # there an open file cannot be removed
            (path / LOCK).unlink()
        path.rmdir()


def _describe(folder: Path) -> StoredVideo:
    size = sum(f.stat().st_size for f in folder.iterdir() if f.is_file())
    busy = is_locked(folder)
    marks = [folder / MANIFEST, folder / "used"]
    used = max((mark.stat().st_mtime for mark in marks if mark.is_file()), default=folder.stat().st_mtime)
    if not marks[0].is_file():
        return StoredVideo(folder.name, "?", 0, size, False, used, "no frame is stored yet", busy)
    try:
        manifest = Manifest.load(folder)
    except GoneError:
        raise
    except StoreError as error:
        return StoredVideo(folder.name, "?", 0, size, False, used, str(error), busy)
    source = str(manifest.source.get("path", "?"))
    recipe = manifest.recipe
    return StoredVideo(
        folder.name, source, manifest.rows, size, manifest.finished, used, busy=busy,
        fps=recipe.fps, reading=recipe.reading, dtype=recipe.dtype, vision=recipe.vision,
    )  # fmt: skip
