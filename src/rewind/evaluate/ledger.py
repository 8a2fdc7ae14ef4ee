"""Rows of JSON appended as they come, so that work which broke off goes on behind the last whole one."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rewind.errors import ConfigError
from rewind.evaluate.files import shaped


class Ledger:
    """A JSON-lines file that one process appends to: every row is on its way to the disk before the next one is made.

    A last line that broke off (no line end, or no JSON) is dropped when the file is opened. Of rows that share a key
    the last one counts.

    Args:
        path: the file; its folder must be there.
        key: the field that names a row.

    Raises:
        ConfigError: the file cannot be read or written, or another line than the last is no row.
    """

    def __init__(self, path: Path, *, key: str = "id") -> None:
        self.path, self.key = path, key
        self.rows: dict[str, Mapping[str, Any]] = {}
        whole = self._read() if path.exists() else 0
        try:
            with path.open("ab") as file:
                file.truncate(whole)
        except OSError as error:
            raise ConfigError(f"{path}: {error.strerror or error}", allowed="a file that can be written to") from error

    def __contains__(self, name: object) -> bool:
        return name in self.rows

    def add(self, row: Mapping[str, Any]) -> None:
        """Append one row. Raises: OSError where the disk refuses."""
        self.rows[str(row[self.key])] = row
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n")

    def _read(self) -> int:
        """Read the rows; gives how many bytes of the file are whole."""
        allowed = f"one JSON object with {self.key!r} a line"
        try:
            data = self.path.read_bytes()
        except OSError as error:
            raise ConfigError(f"{self.path}: {error.strerror or error}", allowed="a file that can be read") from error
        whole = 0
        lines = data.splitlines(keepends=True)
        for number, line in enumerate(lines, start=1):
            if line.strip():
                last = number == len(lines)
                if last and not line.endswith(b"\n"):
                    return whole
                with shaped(self.path, allowed=allowed):
                    try:
                        row = json.loads(line)
                    except ValueError as error:
                        if last:
                            return whole
                        raise ConfigError(f"{self.path} line {number}: no JSON", allowed=allowed) from error
                    self.rows[str(row[self.key])] = row
            whole += len(line)
        return whole
