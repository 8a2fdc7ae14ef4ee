"""Rows of JSON appended as they come, so that work which broke off goes on behind the last whole one."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rewind.errors import ConfigError
from rewind.evaluate.files import shaped


class JsonLines:
    """A file of JSON objects, one a line, that one process appends to: each is on its way to the disk before the next.

    Opening changes no byte of a file. A last line without a line end counts where it is whole; one that broke off is
    left out, and cut off by the first `add`.

    Args:
        path: the file; its folder must be there. An empty one is made where there is none.
        allowed: what its lines are, in words.

    Raises:
        ConfigError: the file cannot be read or written, or a line is no JSON object.
    """

    def __init__(self, path: Path, *, allowed: str) -> None:
        self.path = path
        self.values: list[Mapping[str, Any]] = []
        try:
            path.open("ab").close()
            data = path.read_bytes()
        except OSError as error:
            raise ConfigError(f"{path}: {error.strerror or error}", allowed="a file that can be written to") from error
        self._whole = self._read(data, allowed)
        self._broken = self._whole < len(data)
        self._open_end = bool(self._whole) and data[self._whole - 1 : self._whole] != b"\n"

    def add(self, value: Mapping[str, Any]) -> None:
        """Append one object. Raises: OSError where the disk refuses."""
        # ASCII only: a lone surrogate is no UTF-8, and many readers take U+2028 for the end of a line.
        line = json.dumps(value, allow_nan=False).encode() + b"\n"
        with self.path.open("ab") as file:
            if self._broken:
                file.truncate(self._whole)
            file.write(b"\n" + line if self._open_end else line)
        self._broken = self._open_end = False
        self.values.append(value)

    def _read(self, data: bytes, allowed: str) -> int:
        """Take in the lines; gives how many bytes of the file are whole."""
        whole = 0
        lines = data.split(b"\n")
        last = max((i for i, line in enumerate(lines) if line.strip()), default=-1)
        for number, line in enumerate(lines[: last + 1], start=1):
            if line.strip():
                try:
                    value = json.loads(line)
                except (ValueError, RecursionError) as error:
                    # What begins as no object does was never one of our lines: a foreign file, not a broken one.
                    if number == last + 1 and line.lstrip().startswith(b"{"):
                        return whole
                    raise ConfigError(f"{self.path} line {number}: no JSON", allowed=allowed) from error
                if not isinstance(value, dict):
                    raise ConfigError(f"{self.path} line {number}: no JSON object", allowed=allowed)
                self.values.append(value)
            whole += len(line) + 1
        return len(data)


class Ledger:
    """`JsonLines` whose objects have names; of rows that share one the last counts.

    Args:
        path: the file; its folder must be there.
        key: the field that names a row.

    Raises:
        ConfigError: as of `JsonLines`, or a row without a name.
    """

    def __init__(self, path: Path, *, key: str = "id") -> None:
        self.path, self.key = path, key
        allowed = f"one JSON object with {key!r} a line"
        self._lines = JsonLines(path, allowed=allowed)
        with shaped(path, allowed=allowed):
            self.rows: dict[str, Mapping[str, Any]] = {str(row[key]): row for row in self._lines.values}

    def __contains__(self, name: object) -> bool:
        return name in self.rows

    def add(self, row: Mapping[str, Any]) -> None:
        """Append one row. Raises: OSError where the disk refuses."""
        self._lines.add(row)
        self.rows[str(row[self.key])] = row
