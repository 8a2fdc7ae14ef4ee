"""Reading annotation and prediction files: JSON, JSON lines, CSV and text, each fault one line with its place."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rewind.errors import ConfigError


def named_after(model: str) -> str:
    """A model's name, or its folder's, as part of a file's name."""
    return "".join(c if c.isalnum() else "-" for c in Path(model).name)


def read_text(path: Path) -> str:
    """A file's text. Raises: ConfigError where there is none."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise ConfigError(f"{path}: {reason}", allowed="a readable text file") from error


_NAMES = frozenset(("id", "qid", "query_id", "question_id", "video", "vid", "image_id"))
"""Fields of a row that say what it is of."""
_INNER = re.compile(r"(?:zip|max|min)\(\)|values to unpack|empty sequence")
"""What Python says of its own doings, and not of a value."""


def _parsed(text: str) -> Any:
    """A JSON text's value. Raises: JSONDecodeError, for brackets in brackets without end too."""
    try:
        return json.loads(text)
    except RecursionError:
        raise json.JSONDecodeError("brackets too deep", text, 0) from None


def read_json(path: Path) -> Any:
    """A JSON file's value."""
    try:
        return _parsed(read_text(path))
    except json.JSONDecodeError as error:
        raise ConfigError(f"{path} line {error.lineno}: {error.msg}", allowed="a JSON file") from error


def read_lines(path: Path) -> list[Any]:
    """A JSON-lines file's values; blank lines are nothing."""
    values = []
    # Only "\n" ends a line: str.splitlines also breaks at U+2028 and U+0085, which JSON strings may hold as they are.
    for number, line in enumerate(read_text(path).split("\n"), start=1):
        if line.strip():
            try:
                values.append(_parsed(line))
            except json.JSONDecodeError as error:
                raise ConfigError(f"{path} line {number}: {error.msg}", allowed="one JSON value a line") from error
    return values


def read_any(path: Path) -> Any:
    """JSON where the whole file is one value, else JSON lines."""
    text = read_text(path)
    try:
        value = _parsed(text)
        # One prediction alone in a file of lines looks like a whole JSON file of predictions by id.
        alone = path.suffix == ".jsonl" and isinstance(value, dict) and not _NAMES.isdisjoint(value)
        return [value] if alone else value
    except json.JSONDecodeError as error:
        # One value that breaks off is told as such; text after a whole value means that there are lines.
        if path.suffix == ".json" and error.msg != "Extra data":
            raise ConfigError(f"{path} line {error.lineno}: {error.msg}", allowed="a JSON file") from error
        return read_lines(path)


def read_table(path: Path, *, columns: tuple[str, ...]) -> list[dict[str, str]]:
    """A CSV file's rows. Raises: ConfigError where a column is missing or a row has another length."""
    allowed = f"a CSV file with {', '.join(columns)}"
    with shaped(path, allowed=allowed):
        reader = csv.DictReader(io.StringIO(read_text(path)))
        missing = [c for c in columns if c not in (reader.fieldnames or [])]
        if missing:
            raise ConfigError(f"{path}: no column {', '.join(missing)}", allowed=allowed)
        rows = list(reader)
    for row in rows:
        if None in row or None in row.values():
            raise ConfigError(f"{path}: a row of another length ({next(iter(row.values()))} …)", allowed="whole rows")
    return rows


def repeated_note(count: int) -> tuple[str, ...]:
    """What a score says of predictions that a later one in the file replaced."""
    told = "predictions are of queries that were predicted before in the file; the last of each counts"
    return (f"{count} {told}",) if count else ()


@contextmanager
def shaped(path: Path, *, allowed: str) -> Iterator[None]:
    """What goes wrong inside is a file of another shape: one line that says what shape was wanted."""
    try:
        yield
    except ConfigError:
        raise
    except KeyError as error:
        raise ConfigError(f"{path}: {error} is missing", allowed=allowed) from error
    except (TypeError, ValueError, AttributeError, IndexError, ArithmeticError, csv.Error) as error:
        told = isinstance(error, ValueError | OverflowError | csv.Error) and not _INNER.search(str(error))
        raise ConfigError(f"{path}: {error if told else 'of another form'}", allowed=allowed) from error
