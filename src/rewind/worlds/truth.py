"""What is on screen and when: the exact truth of one scene, as values that print themselves as JSON.

Times are whole seconds from the scene's start and half-open, so that a frame sampled at second k shows what
holds on [k, k + 1). Boxes are (left, top, right, bottom) in pixels of the 224 × 224 frame, one a second.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

Box = tuple[int, int, int, int]


@dataclass(frozen=True)
class Path:
    """Where an object's centre is: a start, a velocity in px/s, and a circle (radius px, phase and rate in turns)."""

    x: float
    y: float
    vx: float = 0.0
    vy: float = 0.0
    circle_px: float = 0.0
    phase: float = 0.0
    turns_per_s: float = 0.0

    def at(self, t_s: float) -> tuple[float, float]:
        """Centre in px, `t_s` seconds after the object entered."""
        x, y = self.x + self.vx * t_s, self.y + self.vy * t_s
        if self.circle_px:
            angle = 2 * math.pi * (self.phase + self.turns_per_s * t_s)
            x, y = x + self.circle_px * math.cos(angle), y + self.circle_px * math.sin(angle)
        return x, y


@dataclass(frozen=True)
class Appearance:
    """One object with one unchanging look, on screen without a break over [start_s, end_s).

    An object that changes colour has two adjoining appearances, one that leaves and comes back has two apart; all
    share `object`. `path` counts from `entered_s`.
    """

    object: int
    shape: str
    colour: str
    size: str
    texture: str
    motion: str
    start_s: int
    end_s: int
    entered_s: int
    path: Path
    radius_px: int

    def centre(self, t_s: float) -> tuple[int, int]:
        """Centre in whole px at scene second `t_s`."""
        x, y = self.path.at(t_s - self.entered_s)
        return math.floor(x + 0.5), math.floor(y + 0.5)

    def box(self, t_s: float) -> Box:
        x, y = self.centre(t_s)
        return x - self.radius_px, y - self.radius_px, x + self.radius_px, y + self.radius_px

    def to_json(self) -> dict[str, Any]:
        data = asdict(self)
        del data["path"], data["entered_s"], data["radius_px"]
        data["boxes"] = [list(self.box(t)) for t in range(self.start_s, self.end_s)]
        return data


@dataclass(frozen=True)
class Sign:
    """A board with a code, seen for 2–4 s at one place; `glyph_px` is the height of its characters."""

    code: str
    shape: str
    colour: str
    glyph_colour: str
    symbol: str
    start_s: int
    end_s: int
    box: Box
    scale: int

    def to_json(self) -> dict[str, Any]:
        data = asdict(self)
        data["box"] = list(self.box)
        data["glyph_px"] = 7 * data.pop("scale")
        return data


@dataclass(frozen=True)
class Change:
    """The instant at which an object turns from one colour to another."""

    object: int
    shape: str
    size: str
    texture: str
    before: str
    after: str
    at_s: int


@dataclass(frozen=True)
class SceneTruth:
    """Everything that scene `number` of seed `seed` shows over its `duration_s` seconds."""

    seed: int
    number: int
    duration_s: int
    background: str
    appearances: tuple[Appearance, ...]
    signs: tuple[Sign, ...]
    changes: tuple[Change, ...]

    def to_json(self) -> dict[str, Any]:
        return {
            "seed": self.seed,
            "number": self.number,
            "duration_s": self.duration_s,
            "background": self.background,
            "objects": [a.to_json() for a in self.appearances],
            "signs": [s.to_json() for s in self.signs],
            "changes": [asdict(c) for c in self.changes],
        }
