"""What flows through the engine: frames, features, moments, answers. Frozen, self-checking values."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from rewind.errors import ConfigError
from rewind.timeline import Timeline

if TYPE_CHECKING:  # seconds to import, and what cannot be opened is refused without it
    import torch

AnswerSource = Literal["decoder", "concepts", "file", "none"]


@dataclass(frozen=True)
class VideoInfo:
    """What a probe says about a source before any frame is decoded.

    `width` × `height` are those on screen, rotation applied; a `mirrored` picture is turned upside down before it is
    rotated. `duration_s` is None where neither the header nor the stream tells it. `start_pts` is the first
    presentation time in ticks of `time_base` (seconds a tick). `pixel_aspect` is how wide a pixel is shown for its
    height, rotation applied: 4/3 in a 640 × 480 picture that fills a 16 : 9 screen.
    """

    path: str
    container: str
    codec: str
    width: int
    height: int
    rotation: int
    time_base: Fraction
    start_pts: int
    duration_s: float | None
    average_rate: float | None
    frames: int | None
    size_bytes: int | None
    live: bool
    seekable: bool
    mirrored: bool = False
    pixel_aspect: Fraction = Fraction(1)

    @property
    def start_s(self) -> float:
        """The video's first instant in its own time, in seconds."""
        return float(self.start_pts * self.time_base)

    @property
    def shown(self) -> tuple[int, int]:
        """Width and height in square pixels."""
        return max(1, round(self.width * self.pixel_aspect)), self.height


@dataclass(frozen=True)
class Frame:
    """One sample: number `index` on the clock, the `pts` of the picture shown, its pixels (H, W, 3) uint8 RGB, and
    those of its `active` picture at the same size, where it was asked for and black bars lie around it."""

    index: int
    pts: int
    pixels: npt.NDArray[np.uint8]
    active: npt.NDArray[np.uint8] | None = None

    def __post_init__(self) -> None:
        if self.pixels.ndim != 3 or self.pixels.shape[2] != 3 or self.pixels.dtype != np.uint8:
            raise ConfigError(f"pixels {self.pixels.shape} {self.pixels.dtype}", allowed="(H, W, 3) uint8")


@dataclass(frozen=True)
class Features:
    """What the frozen vision encoder says of T frames, with their times.

    `deep` (T, P, C) patch grid for perceive; `fine` (T, Pf, Cf) patch grid for detail; `posterior` (T, V, K): the
    classifier's posterior over K classes for V views of the frame (view 0 is the whole frame).
    """

    timeline: Timeline
    deep: torch.Tensor
    fine: torch.Tensor
    posterior: torch.Tensor

    def __post_init__(self) -> None:
        t = len(self.timeline)
        for name in ("deep", "fine", "posterior"):
            tensor: torch.Tensor = getattr(self, name)
            if tensor.ndim != 3 or tensor.shape[0] != t:
                raise ConfigError(f"{name} features {tuple(tensor.shape)} for {t} frames", allowed="(T, ., .)")

    def __len__(self) -> int:
        return len(self.timeline)

    def __getitem__(self, rows: slice) -> Features:
        return Features(self.timeline[rows], self.deep[rows], self.fine[rows], self.posterior[rows])

    @staticmethod
    def join(parts: Sequence[Features]) -> Features:
        """Several stretches of one video, in time order, as one."""
        import torch

        if not parts:
            raise ConfigError("no features to join", allowed="at least one stretch")
        timeline = Timeline(
            parts[0].timeline.clock,
            np.concatenate([p.timeline.index for p in parts]),
            np.concatenate([p.timeline.pts for p in parts]),
        )
        deep, fine, posterior = (torch.cat([getattr(p, n) for p in parts]) for n in ("deep", "fine", "posterior"))
        return Features(timeline, deep, fine, posterior)


@dataclass(frozen=True, order=True)
class Moment:
    """A half-open stretch [start_s, end_s) of the file's own time, in seconds, with a score in 0–1."""

    start_s: float
    end_s: float
    score: float

    def __post_init__(self) -> None:
        if not self.end_s > self.start_s:
            raise ConfigError(f"a moment from {self.start_s} to {self.end_s} s", allowed="an end after the start")


@dataclass(frozen=True)
class KeyFrame:
    """A frame that the rewind chose: its time in the file (seconds), its score in 0–1, its row in the timeline."""

    time_s: float
    score: float
    row: int


@dataclass(frozen=True)
class FrameCount:
    """`sampled` instants asked for, `read` of them given a picture, `skipped` broken ones."""

    sampled: int
    read: int
    skipped: int


@dataclass(frozen=True)
class TokenCount:
    """Language-model tokens of one answer; `total` = shown + detail + moments + separator + instruction + reserve.

    `moments` is a token for each moment that the scores found and one for their list as a whole; it is part of `total`.
    """

    memory_stored: int
    memory_shown: int
    detail: int
    instruction: int
    answer_reserve: int
    total: int
    budget: int
    moments: int = 0

    def __post_init__(self) -> None:
        if self.total > self.budget:
            raise ConfigError(f"{self.total} tokens", allowed=f"at most the budget of {self.budget}")


@dataclass(frozen=True)
class Seconds:
    """Wall seconds that each part took; 0 for a part that was found in the store or the cache."""

    read: float = 0.0
    encode: float = 0.0
    memory: float = 0.0
    select: float = 0.0
    answer: float = 0.0


@dataclass(frozen=True)
class Found:
    """What `find` gives: moments, best first, or `absent`. `best_score` is the best score anywhere, at `best_time_s`;
    `known` says whether any word of the query was, without which absence tells nothing. `within`: the only part that
    was looked at, in seconds of the video's own time; None for all of it."""

    absent: bool
    moments: tuple[Moment, ...]
    best_score: float
    best_time_s: float
    threshold: float
    frames: FrameCount
    model: str
    video: VideoInfo
    degradations: tuple[str, ...] = ()
    seconds: Seconds = field(default_factory=Seconds)
    known: bool = True
    within: tuple[float, float] | None = None

    def __iter__(self) -> Iterator[Moment]:
        return iter(self.moments)

    def __len__(self) -> int:
        return len(self.moments)

    def to_json(self) -> dict[str, Any]:
        """The object that `rewind find --json` prints."""
        return _plain(self)


@dataclass(frozen=True)
class Answer:
    """What `ask` gives: words and the evidence for them. `confidence` in 0–1 is that of `answer_source`; `best_score`
    is the best score anywhere, at `best_time_s`, and from `threshold` on one counts as seen. Where the question names
    nothing, they are of what is in view. `within` as in `Found`."""

    answer: str
    absent: bool
    moments: tuple[Moment, ...]
    key_frames: tuple[KeyFrame, ...]
    confidence: float
    answer_source: AnswerSource
    best_score: float
    best_time_s: float
    threshold: float
    tokens: TokenCount
    frames: FrameCount
    model: str
    video: VideoInfo
    degradations: tuple[str, ...] = ()
    seconds: Seconds = field(default_factory=Seconds)
    within: tuple[float, float] | None = None

    def __str__(self) -> str:
        return self.answer

    def to_json(self) -> dict[str, Any]:
        """The object that `rewind ask --json` prints."""
        return _plain(self)


def _plain(value: Found | Answer) -> dict[str, Any]:
    data = asdict(value)
    data["within"] = None if value.within is None else {"start_s": value.within[0], "end_s": value.within[1]}
    data["video"] = {"path": value.video.path, "duration_s": value.video.duration_s}
    for name in ("moments", "key_frames", "degradations"):
        if name in data:
            data[name] = list(data[name])
    return data
