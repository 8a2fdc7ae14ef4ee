"""The features of one video on disk: a manifest and shards, written as they are made, read a shard at a time."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from rewind.errors import StoreError
from rewind.store.checked import check_kinds, check_shards
from rewind.store.derived import derived
from rewind.store.keys import FORMAT, Recipe, write_json
from rewind.store.shards import (
    MANIFEST,
    GoneError,
    Part,
    ShardEntry,
    check_shard,
    read_part,
    read_timeline,
    write_shard,
)
from rewind.store.stretch import Stretch
from rewind.timeline import Clock, Timeline
from rewind.values import Features, FrameCount
from rewind.video.losses import Losses

IN_MEMORY_BYTES = 512 << 20


@dataclass(frozen=True)
class Manifest:
    """What a store says of itself; written anew, whole, after each shard. `lost` is what reading lost on the way to the
    shards that are there; once all are, `frames` and `degradations` say it, and of `lost` the gaps alone are kept: a
    question on a part of the video counts its frames anew. `end` is then where the last picture ends (PTS), where that
    is known."""

    source: dict[str, Any]
    recipe: Recipe
    clock: Clock
    shards: tuple[ShardEntry, ...] = ()
    finished: bool = False
    frames: FrameCount = field(default_factory=lambda: FrameCount(0, 0, 0))
    degradations: tuple[str, ...] = ()
    read_s: float = 0.0
    encode_s: float = 0.0
    lost: Losses = field(default_factory=Losses)
    end: int | None = None

    @property
    def next_index(self) -> int:
        """The first sample that is not stored yet."""
        return self.shards[-1].stop if self.shards else 0

    @property
    def rows(self) -> int:
        return sum(shard.rows for shard in self.shards)

    @property
    def size_bytes(self) -> int:
        return sum(shard.size_bytes for shard in self.shards)

    def to_json(self) -> dict[str, Any]:
        data = asdict(self)
        data["clock"] = [self.clock.start_pts, str(self.clock.time_base), str(self.clock.fps)]
        return data

    @staticmethod
    def load(folder: Path) -> Manifest:
        """Raises: GoneError where there is none; StoreError for one that is damaged, foreign, or of another version."""
        path = folder / MANIFEST
        do = f"type: rewind store remove {folder.name[:12]}, then ask again"
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
            version = data["recipe"]["format"]
        except (FileNotFoundError, NotADirectoryError):
            raise GoneError(folder) from None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise StoreError(f"{path} is no manifest ({error})", allowed="one that Rewind wrote", do=do) from error
        if version != FORMAT:
            raise StoreError(f"{path} has format {version}", allowed=f"format {FORMAT}, this version's", do=do)
        try:
            start, base, fps = data.pop("clock")
            manifest = Manifest(
                source=data.pop("source"),
                recipe=Recipe(**data.pop("recipe")),
                clock=Clock(int(start), Fraction(base), Fraction(fps)),
                shards=tuple(ShardEntry(**s) for s in data.pop("shards")),
                frames=FrameCount(**data.pop("frames")),
                degradations=tuple(data.pop("degradations")),
                lost=Losses.of(data.pop("lost", {})),
                **data,
            )
            check_kinds(manifest, manifest.recipe, manifest.frames, manifest.lost)
            check_shards(manifest.shards)
            if not all(isinstance(said, str) for said in (*manifest.degradations, *manifest.lost.notes)):
                raise TypeError("a degradation that is no text")
            return manifest
        except (ValueError, KeyError, TypeError, ArithmeticError) as error:
            raise StoreError(f"{path} is damaged ({error})", allowed="one that Rewind wrote", do=do) from error


class StoredFeatures:
    """Features of one video in `folder`. What cannot be written any more is kept in memory, within a bound.

    Args:
        checked: the shards need no check against the manifest.
        trouble: why nothing can be written from the start.
    """

    def __init__(self, folder: Path, manifest: Manifest, *, checked: bool = False, trouble: str | None = None) -> None:
        self.folder = folder
        self.manifest = manifest
        self._memory: dict[str, Features] = {}
        self._kept_bytes = 0
        self.trouble = trouble
        if not checked:
            for entry in manifest.shards:
                check_shard(folder, entry)

    def __len__(self) -> int:
        return self.manifest.rows

    @property
    def gone(self) -> bool:
        """Whether what was stored on disk was removed since."""
        on_disk = [entry.file for entry in self.manifest.shards if entry.file not in self._memory]
        return bool(on_disk) and not ((self.folder / MANIFEST).exists() and (self.folder / on_disk[0]).exists())

    def add(self, features: Features, *, first: int, stop: int) -> None:
        """Store one shard and say so in the manifest.

        Where the disk refuses (full, read-only), this and later shards stay in memory and `trouble` says why.

        Raises: StoreError where memory may not take them either.
        """
        manifest = self.manifest
        if self.trouble is None:
            try:
                entry = write_shard(self.folder, features, first=first, stop=stop, dtype=manifest.recipe.dtype)  # type: ignore[arg-type]
                self.manifest = replace(manifest, shards=(*manifest.shards, entry))
                write_json(self.folder / MANIFEST, self.manifest.to_json())
                return
            except OSError as error:
                self.manifest = manifest
                self.trouble = f"features of later frames are not stored: {(error.strerror or str(error)).lower()}"
        self.hold(features, first=first, stop=stop)

    def hold(self, features: Features, *, first: int, stop: int) -> None:
        """Keep one shard in memory, for this run alone.

        Raises: StoreError where memory may not take it.
        """
        size = sum(t.numel() * 2 for t in (features.deep, features.fine, features.posterior))
        self._kept_bytes += size
        if self._kept_bytes > IN_MEMORY_BYTES:
            raise StoreError(
                f"{self.folder}: {self.trouble or 'reading stopped early'}",
                allowed=f"a store with room, or {IN_MEMORY_BYTES >> 20} MB of features",
                do="free some space or give --store DIR; what was watched is kept",
            )  # fmt: skip
        name = f"memory-{first:08d}"
        parts = (part.to(torch.float16, copy=True) for part in (features.deep, features.fine, features.posterior))
        half = Features(features.timeline, *parts)
        self._memory[name] = half
        entry = ShardEntry(name, first, stop, len(features), 0, 0)
        self.manifest = replace(self.manifest, shards=(*self.manifest.shards, entry))

    def finish(
        self, *, frames: FrameCount, degradations: tuple[str, ...], read_s: float, encode_s: float,
        end: int | None = None, rest: bool = False,
    ) -> None:  # fmt: skip
        """Close the store: nothing more will come. With a `rest` that could not be read this time, the folder stays as
        the last shard left it, open for those who go on; only this object says what this run gave."""
        self.manifest = replace(
            self.manifest, finished=not rest, frames=frames, degradations=degradations, read_s=read_s,
            encode_s=encode_s, lost=Losses(gaps=self.manifest.lost.gaps), end=end,
        )  # fmt: skip
        if self.trouble is None and not rest:
            try:
                write_json(self.folder / MANIFEST, self.manifest.to_json())
            except OSError as error:
                self.trouble = f"the store could not be closed: {(error.strerror or str(error)).lower()}"

    def timeline(self) -> Timeline:
        """Times of all rows."""
        import numpy as np

        parts = [self._timeline(entry) for entry in self.manifest.shards if entry.rows]
        if not parts:
            return Timeline(self.manifest.clock, np.empty(0, np.int64), np.empty(0, np.int64))
        index, pts = np.concatenate([p.index for p in parts]), np.concatenate([p.pts for p in parts])
        return Timeline(self.manifest.clock, index, pts)

    def stretch(self, first: int = 0, stop: int | None = None) -> Stretch:
        """Rows [first, stop), all to the end where no stop is given."""
        return Stretch(self, first, len(self) if stop is None else stop)

    def by_shard(self, *parts: Part, first: int = 0, stop: int | None = None) -> Iterator[tuple[Tensor, ...]]:
        """The given kinds of features of rows [first, stop), shard by shard in time order."""
        for entry, rows in self._shards(first, stop):
            yield tuple(self._part(entry, part)[rows] for part in parts)

    def derived_by_shard(
        self, make: Callable[[Tensor, Tensor], Tensor], *, name: str, first: int = 0, stop: int | None = None
    ) -> Iterator[Tensor]:
        """What `make(deep, fine)` gives of rows [first, stop); it is called once a shard and kept beside it."""
        for entry, rows in self._shards(first, stop):
            folder = None if entry.file in self._memory or not self.folder.is_dir() else self.folder

            def from_shard(entry: ShardEntry = entry) -> Tensor:
                return make(self._part(entry, "deep"), self._part(entry, "fine"))

            yield derived(folder, name, from_shard, shard=entry.file, rows=entry.rows)[rows]

    def _shards(self, first: int, stop: int | None) -> Iterator[tuple[ShardEntry, slice]]:
        """The shards that hold rows [first, stop), each with those of its own rows."""
        base, end = 0, len(self) if stop is None else stop
        for entry in self.manifest.shards:
            here = slice(max(0, first - base), min(end - base, entry.rows))
            if here.start < here.stop:
                yield entry, here
            base += entry.rows

    def rows(self, part: Part, rows: list[int]) -> Tensor:
        """Some rows (rising) of one kind of features: (n, ., .); only their shards are opened."""
        out, base = [], 0
        for entry in self.manifest.shards:
            here = [row - base for row in rows if base <= row < base + entry.rows]
            if here:
                memory = self._memory.get(entry.file)
                out.append(getattr(memory, part)[here] if memory else read_part(self.folder, entry, part, here))
            base += entry.rows
        return torch.cat(out)

    def _part(self, entry: ShardEntry, part: Part) -> Tensor:
        memory = self._memory.get(entry.file)
        return getattr(memory, part) if memory else read_part(self.folder, entry, part)

    def _timeline(self, entry: ShardEntry) -> Timeline:
        memory = self._memory.get(entry.file)
        return memory.timeline if memory else read_timeline(self.folder, entry, self.manifest.clock)
