"""What a stored video is called: a key of the file's content and of everything that changes its features."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import platformdirs

from rewind.errors import StoreError
from rewind.folders import from_home
from rewind.weights import file_sha256

FORMAT = 3
"""3: exact reading shows the pictures that lead a group in H.265 files whose groups are open."""
_HASHES = "files.json"
_LEFT_AFTER_S = 3600.0


@dataclass(frozen=True)
class Recipe:
    """All that decides what features a file gives: two stores with one recipe and one file hold the same numbers."""

    fps: str
    reading: str
    dtype: str
    vision: str
    weights: str
    format: int = FORMAT

    def key(self, file_hash: str) -> str:
        """32 hex digits, the folder's name."""
        text = json.dumps([file_hash, asdict(self)], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:32]


def default_folder() -> Path:
    """REWIND_STORE, else the user's cache folder. Raises: StoreError where the user has no home to keep one in."""
    if given := os.environ.get("REWIND_STORE"):
        return from_home(given)
    try:
        return Path(platformdirs.user_cache_dir("rewind")) / "store"
    except RuntimeError as error:
        raise StoreError(
            "no place for the store: this user has no home folder", allowed="any folder",
            do="give --store DIR or set REWIND_STORE",
        ) from error  # fmt: skip


def remembered_hash(path: Path, folder: Path) -> str | None:
    """The file's SHA-256 where the store knows it from before and the file has not changed since; hashes nothing."""
    try:
        stat = path.stat()
    except OSError:
        return None
    entry = _read(folder / _HASHES).get(str(path.resolve()))
    return str(entry[2]) if isinstance(entry, list) and entry[:2] == [stat.st_size, stat.st_mtime_ns] else None


def file_hash(path: Path, folder: Path) -> str:
    """SHA-256 of a file, remembered in the store by path, size and time of change: no question hashes 20 GB again.

    Raises: StoreError where the file cannot be read.
    """
    if (digest := remembered_hash(path, folder)) is not None:
        return digest
    try:
        stat = path.stat()
        digest = file_sha256(path)
    except OSError as error:
        raise StoreError(f"{path}: {error.strerror or error}", allowed="a file that can be read") from error
    known = _read(folder / _HASHES)
    known[str(path.resolve())] = [stat.st_size, stat.st_mtime_ns, digest]
    with contextlib.suppress(OSError):  # a store that cannot be written to only costs hashing again
        folder.mkdir(parents=True, exist_ok=True)
        write_json(folder / _HASHES, known)
        sweep(folder, _HASHES)
    return digest


def write_json(path: Path, value: object) -> None:
    """`replace_file` with a value as JSON."""
    replace_file(path, json.dumps(value, indent=1, sort_keys=True).encode())


def replace_file(path: Path, data: bytes) -> None:
    """Write under a temporary name, to the disk, then rename: a reader sees the old file or the new one, never half.

    Raises: OSError, and then nothing is left of the attempt.
    """
    with replacing(path) as temporary, temporary.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary name beside `path`, no other writer's; what was written there takes its place at the end, or goes."""
    # Process numbers repeat: in time, and between machines that share a disk.
    temporary = path.with_name(f"{path.name}.{uuid.uuid4().hex}.tmp")
    try:
        yield temporary
        temporary.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise


def sweep(folder: Path, prefix: str) -> None:
    """Remove what `replace_file` left half written over an hour ago, in a process that was killed, of files whose names
    begin with `prefix`."""
    with contextlib.suppress(OSError):
        for left in folder.glob(f"{prefix}*.tmp"):
            with contextlib.suppress(OSError):
                if time.time() - left.stat().st_mtime > _LEFT_AFTER_S:
                    left.unlink()


def _read(path: Path) -> dict[str, object]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}
