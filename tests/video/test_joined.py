"""Files joined end to end, whose times go back on the way: evidence and clips show what was sampled."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

import rewind
from rewind.values import Moment
from rewind.video import cut, grab, open_frames, probe
from rewind.video.passing import moves_of
from rewind.video.timing import Rise

Make = Callable[..., Path]


@pytest.fixture(scope="module")
def joined(make: Make) -> Path:
    parts = [
        make(f"part{n}.ts", frames=frames, options={"g": "25", "bf": "2", "preset": "ultrafast"}, base=Fraction(1, 25))
        for n, frames in enumerate((150, 200))
    ]
    path = parts[0].with_name("joined.ts")
    path.write_bytes(b"".join(p.read_bytes() for p in parts))
    return path


def test_evidence_of_a_joined_file_is_what_was_sampled(joined: Path) -> None:
    assert any(moves_of(joined))
    info = probe(joined)
    with open_frames(joined, fps=Fraction(2), size=None, info=info) as stream:
        frames = list(stream)
        assert any("times go back" in d for d in stream.report().degradations)
    assert len(frames) > 25
    picked = frames[::-3]
    got = grab(joined, [f.pts for f in picked], info=info, max_side=4000)
    assert [np.array_equal(np.asarray(g), f.pixels) for g, f in zip(got, picked, strict=True)] == [True] * len(picked)


def test_clips_of_a_joined_file_show_what_was_sampled(joined: Path, tmp_path: Path) -> None:
    info = probe(joined)
    (path,) = cut(joined, [Moment(8.0, 10.0, 0.9)], tmp_path, info=info)
    clip = probe(path)
    assert clip.duration_s == pytest.approx(2.0, abs=0.05)
    with open_frames(joined, fps=1 / info.time_base, size=None, info=info) as stream:
        runs = [((info.start_pts + r.first) * info.time_base, r.picture) for r in stream.runs()]
    with open_frames(path, fps=Fraction(10), size=None, info=clip) as stream:
        shown = [(8 + stream.clock.instant(f.index), f.pixels) for f in stream]
    assert len(shown) == 20
    for at, pixels in shown:
        wanted = [picture for begins, picture in runs if begins <= at + Fraction(1, 1000)][-1]
        assert np.abs(wanted.astype(int) - pixels).mean() < 12


def test_the_sound_of_a_joined_file_stays_with_its_pictures(tmp_path: Path) -> None:
    """Four parts whose sound is half a second longer than their pictures; a flash and a tone together in each."""
    part = _flash(tmp_path / "part.ts")
    path = tmp_path / "joined.ts"
    path.write_bytes(part.read_bytes() * 4)
    assert any(moves_of(path))
    info = probe(path)
    with open_frames(path, fps=Fraction(25), size=None, info=info) as stream:
        bright = [float(stream.clock.instant(f.index)) for f in stream if f.pixels.mean() > 128]
    begins = [a for a, b in zip(bright, [-1.0, *bright], strict=False) if a - b > 0.5]
    assert len(begins) == 4
    for number, flash in enumerate(begins):
        (clip,) = cut(path, [Moment(flash - 1, flash + 0.8, 1.0)], tmp_path / str(number), info=info)
        assert _first_loud(clip) == pytest.approx(1.0, abs=0.1)


def _flash(path: Path) -> Path:
    """4 s of black pictures, white from 2 s to 2.4 s, where a tone is heard; 4.5 s of sound."""
    with av.open(str(path), "w") as out:
        video = out.add_stream("libx264", rate=25, options={"g": "25", "preset": "ultrafast"})
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        audio = out.add_stream("aac", rate=48000, layout="mono")
        tone = np.zeros((1, 48000 * 9 // 2), dtype=np.float32)
        tone[0, 96000:115200] = np.sin(np.arange(19200) * 0.06)
        piece = av.AudioFrame.from_ndarray(tone, format="fltp", layout="mono")
        piece.sample_rate, piece.pts, piece.time_base = 48000, 0, Fraction(1, 48000)
        out.mux(audio.encode(piece))
        out.mux(audio.encode(None))
        for number in range(100):
            pixels = np.full((48, 64, 3), 255 * (50 <= number < 60), dtype=np.uint8)
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24").reformat(format="yuv420p")
            frame.pts, frame.time_base = number, Fraction(1, 25)
            out.mux(video.encode(frame))
        out.mux(video.encode(None))
    return path


def _first_loud(path: Path) -> float:
    with av.open(str(path)) as container:
        for frame in container.decode(audio=0):
            loud = np.flatnonzero(np.abs(frame.to_ndarray()[0]) > 0.1)
            if len(loud):
                return float(frame.pts * frame.time_base) + float(loud[0]) / frame.sample_rate
    raise AssertionError("no sound")


def test_short_parts_of_one_key_frame_each_are_counted_on_too(make: Make, tmp_path: Path) -> None:
    """The second one's first picture comes after the first one's only key frame, and before all else of it."""
    options = {"g": "250", "bf": "2", "preset": "ultrafast"}
    first = make("one_key.ts", frames=125, options=options, base=Fraction(1, 25))
    second = make("late_key.ts", options=options, base=Fraction(1, 25), times=range(5, 130))
    path = tmp_path / "joined.ts"
    path.write_bytes(first.read_bytes() + second.read_bytes())
    assert any(moves_of(path))
    with open_frames(path, threads=2) as stream:
        assert len(list(stream)) == 10
        assert any("times go back" in d for d in stream.report().degradations)
    video = rewind.open(path, store=tmp_path / "store")
    video.watch()
    assert video.info.duration_s == pytest.approx(10, abs=0.3)


def test_one_broken_time_is_no_joint(make: Make) -> None:
    """Three pictures in a row must lie behind a key frame that comes after them."""
    rise = Rise(Fraction(1, 25))
    for number in range(100):
        rise.place(number if number != 70 else 100_000, start=number % 25 == 0, end=100_001)
    assert rise.moved == 0
    assert rise.place(80, start=True, end=100) == 80
    assert rise.place(30, start=True, end=100) == 100
    assert rise.place(31, start=False, end=101) == 101


@pytest.mark.parametrize(
    ("name", "codec"), [("old.mpg", "mpeg1video"), ("dvd.vob", "mpeg2video"), ("dvb.ts", "mpeg2video")]
)
@pytest.mark.parametrize("threads", [1, 3])
def test_codecs_that_are_decoded_in_one_are_counted_on_too(make: Make, name: str, codec: str, threads: int) -> None:
    part = make(name, frames=150, codec=codec)
    path = part.with_name(f"joined_{threads}_{name}")
    path.write_bytes(part.read_bytes() * 3)
    with open_frames(path, threads=threads) as stream:
        frames = list(stream)
        assert any("times go back" in d for d in stream.report().degradations)
    with open_frames(part, threads=threads) as stream:
        alone = list(stream)
    assert len(frames) == 3 * len(alone) == 15
    assert all(np.array_equal(f.pixels, alone[n % 5].pixels) for n, f in enumerate(frames))


def test_times_of_other_files_do_not_go_back(clip: Path) -> None:
    assert not any(moves_of(clip))
