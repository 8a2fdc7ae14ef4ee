"""Videos in which what changes its colour is not the only thing that looks so: as in hours, seldom in a minute."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from rewind.worlds.ask_instants import SIZED, UNSIZED
from rewind.worlds.index import Look, SeenChange, look_of, phrase
from rewind.worlds.truth import SceneTruth

_MOST = 3


class Alike:
    """For each change of a bank's scenes, the scenes in which something looks like it and does not change.

    Of 96 s one in eight holds such a thing (60 drawn), of longer videos the more. A third to a half of answers to what
    such a change led to are wrong (LOG.md).

    Args:
        sized: whether looks name a size.
    """

    def __init__(self, scenes: Sequence[SceneTruth], *, sized: bool) -> None:
        appears: dict[Look, set[int]] = defaultdict(set)
        changes: dict[tuple[Look, bool], list[int]] = defaultdict(list)
        for number, scene in enumerate(scenes):
            for appearance in scene.appearances:
                appears[look_of(appearance, SIZED if sized else UNSIZED)].add(number)
            for change in scene.changes:
                for after in (False, True):
                    changes[SeenChange(change, change.at_s).key(after=not after, sized=sized), after].append(number)
        self._found: list[tuple[int, str, tuple[int, ...]]] = []
        for (look, after), among in changes.items():
            others = tuple(sorted(appears[look] - set(among)))
            shape, colour, texture, size, motion = look
            words = phrase((shape, colour if after else "", texture, size, motion))
            # Twice in one scene, the question would not tell which change it means.
            self._found += [(n, words, others) for n in among if others and among.count(n) == 1]

    def draw(self, rng: np.random.Generator) -> tuple[list[int], str]:
        """A scene with a change and up to three with things alike, and how a question names it; none and no
        words where a bank has no such change."""
        if not self._found:
            return [], ""
        scene, words, others = self._found[int(rng.integers(len(self._found)))]
        count = int(rng.integers(1, min(_MOST, len(others)) + 1))
        return [scene, *rng.choice(np.array(others), count, replace=False).tolist()], words
