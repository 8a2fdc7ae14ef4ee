"""Readings that the operating system or a silent source ends early, and a process that stood still meanwhile."""

from __future__ import annotations

import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from tests.conftest import Fail

from rewind.errors import VideoError
from rewind.video import open_frames
from rewind.video.patience import Patience

Make = Callable[..., Path]


def test_an_error_of_the_system_is_told_apart_from_one_of_the_content(
    make: Make, monkeypatch: pytest.MonkeyPatch, fail_at: Fail
) -> None:
    path = make("stops.mp4", frames=240, size=(64, 48), options={"g": "30", "bf": "0", "preset": "ultrafast"})
    whole = list(open_frames(path, size=(32, 48)))
    for error, passes in ((OSError(5, "Input/output error"), True), (ValueError("nonsense"), False)):
        with monkeypatch.context() as patch:
            fail_at(patch, 150, error)
            with open_frames(path, size=(32, 48)) as stream:
                frames = list(stream)
                report = stream.report()
        assert 0 < len(frames) < len(whole)
        assert all(np.array_equal(a.pixels, b.pixels) for a, b in zip(frames, whole, strict=False))
        assert [d for d in report.degradations if d.startswith("reading stopped early")] == [*report.degradations]
        assert (report.stopped is not None) is passes
        assert any("stopped early" in note for note in report.losses.notes) is not passes


def test_a_unit_in_the_middle_of_which_reading_fails_is_not_waited_for(
    make: Make, monkeypatch: pytest.MonkeyPatch, fail_at: Fail
) -> None:
    options = {"g": "2000", "bf": "0", "preset": "ultrafast", "sc_threshold": "0"}
    path = make("endless.mp4", frames=1700, size=(16, 16), options={**options, "forced-idr": "1"})
    monkeypatch.setattr("rewind.video.units.PART_PACKETS", 100)
    monkeypatch.setattr("rewind.video.cutter.PART_PACKETS", 100)
    monkeypatch.setattr("rewind.video.reader.Reader._until_second_group", lambda self, packets, marker: ([], True))
    fail_at(monkeypatch, 450, OSError(5, "Input/output error"))
    begun = time.monotonic()
    with open_frames(path, size=(16, 16), stall_s=60) as stream:
        assert len(list(stream)) == 14  # what was handed out: 400 pictures, 30 a second
        assert stream.report().stopped == f"reading stopped early: {path} cannot be read (Input/output error)"
    assert time.monotonic() - begun < 50


def test_a_reading_that_resumes_and_gets_nothing_says_so_in_place_of_failing(
    make: Make, monkeypatch: pytest.MonkeyPatch, fail_at: Fail
) -> None:
    path = make("stops.mp4", frames=240, size=(64, 48), options={"g": "30", "bf": "0", "preset": "ultrafast"})
    fail_at(monkeypatch, 3, OSError(5, "Input/output error"))
    with open_frames(path, size=(16, 16), start_index=2) as stream:
        assert list(stream) == []
        assert "Input/output error" in (stream.report().stopped or "")
    with pytest.raises(VideoError, match="Input/output error"), open_frames(path, size=(16, 16)) as stream:
        list(stream)


def test_time_in_which_the_process_stood_still_is_not_the_sources_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr("rewind.video.patience.time.monotonic", lambda: now[0])

    def ended_after(*waits: float, beat: float = 0.0) -> bool:
        patience = Patience(3.0)
        ended = False
        for wait in waits:
            now[0] += wait
            ended = patience.ended(beat)
        return ended

    assert not ended_after(*[0.1] * 29)
    assert ended_after(*[0.1] * 32)
    assert not ended_after(0.1, 0.1, 3600.0, 0.1)
    assert ended_after(*[0.1] * 30, 3600.0)
    patience = Patience(3.0)
    for step in range(100):
        now[0] += 0.5
        assert not patience.ended(float(step // 4))


def test_fast_reading_counts_what_its_decoder_swallows(make: Make, tmp_path: Path) -> None:
    import av

    source = make("swallow.mp4", frames=480, size=(64, 48), options={"g": "30", "bf": "0", "preset": "ultrafast"})
    with av.open(str(source)) as container:
        packets = [(p.pos, p.size) for p in container.demux(video=0) if p.size]
    data = bytearray(source.read_bytes())
    for at, size in packets[120:240]:
        data[at + 5 : at + size] = b"\xff" * (size - 5)
    path = tmp_path / "swallow.mp4"
    path.write_bytes(data)
    got = {}
    for reading in ("exact", "fast"):
        with open_frames(path, fps=Fraction(1), reading=reading, size=(16, 16)) as stream:  # type: ignore[arg-type]
            index = [frame.index for frame in stream]
            report = stream.report()
        got[reading] = index
        assert report.frames.sampled == 16
        assert report.frames.skipped == 16 - len(index) > 0
        assert any(f"{report.frames.skipped} samples skipped" in d for d in report.degradations)
    assert got["fast"] == got["exact"]
