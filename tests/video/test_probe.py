"""What a probe says, and what packet headers say."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace

import pytest

from rewind.video import probe
from rewind.video.bitstream import nature, prefix_size
from rewind.video.probe import _duration, rate_of


def test_probe_of_a_plain_file(make: Callable[..., Path]) -> None:
    path = make("plain.mp4", frames=90, options={"bf": "2"})
    info = probe(path)
    assert (info.width, info.height, info.rotation) == (96, 64, 0)
    assert (info.codec, info.frames, info.start_pts) == ("h264", 90, 0)
    assert info.duration_s == pytest.approx(3.0)
    assert info.average_rate == pytest.approx(30.0)
    assert info.size_bytes == path.stat().st_size
    assert info.seekable
    assert not info.live


@pytest.mark.parametrize("turn", [90, 180, -90])
def test_size_is_that_on_screen(make: Callable[..., Path], turn: int) -> None:
    info = probe(make(f"turn{turn}.mp4", frames=5, rotation=turn))
    assert info.rotation == -turn % 360
    assert (info.width, info.height) == ((96, 64) if turn == 180 else (64, 96))


def test_start_and_time_base_are_the_files_own(make: Callable[..., Path]) -> None:
    path = make("later.mkv", times=[5000 + 40 * n for n in range(30)], base=Fraction(1, 1000))
    info = probe(path)
    assert (info.start_pts, info.time_base) == (5000, Fraction(1, 1000))
    assert info.frames is None


@pytest.mark.parametrize("tagged", [True, False])
def test_a_matroska_files_length_is_that_of_its_pictures(make: Callable[..., Path], tagged: bool) -> None:
    """Its header counts from 0 and has the sound in it; its tags count from 0, too, and tell of each stream."""
    times = [3000 + 40 * n for n in range(50)]
    path = make(f"late_{tagged}.mkv", times=times, base=Fraction(1, 1000), sound=tagged, sound_s=9)
    if not tagged:
        path.write_bytes(path.read_bytes().replace(b"DURATION", b"duratioN"))
    assert probe(path).duration_s == pytest.approx(2.0, abs=0.05)


@pytest.mark.parametrize(
    ("tags", "length"),
    [
        ({"DURATION": "00:00:10.500000000"}, 7.5),
        ({"DURATION": "00:00:10.500000000", "_STATISTICS_TAGS": "DURATION"}, 10.5),  # from its first picture
        ({"DURATION": "00:00:02.500000000"}, 2.5),
        ({"DURATION": "long"}, 17.0),
        ({}, 17.0),
    ],
)
def test_what_a_matroska_tag_counts_from(tags: dict[str, str], length: float) -> None:
    stream = SimpleNamespace(duration=None, time_base=Fraction(1, 1000), metadata=tags, index_entries=(), frames=0)
    container = SimpleNamespace(duration=20_000_000, format=SimpleNamespace(name="matroska,webm"))
    opened = SimpleNamespace(stream=stream, container=container)
    assert _duration(opened, None, 3000) == length  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("average", "guessed", "base", "time_base", "rate"),
    [
        (1000, Fraction(15000, 1001), Fraction(15000, 1001), Fraction(1, 1000), Fraction(15000, 1001)),
        (600, 15, 15, Fraction(1, 600), 15),
        (30, 30, 30, Fraction(1, 30), 30),
        (24, 48, 48, Fraction(1, 24), 24),  # fields, counted as pictures
        (25, 50, 50, Fraction(1, 90000), 25),
        (1000, None, None, Fraction(1, 1000), 1000),
        (None, 15360, 30, Fraction(1, 15360), 30),
        (90000, None, None, Fraction(1, 90000), None),
    ],
)
def test_a_rate_that_is_only_the_clocks_is_not_believed(
    average: object, guessed: object, base: object, time_base: Fraction, rate: object
) -> None:
    stream = SimpleNamespace(average_rate=average, guessed_rate=guessed, base_rate=base, time_base=time_base)
    assert rate_of(stream) == rate  # type: ignore[arg-type]


def test_nal_headers_in_both_framings() -> None:
    idr, parameters, reference, spare = b"\x65\x88", b"\x67\x64", b"\x61\x9a", b"\x01\x9e"

    def annex_b(*units: bytes) -> memoryview:
        return memoryview(b"".join(b"\0\0\0\1" + u + b"\x11\x22" for u in units))

    def lengths(*units: bytes) -> memoryview:
        return memoryview(b"".join((len(u) + 2).to_bytes(4, "big") + u + b"\x11\x22" for u in units))

    for frame, prefix in ((annex_b, 0), (lengths, 4)):
        assert nature(frame(parameters, idr), "h264", prefix, key=True) == (True, -1, True)
        assert nature(frame(reference), "h264", prefix, key=True) == (False, -1, False)
        assert nature(frame(spare, spare), "h264", prefix, key=False) == (False, 0, False)
        assert nature(frame(spare, reference), "h264", prefix, key=False) == (False, -1, False)
        assert nature(frame(b"\x02\x01"), "hevc", prefix, key=False) == (False, -1, False)
        assert nature(frame(b"\x00\x01"), "hevc", prefix, key=False) == (False, 0, False)
        assert nature(frame(b"\x00\x02"), "hevc", prefix, key=False) == (False, 1, False)
        assert nature(frame(b"\x2a\x01"), "hevc", prefix, key=True) == (True, -1, False)
        assert nature(frame(b"\x40\x01"), "hevc", prefix, key=False) == (False, -1, True)
    assert nature(memoryview(b""), "h264", 4, key=True) == (False, -1, False)
    assert prefix_size("h264", bytes([1, 100, 0, 31, 0xFF, 0xE1, 0])) == 4
    assert prefix_size("h264", b"\0\0\0\1\x67\0\0") == 0
    assert prefix_size("hevc", None) == 0
