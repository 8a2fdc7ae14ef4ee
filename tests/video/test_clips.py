"""Clips: from wherever in a file, with the right pictures, colours and sound."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from rewind.errors import VideoError
from rewind.values import Moment
from rewind.video import cut, grab, open_frames, probe
from rewind.video.sound import _resampled

Make = Callable[..., Path]
SPARSE = {"g": "200", "sc_threshold": "1000000000", "bf": "2"}


def numbers(path: Path, shown: Sequence[np.ndarray]) -> list[tuple[float, int]]:
    """Of each picture of a clip the time and which of `shown` it is."""
    small = np.stack([p[::4, ::4].astype(int) for p in shown])
    with av.open(str(path)) as container:
        return [
            (float(f.time), int(np.abs(small - f.to_ndarray(format="rgb24")[::4, ::4]).mean((1, 2, 3)).argmin()))
            for f in container.decode(video=0)
        ]


@pytest.mark.parametrize(
    ("name", "codec"),
    [("far.ts", "libx264"), ("far.mpg", "mpeg2video"), ("far.mp4", "libx264"), ("far.avi", "mpeg4")],
)
def test_a_clip_is_whole_wherever_the_key_frames_are(make: Make, tmp_path: Path, name: str, codec: str) -> None:
    """6.7 s from one to the next; a seek ends anywhere between them in MPEG-TS and -PS."""
    path = make(name, frames=450, size=(64, 48), codec=codec, options=SPARSE)
    info = probe(path)
    with open_frames(path, fps=Fraction(30), size=None, info=info) as stream:
        shown = [f.pixels for f in stream]
    start = info.start_pts * info.time_base
    moments = [Moment(float(start + Fraction(n, 30)), float(start + Fraction(n + 20, 30)), 1.0) for n in (30, 310, 425)]
    for moment, clip, first in zip(moments, cut(path, moments, tmp_path, info=info), (30, 310, 425), strict=True):
        found = numbers(clip, shown)
        assert [n for _, n in found if n not in (first - 1, first + 20)] == [*range(first, first + 20)], moment
        assert found[0][0] == 0
        assert all(t == pytest.approx((n - first) / 30, abs=0.02) for t, n in found)


def test_a_late_clip_decodes_no_more_than_it_has_to(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from rewind.video import decode

    path = make("far.mp4", frames=450, size=(64, 48), options=SPARSE)
    fed = []
    feed = decode.Decoder.feed
    monkeypatch.setattr(decode.Decoder, "feed", lambda self, coded: fed.append(coded) or feed(self, coded))
    cut(path, [Moment(14.0, 14.5, 1.0)], tmp_path, info=probe(path))
    assert len(fed) < 70


def test_a_clip_at_uneven_distances_is_as_long_as_its_moment(make: Make, tmp_path: Path) -> None:
    path = make("uneven.mkv", frames=30, size=(64, 48), times=[n * n * 4 for n in range(30)], base=Fraction(1, 1000))
    (clip,) = cut(path, [Moment(1.0, 3.0, 1.0)], tmp_path, info=probe(path))
    with av.open(str(clip)) as container:
        stream = container.streams.video[0]
        assert stream.duration * stream.time_base == pytest.approx(2.0, abs=0.001)
        packets = [p for p in container.demux(stream) if p.size]
    ends = [p.pts + p.duration for p in packets]
    assert [p.pts for p in packets[1:]] == ends[:-1]


@pytest.mark.parametrize("name", ["wide.mp4", "wide.mkv"])
def test_pictures_and_clips_are_as_wide_as_they_are_shown(make: Make, tmp_path: Path, name: str) -> None:
    path = make(name, frames=30, size=(80, 64), aspect=Fraction(4, 3))
    info = probe(path)
    assert (info.pixel_aspect, info.shown) == (Fraction(4, 3), (107, 64))
    (picture,) = grab(path, [info.start_pts], info=info)
    assert picture.size == (107, 64)
    assert grab(path, [info.start_pts], info=info, max_side=50)[0].size == (50, 30)
    (clip,) = cut(path, [Moment(0.0, 0.5, 1.0)], tmp_path, info=info)
    assert (probe(clip).width, probe(clip).pixel_aspect) == (80, Fraction(4, 3))


def test_pixels_turn_with_the_picture(make: Make) -> None:
    info = probe(make("portrait.mp4", frames=5, size=(80, 64), aspect=Fraction(4, 3), rotation=90))
    assert (info.width, info.height, info.pixel_aspect) == (64, 80, Fraction(3, 4))
    assert info.shown == (48, 80)


def crimson(_: int, width: int, height: int) -> np.ndarray:
    """A colour that another YUV matrix would show as a different one."""
    return np.full((height, width, 3), (200, 60, 90), np.uint8)


@pytest.mark.parametrize("matrix", [1, 5, 2])
def test_clips_keep_colours_and_say_which_they_are(make: Make, tmp_path: Path, matrix: int) -> None:
    path = make(f"matrix{matrix}.mkv", frames=12, matrix=matrix, paint=crimson)
    with open_frames(path, fps=Fraction(30), size=None) as stream:
        frames = [f.pixels.astype(int) for f in stream]
    (clip,) = cut(path, [Moment(0.0, 0.4, 1.0)], tmp_path, info=probe(path))
    with av.open(str(clip)) as container:
        pictures = list(container.decode(video=0))
    assert {(p.colorspace, p.color_range) for p in pictures} == {(1, 1)}
    for wanted, picture in zip(frames, pictures, strict=True):
        assert np.abs(wanted - picture.to_ndarray(format="rgb24")).max() <= 5


def tones(path: Path, at: Sequence[tuple[float, int]], *, rate: int, seconds: float, codec: str = "pcm_s16le") -> Path:
    """Pictures at 25 a second with pieces of a tone of 0.5 s, each from a time (s) with a loudness (%) on, in a file
    that stores the pieces' times alone: what lies between is a hole."""
    with av.open(str(path), "w") as out:
        video = out.add_stream("libx264", rate=25, options={"g": "25", "preset": "ultrafast"})
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        audio = out.add_stream(codec, rate=rate, layout="mono")
        for begin, loud in at:
            tone = np.sin(np.arange(rate // 2) * (3000 / rate)) * loud * 300
            piece = av.AudioFrame.from_ndarray(tone.astype(np.int16)[None], format="s16", layout="mono")
            piece.sample_rate, piece.pts, piece.time_base = rate, round(begin * rate), Fraction(1, rate)
            out.mux(audio.encode(piece))
        out.mux(audio.encode(None))
        for number in range(round(seconds * 25)):
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), number, np.uint8), format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, 25)
            out.mux(video.encode(frame.reformat(format="yuv420p")))
        out.mux(video.encode(None))
    return path


