"""Small clips made on the spot, each with one property that reading has to get right, and a plain reader."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.video.frame import VideoFrame

from rewind.values import VideoInfo
from rewind.video.decode import Painter

Sample = tuple[int, int, np.ndarray]
Make = Callable[..., Path]


def picture(number: int, width: int, height: int) -> np.ndarray:
    """A picture (H, W, 3) that differs from that of every other number, with detail and noise."""
    rng = np.random.default_rng(number)
    y, x = np.mgrid[0:height, 0:width]
    base = np.stack([(x * 2 + number * 5) % 256, (y * 3 + number * 11) % 256, (x + y + number * 7) % 256], axis=-1)
    return np.clip(base + rng.integers(-20, 20, base.shape), 0, 255).astype(np.uint8)


@pytest.fixture(scope="session")
def make(tmp_path_factory: pytest.TempPathFactory) -> Make:
    """Makes a clip: `times` in ticks of `base` (regular by default), any codec, options, rotation, colours, sound. The
    same name gives the same file again, for all tests of a session, so two different clips may not share one."""
    folder = tmp_path_factory.mktemp("clips")
    made: dict[str, dict[str, object]] = {}

    def write(
        name: str,
        *,
        frames: int = 60,
        size: tuple[int, int] = (96, 64),
        codec: str = "libx264",
        pix_fmt: str = "yuv420p",
        options: dict[str, str] | None = None,
        times: Sequence[int] | None = None,
        base: Fraction = Fraction(1, 30),
        rotation: int = 0,
        flip: bool = False,
        aspect: Fraction = Fraction(1),
        matrix: int = 2,
        paint: Callable[[int, int, int], np.ndarray] = picture,
        sound: bool = False,
        sound_s: int = 2,
        rate: int = 48000,
        form: str | None = None,
    ) -> Path:
        path = folder / name
        asked = {k: v for k, v in locals().items() if k in choices and not callable(v)}
        assert made.setdefault(name, asked) == asked, f"two different clips are named {name}"
        if path.exists():
            return path
        times = list(range(frames)) if times is None else list(times)
        with av.open(str(path), "w", format=form) as out:
            stream = out.add_stream(codec, rate=30, options=options or {})
            stream.width, stream.height, stream.pix_fmt = *size, pix_fmt
            stream.codec_context.time_base = base
            stream.time_base = base
            ctx = stream.codec_context
            ctx.sample_aspect_ratio = aspect
            ctx.colorspace = ctx.color_primaries = ctx.color_trc = matrix
            if rotation or flip:
                stream.set_display_rotation(rotation, hflip=flip)
            audio = out.add_stream("aac", rate=rate, layout="mono") if sound else None
            for number, pts in enumerate(times):
                frame = VideoFrame.from_ndarray(paint(number, *size), format="rgb24").reformat(format=pix_fmt)
                frame.pts, frame.time_base = pts, base
                out.mux(stream.encode(frame))
            out.mux(stream.encode(None))
            if audio is not None:
                tone = np.sin(np.arange(rate * sound_s) * 0.05).astype(np.float32)[None]
                piece = av.AudioFrame.from_ndarray(tone, format="fltp", layout="mono")
                piece.sample_rate, piece.pts, piece.time_base = rate, 0, Fraction(1, rate)
                out.mux(audio.encode(piece))
                out.mux(audio.encode(None))
        return path

    choices = inspect.getfullargspec(write).kwonlyargs
    return write


def plain(path: Path, info: VideoInfo, fps: Fraction, size: tuple[int, int] | None = (32, 48)) -> list[Sample]:
    """What `open_frames` must give, in the plainest way: decode all in one thread, sort by PTS, look up."""
    painter = Painter(size, info)
    decoded = []
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.thread_type = "NONE"
        for frame in container.decode(stream):
            decoded.append((frame.pts, frame.duration or 0, painter.paint(frame)))
    decoded.sort(key=lambda d: d[0])
    first, last = decoded[0][0], decoded[-1]
    end = (last[0] + (last[1] or last[0] - decoded[-2][0])) * info.time_base
    samples: list[Sample] = []
    while (instant := first * info.time_base + Fraction(len(samples)) / fps) < end:
        pts, _, pixels = [d for d in decoded if d[0] * info.time_base <= instant][-1]
        samples.append((len(samples), pts, pixels))
    return samples


@dataclass(frozen=True)
class Plain:
    """The plain reader, as a fixture."""

    read = staticmethod(plain)


@pytest.fixture(scope="session")
def reference() -> Plain:
    return Plain()


CLIPS: dict[str, dict[str, object]] = {
    "bframes.mp4": {"frames": 300, "options": {"bf": "3", "g": "250", "sc_threshold": "0", "preset": "veryfast"}},
    "groups.mp4": {"frames": 300, "options": {"bf": "3", "g": "40", "b-pyramid": "normal", "preset": "veryfast"}},
    "opengop.mkv": {"frames": 240, "options": {"x264-params": "open-gop=1:keyint=30:bframes=3", "preset": "veryfast"}},
    "intra.mkv": {"frames": 90, "codec": "mjpeg", "pix_fmt": "yuvj420p"},
    "vfr.mkv": {
        "times": [int(1000 * (n * 0.04 + 0.9 * (n // 20) + 0.013 * (n % 3))) for n in range(120)],
        "base": Fraction(1, 1000),
        "options": {"g": "25", "bf": "2"},
    },
    "late.ts": {"times": [90_000 + 3000 * n for n in range(150)], "base": Fraction(1, 90_000), "options": {"g": "50"}},
    "turned.mp4": {"rotation": 90, "size": (96, 64)},
    "odd.mkv": {"size": (97, 65), "codec": "libx264", "pix_fmt": "yuv444p", "options": {"g": "15"}},
    "deep.mp4": {"codec": "libx265", "pix_fmt": "yuv420p10le", "frames": 150,
                 "options": {"x265-params": "log-level=none:keyint=30:open-gop=1:bframes=4", "preset": "ultrafast"}},
    "vp9.webm": {"codec": "libvpx-vp9", "frames": 120, "options": {"g": "40", "deadline": "realtime", "cpu-used": "8"}},
    "vp8.webm": {"codec": "libvpx", "frames": 120, "options": {"g": "40", "deadline": "realtime", "cpu-used": "8",
                                                               "auto-alt-ref": "1", "lag-in-frames": "10"}},
    "gray.mkv": {"codec": "ffv1", "pix_fmt": "gray", "frames": 40},
    "still.mkv": {"times": [0, 100, 5100, 5200], "base": Fraction(1, 1000)},
    "one.mp4": {"frames": 1},
    "old.mkv": {"codec": "mpeg2video", "frames": 90, "options": {"bf": "2", "g": "12"}},
}  # fmt: skip


@pytest.fixture(params=sorted(CLIPS))
def clip(request: pytest.FixtureRequest, make: Make) -> Path:
    """Each of the clips in turn."""
    return make(request.param, **CLIPS[request.param])


@pytest.fixture
def named(make: Make) -> Callable[[str], Path]:
    """One of the clips, by its name."""
    return lambda name: make(name, **CLIPS[name])
