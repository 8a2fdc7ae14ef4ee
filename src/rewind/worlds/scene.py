"""One scene that can be drawn at any of its instants."""

from __future__ import annotations

from functools import cached_property

import numpy as np
import numpy.typing as npt

from rewind.errors import ConfigError
from rewind.worlds.backgrounds import FRAME_PX, MARGIN_PX, texture
from rewind.worlds.plan import ScenePlan, plan_scene
from rewind.worlds.sprites import object_sprite, sign_sprite
from rewind.worlds.truth import SceneTruth

Pixels = npt.NDArray[np.uint8]


class Scene:
    """Scene `number` of `seed`: its `truth`, and its picture at any time as a pure function.

    Args:
        seed: one seed of the split ranges.
        number: which scene of that seed.
        plan: how often a scene holds what.
        background: a picture (224, 224, 3) or a clip (T, 224, 224, 3) uint8 to draw over, in place of a texture.
        background_fps: frames a second of that clip; past its end the last frame stays.
        truth: a truth already planned, to be drawn as it is.

    Raises: ConfigError for a background of another shape.
    """

    def __init__(
        self,
        seed: int,
        number: int = 0,
        *,
        plan: ScenePlan | None = None,
        background: Pixels | None = None,
        background_fps: float = 1.0,
        truth: SceneTruth | None = None,
    ) -> None:
        side = (FRAME_PX, FRAME_PX, 3)
        if background is not None and (background.shape[-3:] != side or background.ndim not in (3, 4)):
            raise ConfigError(f"a background {background.shape}", allowed="(224, 224, 3) or (T, 224, 224, 3) uint8")
        self.truth = truth if truth is not None else plan_scene(seed, number, plan=plan)
        self._given = background
        self._given_fps = background_fps

    @property
    def duration_s(self) -> int:
        return self.truth.duration_s

    @cached_property
    def _texture(self) -> tuple[Pixels, tuple[float, float], tuple[float, float]]:
        rng = np.random.default_rng(np.random.SeedSequence([self.truth.seed, self.truth.number, 2]))
        corners = rng.uniform(0, MARGIN_PX, (2, 2))
        (x0, y0), (x1, y1) = ((float(a), float(b)) for a, b in corners)
        pace = ((x1 - x0) / self.duration_s, (y1 - y0) / self.duration_s)
        return texture(self.truth.background, rng), (x0, y0), pace

    def _backdrop(self, t_s: float) -> Pixels:
        if self._given is not None:
            if self._given.ndim == 3:
                return self._given.copy()
            picture: Pixels = self._given[min(int(t_s * self._given_fps), len(self._given) - 1)]
            return picture.copy()
        picture, (x, y), (vx, vy) = self._texture
        left, top = int(x + vx * t_s), int(y + vy * t_s)
        return picture[top : top + FRAME_PX, left : left + FRAME_PX].copy()

    def frame(self, t_s: float) -> Pixels:
        """The picture (224, 224, 3) uint8 at scene second `t_s` in [0, duration)."""
        if not 0 <= t_s < self.duration_s:
            raise ConfigError(f"second {t_s}", allowed=f"0 up to, not with, {self.duration_s}")
        frame = self._backdrop(t_s)
        for a in self.truth.appearances:
            if a.start_s <= t_s < a.end_s:
                sprite = object_sprite(a.shape, a.colour, a.size, a.texture)
                x, y = a.centre(t_s)
                sprite.paste(frame, x - sprite.size[1] // 2, y - sprite.size[0] // 2)
        for sign in self.truth.signs:
            if sign.start_s <= t_s < sign.end_s:
                board = sign_sprite(
                    sign.shape,
                    sign.colour,
                    glyph_colour=sign.glyph_colour,
                    mark=sign.symbol,
                    code=sign.code,
                    scale=sign.scale,
                )
                board.paste(frame, sign.box[0], sign.box[1])
        return frame
