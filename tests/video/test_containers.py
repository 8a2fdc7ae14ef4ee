"""What the container alone tells of its pictures: colours, codec tags, mirrors, edits, or no times at all."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image, ImageOps

from rewind.values import Moment, VideoInfo
from rewind.video import cut, grab, open_frames, probe
from rewind.video.decode import Recipe

Make = Callable[..., Path]


def read(path: Path, **options: object) -> tuple[list[tuple[int, int]], tuple[str, ...], list[np.ndarray]]:
    """(sample, PTS) of all samples, degradations, pictures."""
    with open_frames(path, **{"size": None, **options}) as stream:  # type: ignore[arg-type]
        frames = list(stream)
        return [(f.index, f.pts) for f in frames], stream.report().degradations, [f.pixels for f in frames]


def same_as_evidence(path: Path, info: VideoInfo) -> bool:
    samples, _, pictures = read(path, fps=Fraction(5))
    got = grab(path, [pts for _, pts in samples], info=info, max_side=4000)
    return all(np.array_equal(np.asarray(g), p) for g, p in zip(got, pictures, strict=True))


def test_colours_that_only_the_container_tells_are_kept(make: Make) -> None:
    options = {"x264-params": "colormatrix=undef:colorprim=undef:transfer=undef", "g": "20"}
    path, plain = make("colour.mp4", matrix=1, options=options), make("colourless.mp4", options=options)
    with av.open(str(path)) as container:
        assert next(container.decode(video=0)).colorspace == 1
    assert same_as_evidence(path, probe(path))
    apart = np.abs(read(path)[2][0].astype(int) - read(plain)[2][0])
    assert apart.max() > 10


def test_a_codec_tag_says_which_prores_it_is(make: Make) -> None:
    path = make("alpha.mov", frames=6, codec="prores_ks", pix_fmt="yuva444p10le", options={"profile": "4444"})
    with av.open(str(path)) as container:
        assert container.streams.video[0].codec_context.codec_tag == "ap4h"
    assert same_as_evidence(path, probe(path))


def test_a_tag_that_is_no_text_is_left_out() -> None:
    class Context:
        codec = type("Codec", (), {"name": "vc1"})
        extradata, width, height, pix_fmt, colorspace, color_range = None, 4, 4, None, 2, 0

        @property
        def codec_tag(self) -> str:
            return b"\xea\0\0\0".decode("ascii")

    stream = type("Stream", (), {"codec_context": Context()})
    assert Recipe.of(stream, "exact").tag == "\0\0\0\0"  # type: ignore[arg-type]


@pytest.mark.parametrize("turn", [0, 90, 180, 270])
def test_mirrored_pictures_are_shown_as_they_are_meant(make: Make, tmp_path: Path, turn: int) -> None:
    """The matrix of `flip`, after a counterclockwise turn: as FFmpeg's own player shows it."""
    plain = make("unturned.mp4", frames=12)
    path = make(f"mirror{turn}.mp4", frames=12, rotation=turn, flip=True)
    info = probe(path)
    assert info.mirrored
    assert not probe(plain).mirrored
    wanted = np.fliplr(np.rot90(read(plain)[2][0], turn // 90)).astype(int)
    assert np.abs(read(path)[2][0] - wanted).mean() < 3
    assert same_as_evidence(path, info)
    (clip,) = cut(path, [Moment(0.0, 0.2, 1.0)], tmp_path, info=info)
    with av.open(str(clip)) as container:
        shown = next(container.decode(video=0)).to_ndarray(format="rgb24")
    assert np.abs(shown - wanted).mean() < 12


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_of_a_photograph(tmp_path: Path, orientation: int) -> None:
    y, x = np.mgrid[0:32, 0:48]
    pixels = np.stack([x * 5, y * 7, (x > y) * 255], -1).astype(np.uint8)
    exif, path = Image.Exif(), tmp_path / "photo.jpg"
    exif[0x112] = orientation
    Image.fromarray(pixels).save(path, exif=exif, quality=95)
    wanted = np.asarray(ImageOps.exif_transpose(Image.open(path))).astype(int)
    (shown,) = read(path)[2]
    assert shown.shape == wanted.shape
    assert np.abs(shown - wanted).mean() < 8


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("group", [250, 100])
def test_key_frames_of_a_trimmed_file_begin_where_it_does(make: Make, group: int, threads: int) -> None:
    """Cut without coding anew: the key frame that it begins with is not shown, nor is what comes before 3.5 s."""
    whole = make(f"group{group}.mp4", frames=240, options={"g": str(group), "bf": "2", "sc_threshold": "0"})
    data = bytearray(whole.read_bytes())
    entry = data.index(b"elst") + 12
    for at, change in ((entry, -3500), (entry + 4, 53_760)):
        data[at : at + 4] = (int.from_bytes(data[at : at + 4], "big") + change).to_bytes(4, "big")
    path = whole.with_name(f"trimmed{group}.mp4")
    path.write_bytes(data)
    with av.open(str(path)) as container:
        first = next(container.demux(video=0))
        assert (first.is_keyframe, first.is_discard, first.time_base) == (True, True, Fraction(1, 15360))
    exact, _, pictures = read(path, threads=threads)
    keys, said, shown = read(path, reading="keyframes", threads=threads)
    assert [k for k, _ in keys] == [k for k, _ in exact] == [0, 1, 2, 3, 4]
    assert not any("skipped" in d for d in said)
    assert keys[:4] == exact[:4]
    assert all(np.array_equal(a, b) for a, b in zip(shown[:4], pictures, strict=False))
    assert keys[4] == (exact[4] if group == 250 else (4, 95 * 512))  # its second key frame


@pytest.mark.parametrize("reading", ["fast", "keyframes"])
@pytest.mark.parametrize(
    ("name", "codec", "form"),
    [("raw.h264", "libx264", "h264"), ("old.avi", "mpeg4", "avi")],
)
def test_without_times_for_display_all_is_read(
    make: Make, name: str, codec: str, form: str | None, reading: str
) -> None:
    path = make(name, frames=150, codec=codec, form=form, options={"g": "50", "bf": "2"})
    exact, _, pictures = read(path, fps=Fraction(3))
    got, said, shown = read(path, fps=Fraction(3), reading=reading)
    assert got == exact
    assert len(exact) >= 15
    assert all(np.array_equal(a, b) for a, b in zip(shown, pictures, strict=True))
    assert [d for d in said if f"reading '{reading}'" in d] == [d for d in said if "read as 'exact'" in d] != []
