"""What was read back from JSON is what was written: each field of the kind that its class says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rewind.store.shards import ShardEntry

_KINDS: dict[str, tuple[type, ...]] = {
    "int": (int,),
    "float": (float, int),
    "str": (str,),
    "bool": (bool,),
    "int | None": (int, type(None)),
    "dict[str, Any]": (dict,),
}


def check_kinds(*values: Any) -> None:
    """Of dataclasses whose annotations are text; fields of other kinds than these are left alone.

    Raises: TypeError for a field of another kind.
    """
    for value in values:
        for one in fields(value):
            found, kinds = getattr(value, one.name), _KINDS.get(str(one.type))
            if kinds is not None and type(found) not in kinds:
                raise TypeError(f"{one.name} is {found!r}")


def check_shards(shards: Sequence[ShardEntry]) -> None:
    """Raises: TypeError, ValueError for shards that do not lie in order, each a file of its own folder."""
    check_kinds(*shards)
    at = 0
    for entry in shards:
        if not at <= entry.first < entry.stop or not 0 <= entry.rows <= entry.stop - entry.first:
            raise ValueError(f"samples {entry.first} to {entry.stop} in {entry.rows} rows, behind {at}")
        if PurePath(entry.file).name != entry.file:
            raise ValueError(f"a shard in {entry.file}")
        at = entry.stop
