"""A long video made of scenes: composed, drawn at any instant, written as a real file."""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from rewind.errors import ConfigError
from rewind.worlds.backgrounds import FRAME_PX
from rewind.worlds.scene import Pixels, Scene
from rewind.worlds.truth import SceneTruth

VERSION = "worlds-v1"
_KEPT_SCENES = 4


@dataclass(frozen=True)
class Placed:
    """A scene's truth at its place: shown over [start_s, start_s + length_s) of the video, from its own start."""

    truth: SceneTruth
    start_s: int
    length_s: int

    @property
    def end_s(self) -> int:
        return self.start_s + self.length_s

    def cut_truth(self) -> SceneTruth:
        """The truth of what is shown: all that lies past `length_s` is clipped away."""
        end = self.length_s
        if end == self.truth.duration_s:
            return self.truth
        return replace(
            self.truth,
            duration_s=end,
            appearances=tuple(replace(a, end_s=min(a.end_s, end)) for a in self.truth.appearances if a.start_s < end),
            signs=tuple(replace(s, end_s=min(s.end_s, end)) for s in self.truth.signs if s.start_s < end),
            changes=tuple(c for c in self.truth.changes if c.at_s < end),
        )


class World:
    """Scenes one after another. Cheap to make: nothing is drawn before `frame` or `write` asks for it.

    Args:
        placed: scenes that adjoin, the first at second 0.
        seed: the seed it was made from; None where it was composed by hand.
        backgrounds: pictures or clips (see `Scene`), given to the scenes in turn.
        background_fps: frames a second of those clips.
    """

    def __init__(
        self,
        placed: Sequence[Placed],
        *,
        seed: int | None = None,
        backgrounds: Sequence[Pixels] | None = None,
        background_fps: float = 1.0,
    ) -> None:
        if not placed:
            raise ConfigError("a world without scenes", allowed="at least one scene")
        self.placed = tuple(placed)
        self.seed = seed
        self._backgrounds = backgrounds
        self._background_fps = background_fps
        self._scenes: OrderedDict[int, Scene] = OrderedDict()
        self._starts = np.array([p.start_s for p in self.placed])

    @property
    def duration_s(self) -> int:
        return self.placed[-1].end_s

    def scene_at(self, t_s: float) -> int:
        """The number of the scene on screen at second `t_s`."""
        if not 0 <= t_s < self.duration_s:
            raise ConfigError(f"second {t_s}", allowed=f"0 up to, not with, {self.duration_s}")
        return int(np.searchsorted(self._starts, t_s, side="right")) - 1

    def _scene(self, number: int) -> Scene:
        if number not in self._scenes:
            truth = self.placed[number].truth
            given = self._backgrounds[number % len(self._backgrounds)] if self._backgrounds else None
            self._scenes[number] = Scene(
                truth.seed, truth.number, truth=truth, background=given, background_fps=self._background_fps
            )
            if len(self._scenes) > _KEPT_SCENES:
                self._scenes.popitem(last=False)
        return self._scenes[number]

    def frame(self, t_s: float) -> Pixels:
        """The picture (224, 224, 3) uint8 at second `t_s`: a pure function of the world and the time."""
        number = self.scene_at(t_s)
        return self._scene(number).frame(t_s - self.placed[number].start_s)

    def frames(self, fps: int = 8) -> Iterator[Pixels]:
        """All pictures in order, `fps` a second."""
        for k in range(self.duration_s * fps):
            yield self.frame(k / fps)

    def write(
        self, path: str | Path, *, fps: int = 8, crf: int = 18, progress: Callable[[int, int], None] | None = None
    ) -> None:
        """Write an H.264 MP4 file, a frame at a time: memory does not grow with the length.

        Args:
            path: where to; overwritten.
            fps: frames a second, 1–60.
            crf: libx264's quality, 0 (lossless) to 51.
            progress: called with (frames written, frames in all) once a second of video.
        """
        if not 1 <= fps <= 60:
            raise ConfigError(f"fps {fps}", allowed="1–60")
        total = self.duration_s * fps
        # A name with a colon is a protocol's to FFmpeg, unless it begins at the root.
        with av.open(os.path.abspath(path), "w", format="mp4", options={"movflags": "+faststart"}) as container:
            stream = container.add_stream("libx264", rate=fps)
            stream.width = stream.height = FRAME_PX
            stream.pix_fmt = "yuv420p"
            stream.time_base = Fraction(1, fps)
            stream.options = {"crf": str(crf), "preset": "veryfast"}
            stream.gop_size = fps * 10
            for k, picture in enumerate(self.frames(fps)):
                frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
                frame.pts = k
                frame.time_base = Fraction(1, fps)
                container.mux(stream.encode(frame))
                if progress and (k + 1) % fps == 0:
                    progress(k + 1, total)
            container.mux(stream.encode(None))

    def truth(self) -> dict[str, Any]:
        """The whole truth as plain JSON values; times within scenes count from the scene's start."""
        scenes = [{"start_s": p.start_s, "end_s": p.end_s, **p.cut_truth().to_json()} for p in self.placed]
        return {
            "version": VERSION,
            "seed": self.seed,
            "duration_s": self.duration_s,
            "frame_px": FRAME_PX,
            "scenes": scenes,
        }


def compose(
    scenes: Sequence[SceneTruth | Scene],
    *,
    seconds: int | None = None,
    seed: int | None = None,
    backgrounds: Sequence[Pixels] | None = None,
    background_fps: float = 1.0,
) -> World:
    """A world of `scenes` in the given order, cut at `seconds` where given. Nothing is drawn.

    Raises: ConfigError where the scenes are shorter than `seconds`.
    """
    placed: list[Placed] = []
    now = 0
    for scene in scenes:
        truth = scene.truth if isinstance(scene, Scene) else scene
        length = truth.duration_s if seconds is None else min(truth.duration_s, seconds - now)
        if length <= 0:
            break
        placed.append(Placed(truth, now, length))
        now += length
    if seconds is not None and now < seconds:
        raise ConfigError(f"{now} s of scenes for {seconds} s", allowed="scenes that fill the length")
    return World(placed, seed=seed, backgrounds=backgrounds, background_fps=background_fps)
