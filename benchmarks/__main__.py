"""`python -m benchmarks [NAME…]`: run them all, or those named; one line of JSON for each bound."""

from __future__ import annotations

import argparse
import contextlib
import importlib
import json
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks import Line, machine

NAMES = ("reading", "watching", "encoding", "questions", "density_peaks", "memory_use")
NEEDED = ("name", "value", "bound", "holds", "left", "right")


def lines_of(name: str) -> list[dict[str, Any]]:
    """What one benchmark measured. Raises: ValueError where it gives something else than lines."""
    module = importlib.import_module(f"benchmarks.{name}")
    with contextlib.redirect_stdout(sys.stderr):  # what a benchmark says on its way is no line of ours
        given = module.run()
    found = given if isinstance(given, Sequence) else [given]
    return [_checked(name, line) for line in found]


def _checked(name: str, line: Line | Mapping[str, Any]) -> dict[str, Any]:
    data = line.to_json() if isinstance(line, Line) else dict(line)
    missing = [key for key in NEEDED if key not in data]
    if missing:
        raise ValueError(f"benchmarks/{name}.py: a line without {', '.join(missing)}; give benchmarks.Line")
    return data


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code: 0 all bounds hold, 1 one does not, 2 a benchmark failed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(NAMES)}; all where none is named")
    names = parser.parse_args(arguments).names or list(NAMES)
    unknown = [name for name in names if name not in NAMES]
    if unknown:
        parser.error(f"no benchmark {', '.join(unknown)}; allowed: {', '.join(NAMES)}")
    here, worst = machine(), 0
    for name in names:
        try:
            lines = lines_of(name)
        except Exception as error:
            print(f"{name}: {type(error).__name__}: {error}", file=sys.stderr, flush=True)
            worst = 2
            continue
        for line in lines:
            print(json.dumps({**line, "machine": here}), flush=True)
            if line["holds"] is False:
                worst = max(worst, 1)
    return worst


if __name__ == "__main__":
    sys.exit(main())
