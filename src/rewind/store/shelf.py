"""Where the features of one source go: a folder under its key, a temporary one, or memory alone."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from rewind.errors import StoreError
from rewind.store.features import Manifest, StoredFeatures
from rewind.store.keys import Recipe, file_hash, remembered_hash
from rewind.store.lock import locked
from rewind.store.shards import GoneError
from rewind.timeline import Clock


class Shelf:
    """The place of one source's features, made by one recipe, in the store `root`.

    `notes` say what was given up: a store that cannot be written to costs the keeping, not the answer.

    Args:
        live: the source has no key (a pipe, a stream, a playlist): a temporary folder that lives as long as this does.
    """

    def __init__(self, source: str | Path, root: Path, *, recipe: Recipe, live: bool) -> None:
        self.source, self.root, self.recipe, self.live = source, root, recipe, live
        self.notes: list[str] = []
        self._temporary: tempfile.TemporaryDirectory[str] | None = None

    @property
    def keyed(self) -> bool:
        """Whether the source has a key, and so a place that outlives this."""
        return not self.live and Path(self.source).is_file()

    def finished(self) -> Manifest | None:
        """What the store says where everything is there already, else None. The file is not read through for it."""
        digest = remembered_hash(Path(self.source), self.root) if self.keyed else None
        if digest is None:
            return None
        with suppress(StoreError):
            manifest = Manifest.load(self.root / self.recipe.key(digest))
            return manifest if manifest.finished else None
        return None

    @contextmanager
    def opened(self, clock: Clock, *, waiting: Callable[[], None] | None = None) -> Iterator[StoredFeatures]:
        """The features as far as they are there, and the right to write more: no other process may meanwhile. `waiting`
        is called once where another one has that right and it takes a while.

        Raises: StoreError for a store of another recipe, a damaged one, or one that another process holds for an hour.
        """
        folder, source = self._place()
        with ExitStack() as held:
            # A finished store is only read, and so it serves from a medium that refuses every write.
            begun = _manifest_in(folder)
            if folder is not None and not (begun and begun.finished):
                try:
                    held.enter_context(locked(folder, waiting=waiting))
                except OSError as error:
                    why = (error.strerror or str(error)).lower()
                    self.notes.append(
                        f"the store {self.root} cannot be written to ({why}): features are kept for this run only"
                    )
                    folder = self._temporary_folder()
            yield self._open(folder, source, clock)
            if folder is not None:
                with suppress(OSError):
                    (folder / "used").touch()

    def _open(self, folder: Path | None, source: dict[str, object], clock: Clock) -> StoredFeatures:
        manifest = _manifest_in(folder)
        if folder is not None and manifest is not None:
            if manifest.recipe != self.recipe:
                raise StoreError(
                    f"{folder} holds features of another recipe",
                    do=f"remove it: rewind store remove {folder.name[:12]}",
                )
            return StoredFeatures(folder, manifest)
        manifest = Manifest(dict(source), self.recipe, clock)
        if folder is None:
            why = "no temporary folder can be written to either: features are kept in memory"
            return StoredFeatures(self.root, manifest, checked=True, trouble=why)
        return StoredFeatures(folder, manifest, checked=True)

    def _place(self) -> tuple[Path | None, dict[str, object]]:
        """The store's folder for this file, or a temporary one for what has no key."""
        if not self.keyed:
            return self._temporary_folder(), {"path": str(self.source)}
        path = Path(self.source)
        digest = file_hash(path, self.root)
        stat = path.stat()
        source = {
            "path": str(path.resolve()),
            "sha256": digest,
            "size_bytes": stat.st_size,
            "mtime_ns": stat.st_mtime_ns,
        }
        return self.root / self.recipe.key(digest), source

    def _temporary_folder(self) -> Path | None:
        """None where none can be made."""
        if self._temporary is None or not Path(self._temporary.name).is_dir():
            try:
                self._temporary = tempfile.TemporaryDirectory(prefix="rewind-")
            except OSError:
                return None
        return Path(self._temporary.name)


def _manifest_in(folder: Path | None) -> Manifest | None:
    """None where there is none. Raises: StoreError for a damaged one."""
    if folder is not None:
        with suppress(GoneError):
            return Manifest.load(folder)
    return None