def heard(path: Path | str) -> tuple[np.ndarray, int]:
    """The sound of a clip and its rate, cut to the length that its track tells; it begins at 0."""
    with av.open(str(path)) as container:
        stream = container.streams.audio[0]
        assert not stream.start_time
        length = round(stream.duration * stream.time_base * stream.rate)
        return np.concatenate([f.to_ndarray()[0] for f in container.decode(stream)])[:length], stream.rate


def loud_from(sound: np.ndarray, rate: int, *, above: float) -> float:
    """Second of the first sample above a level."""
    return float(np.flatnonzero(np.abs(sound) > above)[0]) / rate


@pytest.mark.parametrize("rate", [48000, 44100, 96000, 64000])
def test_sound_is_where_it_was_at_any_rate_and_behind_a_hole(tmp_path: Path, rate: int) -> None:
    half = [0.5 * n for n in range(4)] + [4.0 + 0.5 * n for n in range(4)]  # none from 2 s to 4 s
    path = tones(tmp_path / "hole.mkv", [(t, 100 if t == 5.0 else 20) for t in half], rate=rate, seconds=6)
    (clip,) = cut(path, [Moment(0.75, 5.25, 1.0)], tmp_path, info=probe(path))
    sound, got = heard(clip)
    assert got == (rate if rate <= 48000 else 48000)
    assert len(sound) / got == pytest.approx(4.5, abs=0.001)
    assert loud_from(sound, got, above=0.4) == pytest.approx(4.25, abs=0.01)
    assert np.abs(sound[: got // 10]).max() > 0.1
    assert np.abs(sound[int(1.3 * got) : int(3.2 * got)]).max() < 0.02


def test_sound_begins_and_ends_with_the_clip_to_the_sample(tmp_path: Path) -> None:
    """Pieces of half a second, as some files store them; the clip begins and ends within one."""
    pieces = [(0.5 * n, 100 if n == 4 else 20) for n in range(8)]
    path = tones(tmp_path / "pieces.mkv", pieces, rate=48000, seconds=4)
    with av.open(str(path)) as container:
        assert max(f.samples for f in container.decode(audio=0)) == 24000
    (clip,) = cut(path, [Moment(1.3, 2.9, 1.0)], tmp_path, info=probe(path))
    sound, rate = heard(clip)
    assert len(sound) == 1.6 * rate
    assert loud_from(sound, rate, above=0.4) == pytest.approx(0.7, abs=0.005)


def test_colons_in_names_are_part_of_the_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    name = "2026-11-22T18:39:13.mkv"
    tones(tmp_path / name, [(0.5 * n, 100) for n in range(4)], rate=48000, seconds=2)
    (clip,) = cut(name, [Moment(0.5, 1.5, 1.0)], Path("run-18:39"), info=probe(name))
    assert not clip.is_absolute()
    assert len(heard(clip.absolute())[0]) == 48000


def test_sound_that_changes_its_kind_on_the_way_goes_on() -> None:
    def frame(rate: int, layout: str) -> av.AudioFrame:
        samples = np.zeros((1 if layout == "mono" else 2, rate), np.float32)
        made = av.AudioFrame.from_ndarray(samples, format="fltp", layout=layout)
        made.sample_rate = rate
        return made

    kinds = [(48000, "stereo"), (44100, "mono"), (48000, "mono")]
    given = [(Fraction(n), frame(*kind)) for n, kind in enumerate(kinds)]
    got = list(_resampled(iter(given), 48000))
    assert [at for at, _ in got][-1] == 2
    assert {s.shape[0] for _, s in got} == {2}
    assert sum(s.shape[1] for _, s in got) == pytest.approx(3 * 48000, abs=200)


@pytest.mark.parametrize("fails", ["opening", "writing", "naming"])
def test_a_clip_that_cannot_be_written_does_not_blame_the_video(make: Make, tmp_path: Path, fails: str) -> None:
    path = make("clip.mp4", frames=30, sound=True)
    (clip,) = cut(path, [Moment(0.0, 0.5, 1.0)], tmp_path / "first", info=probe(path))
    into = tmp_path / "refused"
    into.mkdir()
    if fails == "opening":
        (into / clip.name).with_suffix(".part").mkdir()
    elif fails == "naming":
        (into / clip.name / "in the way").mkdir(parents=True)
    elif Path("/dev/full").exists():
        (into / clip.name).with_suffix(".part").symlink_to("/dev/full")
    else:
        pytest.skip("no device that is always full")
    with pytest.raises(VideoError, match=r"refused cannot be written to \(.+\); allowed: a folder with room") as caught:
        cut(path, [Moment(0.0, 0.5, 1.0)], into, info=probe(path))
    assert fails != "writing" or "No space left on device" in str(caught.value)
    assert not [p for p in into.iterdir() if p.is_file()]
