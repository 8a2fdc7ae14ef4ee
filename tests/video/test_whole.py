"""A file that was cut off says so; one that is whole never does, however long its sound or wrong its header."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pytest

from rewind.video import open_frames

Make = Callable[..., Path]
LONG = {"frames": 240, "size": (64, 48), "options": {"g": "30", "bf": "2", "preset": "ultrafast"}}


def told(path: Path, **options: object) -> tuple[str, ...]:
    with open_frames(path, **{"size": (32, 48), "threads": 1, **options}) as stream:  # type: ignore[arg-type]
        assert list(stream)
        return stream.report().degradations


def half(path: Path, *, share: float = 0.5) -> Path:
    """The first part of a file, its index with it where that lies in front."""
    short = path.with_name(f"half_{path.name}")
    data = path.read_bytes()
    short.write_bytes(data[: int(len(data) * share)])
    return short


@pytest.fixture
def in_front(make: Make) -> Path:
    """An MP4 with its index before its pictures, moved there by hand: what `-movflags faststart` writes."""
    data = make("fast_start.mp4", **LONG).read_bytes()
    boxes, at = {}, 0
    while at < len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        boxes[data[at + 4 : at + 8]] = data[at : at + size]
        at += size
    index = bytearray(boxes[b"moov"])
    table = index.index(b"stco") + 8
    for n in range(int.from_bytes(index[table : table + 4], "big")):
        place = slice(table + 4 + 4 * n, table + 8 + 4 * n)
        index[place] = (int.from_bytes(index[place], "big") + len(index)).to_bytes(4, "big")
    path = make("fast_start.mp4", **LONG).with_name("in_front.mp4")
    path.write_bytes(boxes[b"ftyp"] + index + boxes.get(b"free", b"") + boxes[b"mdat"])
    return path


@pytest.mark.parametrize("reading", ["exact", "fast", "keyframes"])
def test_a_cut_off_mp4_says_where_it_ends(in_front: Path, reading: str) -> None:
    found = [d for d in told(half(in_front), reading=reading) if "cut off" in d]
    assert len(found) == 1
    assert found[0].startswith("its pictures end at 0:00:0")
    assert "its header says 0:00:08" in found[0]
    assert not any("cut off" in d for d in told(in_front, reading=reading))


@pytest.mark.parametrize("tagged", [True, False])
def test_a_cut_off_mkv_says_so_with_or_without_tags_for_each_stream(make: Make, tagged: bool) -> None:
    whole = make("tagged.mkv", **LONG, sound=True)
    path = whole.with_name(f"{tagged}.mkv")
    path.write_bytes(whole.read_bytes() if tagged else whole.read_bytes().replace(b"DURATION", b"duratioN"))
    assert told(path) == ()
    assert any("its header says 0:00:08: cut off" in d for d in told(half(path)))


@pytest.mark.parametrize(("name", "codec"), [("spoken.flv", "flv1"), ("spoken.asf", "mpeg4"), ("spoken.wmv", "wmv2")])
def test_a_cut_off_flv_or_asf_with_sound_says_so_by_its_size(make: Make, name: str, codec: str) -> None:
    whole = make(name, frames=240, size=(64, 48), codec=codec, sound=True, sound_s=8, rate=44100)
    assert not any("cut off" in d for d in told(whole))
    assert any("cut off" in d for d in told(half(whole)))


@pytest.mark.parametrize("name", ["noisy.flv", "noisy.asf"])
def test_an_flv_or_asf_whose_sound_goes_on_is_no_alarm(make: Make, name: str) -> None:
    whole = make(name, frames=30, codec="flv1" if name.endswith("flv") else "mpeg4", sound=True, sound_s=9, rate=44100)
    assert not any("cut off" in d for d in told(whole))


@pytest.mark.parametrize("name", ["noisy.mkv", "noisy.mp4"])
@pytest.mark.parametrize("tagged", [True, False])
def test_sound_that_goes_on_after_the_pictures_is_no_alarm(make: Make, name: str, tagged: bool) -> None:
    whole = make(name, frames=30, sound=True, sound_s=9)
    path = whole.with_name(f"{tagged}_{name}")
    path.write_bytes(whole.read_bytes() if tagged else whole.read_bytes().replace(b"DURATION", b"duratioN"))
    assert told(path) == ()


def test_headers_that_tell_no_length_give_no_alarm(make: Make) -> None:
    assert not any("cut off" in d for d in told(half(make("long.ts", **LONG))))
    assert not any("cut off" in d for d in told(half(make("long.h264", **LONG, form="h264"))))


def test_a_reading_that_goes_on_behind_the_middle_says_it_too(in_front: Path) -> None:
    assert any("cut off" in d for d in told(half(in_front), start_index=2))
    assert told(in_front, start_index=6, fps=Fraction(1)) == ()
