"""Which scenes make a world: drawn from a pool so that it fills its length and every kind can be asked."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from rewind.errors import ConfigError
from rewind.worlds.ask_objects import COUNT_AIM, MOST_COUNTED, countable
from rewind.worlds.index import FORMS, Index, Span, all_looks, choose_level, look_of, merge
from rewind.worlds.plan import SCENE_SECONDS, ScenePlan, plan_scene
from rewind.worlds.scene import Pixels
from rewind.worlds.splits import split_of
from rewind.worlds.truth import SceneTruth
from rewind.worlds.world import World, compose

_TRIES = 20_000
_BATCH_CELLS = 8_192
_MISSES = 200


class Pool:
    """Scenes to make worlds of, with how often each look appears in each: made once, arranged many times.

    Args:
        truths: scenes, at least those that one world needs; none is used twice in a world.
    """

    def __init__(self, truths: Sequence[SceneTruth]) -> None:
        if not truths:
            raise ConfigError("an empty pool", allowed="at least one scene")
        self.truths = tuple(truths)
        self._signs = np.array([bool(t.signs) for t in self.truths])
        self._changes = np.array([bool(t.changes) for t in self.truths])
        self._durations = np.array([t.duration_s for t in self.truths])
        self._counts = [self._count(level) for level in range(len(FORMS))]
        self._totals = np.stack([c.sum(axis=1) for c in self._counts], axis=1)
        self._looks = np.array([c.shape[1] for c in self._counts])

    def _count(self, level: int) -> npt.NDArray[np.int16]:
        """Stretches (scenes, looks) of every rare look of that level in every scene."""
        column = {look: i for i, look in enumerate(all_looks(level, "rare"))}
        counts = np.zeros((len(self.truths), len(column)), np.int16)
        for row, truth in enumerate(self.truths):
            spans: dict[int, list[Span]] = {}
            for a in truth.appearances:
                place = column.get(look_of(a, level))
                if place is not None:
                    spans.setdefault(place, []).append((a.start_s, a.end_s))
            for place, found in spans.items():
                counts[row, place] = len(merge(found))
        return counts

    def _draw(self, seconds: int, rng: np.random.Generator) -> list[list[int]]:
        """Some random orders that fill `seconds`, each cut in its last scene, to no less than the shortest scene."""
        scenes = len(self.truths)
        most = min(scenes, -(-seconds // SCENE_SECONDS[0]))
        if most * most < scenes:
            rows = rng.integers(0, scenes, (_BATCH_CELLS // most, most))
        else:
            rows = np.argsort(rng.random((max(1, _BATCH_CELLS // scenes), scenes)), axis=1)[:, :most]
        ends = self._durations[rows].cumsum(axis=1)
        last = (ends < seconds).sum(axis=1)
        drawn = []
        for row, n, end in zip(rows, last, ends, strict=True):
            before = int(end[n - 1]) if n else 0
            if n < most and seconds - before >= SCENE_SECONDS[0]:
                chosen = row[: n + 1].tolist()
                if len(set(chosen)) == n + 1:
                    drawn.append(chosen)
        return drawn

    def _serves(self, chosen: list[int]) -> bool:
        """Whether every kind of question can be asked, as far as whole scenes tell."""
        if not (self._signs[chosen].any() and self._changes[chosen].any()):
            return False
        densities = self._totals[chosen].sum(axis=0) / self._looks
        level = choose_level(densities.tolist(), COUNT_AIM)
        numbers = self._counts[level][chosen].sum(axis=0)
        return set(numbers.tolist()).issuperset(range(MOST_COUNTED + 1))

    def arrange(self, seconds: int, rng: np.random.Generator, *, tries: int = _TRIES) -> list[int]:
        """Rows of `truths` in an order for a world of that length.

        Up to `tries` random orders are looked at, until one has signs, changes, and looks that appear 0, 1 … 5 times,
        so that each can be the answer to a counting question. Where none has, the last one is given: a world too
        short, or a pool too small, for some kind of question.

        Raises: ConfigError where the pool is too short.
        """
        chosen: list[int] | None = None
        tried = misses = 0
        while tried < tries and misses < _MISSES:
            drawn = self._draw(seconds, rng)
            misses = 0 if drawn else misses + 1
            for chosen in drawn:
                tried += 1
                if self._serves(chosen):
                    truths = [self.truths[row] for row in chosen]
                    if countable(Index(compose(truths, seconds=seconds)), "rare"):
                        return chosen
        if chosen is None:
            raise ConfigError(
                f"a pool of {int(self._durations.sum())} s for a world of {seconds} s",
                allowed="a pool that is longer, by a scene or two, than the world",
            )
        return chosen

    def world(self, seconds: int, rng: np.random.Generator) -> World:
        """A world of that length, its scenes drawn from the pool."""
        return compose([self.truths[row] for row in self.arrange(seconds, rng)], seconds=seconds)


def make_world(
    seed: int,
    *,
    seconds: int = 600,
    plan: ScenePlan | None = None,
    backgrounds: Sequence[Pixels] | None = None,
    background_fps: float = 1.0,
) -> World:
    """The world of `seed`, made of scenes of that seed alone; no two seeds share a scene.

    Raises: ConfigError for a seed of no split, or a length under 30 s or over 24 h.
    """
    split_of(seed)
    if not 30 <= seconds <= 86_400:
        raise ConfigError(f"{seconds} s", allowed="30–86400 s")
    size = max(48, int(seconds / 16 * 1.2) + 12)
    pool = Pool([plan_scene(seed, number, plan=plan) for number in range(size)])
    rows = pool.arrange(seconds, np.random.default_rng(np.random.SeedSequence([seed, seconds, 3])))
    truths = [pool.truths[row] for row in rows]
    return compose(truths, seconds=seconds, seed=seed, backgrounds=backgrounds, background_fps=background_fps)
