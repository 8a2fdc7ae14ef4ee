"""Imports between rooms (a folder of the package, or a module beside them) run one way (docs/architecture.md)."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "src" / "rewind"


def imported(node: ast.AST) -> Iterator[str]:
    """Rooms that are imported anywhere in it, but for types alone."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            continue
        if isinstance(child, ast.ImportFrom) and child.module == "rewind":
            yield from (alias.name for alias in child.names)
        elif isinstance(child, ast.ImportFrom) and (child.module or "").startswith("rewind."):
            yield str(child.module).split(".")[1]
        yield from imported(child)


def test_no_room_imports_one_that_imports_it() -> None:
    rooms: dict[str, set[str]] = {}
    for path in PACKAGE.rglob("*.py"):
        room = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
        rooms.setdefault(room, set()).update(set(imported(ast.parse(path.read_text(encoding="utf-8")))) - {room})
    assert len(rooms) > 30
    TopologicalSorter(rooms).prepare()  # raises CycleError, which names the rooms
