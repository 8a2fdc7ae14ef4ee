"""Measurements of Rewind against its own bounds; `python -m benchmarks` prints each as a line of JSON.

A benchmark is a module here with `run()`, which gives one `Line` or several. Both sides of every bound are measured in
the same run on the same machine.
"""

from __future__ import annotations

import os
import platform
from dataclasses import asdict, dataclass, field
from typing import Any


def machine() -> dict[str, Any]:
    """What a number was measured on: processor, cores that this process may use, memory, versions."""
    import torch

    from rewind.cores import cores

    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") if hasattr(os, "sysconf") else 0
    return {
        "cpu": _processor(),
        "cores": cores(),
        "memory_gb": round(memory / 1e9, 1),
        "system": platform.system(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "load": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
    }


@dataclass(frozen=True)
class Line:
    """One bound: `value` is what is held against `bound`, `left` and `right` are the two things measured for it.

    `holds` follows from the two; a `bound` of None is reported and held against nothing. `at_least` turns it round.
    """

    name: str
    value: float
    bound: float | None
    left: dict[str, Any] = field(default_factory=dict)
    right: dict[str, Any] = field(default_factory=dict)
    at_least: bool = False

    @property
    def holds(self) -> bool | None:
        """Whether the bound is kept; None where there is none."""
        if self.bound is None:
            return None
        return self.value >= self.bound if self.at_least else self.value <= self.bound

    def to_json(self) -> dict[str, Any]:
        """What is printed, less the machine."""
        return {**asdict(self), "holds": self.holds}


def _processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            names = [line.partition(":")[2].strip() for line in file if line.startswith("model name")]
    except OSError:
        names = []
    return names[0] if names else platform.processor() or platform.machine()
