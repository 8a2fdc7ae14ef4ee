"""Frames of generated clips, against a plain reader, bit by bit."""

from __future__ import annotations

import gc
import os
import threading
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import psutil
import pytest

from rewind.errors import ConfigError, VideoError
from rewind.values import Frame
from rewind.video import ReadReport, open_frames, probe
from rewind.video.jump import Jumper
from rewind.video.source import Source

SIZE = (32, 48)
LEADING: dict[str, Any] = {
    "frames": 600, "size": (64, 48), "codec": "libx265",
    "options": {"x265-params": "log-level=none:keyint=70:min-keyint=70:open-gop=1:bframes=4", "preset": "ultrafast"},
}  # fmt: skip
Named = Callable[[str], Path]


def read(path: Path | str, **options: object) -> tuple[list[Frame], ReadReport]:
    with open_frames(path, **{"size": SIZE, **options}) as frames:  # type: ignore[arg-type]
        return list(frames), frames.report()


def same(got: list[Frame], expected: list[Frame]) -> bool:
    return len(got) == len(expected) and all(
        a.index == b.index and a.pts == b.pts and np.array_equal(a.pixels, b.pixels)
        for a, b in zip(got, expected, strict=True)
    )


@pytest.mark.parametrize("fps", [Fraction(1), Fraction(30000, 1001), Fraction(7, 3), Fraction(1, 4), Fraction(75)])
def test_exact_reading_equals_the_plain_reader(clip: Path, fps: Fraction, reference: object) -> None:
    expected = [Frame(*s) for s in reference.read(clip, probe(clip), fps, SIZE)]  # type: ignore[attr-defined]
    got, report = read(clip, fps=fps, threads=2)
    assert same(got, expected)
    assert report.frames.sampled == report.frames.read == len(expected)
    assert report.degradations == ()


@pytest.mark.skipif("libx265" not in av.codecs_available, reason="this build of PyAV has no libx265")
def test_what_leads_a_group_of_pictures_refers_to_the_one_before(make: Callable[..., Path], reference: object) -> None:
    """H.265 with open groups longer than a unit, at a rate at which samples fall on leading pictures."""
    path, fps = make("leading.mp4", **LEADING), Fraction(7, 5)
    expected = [Frame(*s) for s in reference.read(path, probe(path), fps, SIZE)]  # type: ignore[attr-defined]
    got, report = read(path, fps=fps, threads=2)
    assert same(got, expected)
    assert report.degradations == ()


@pytest.mark.skipif("libx265" not in av.codecs_available, reason="this build of PyAV has no libx265")
def test_a_picture_that_the_decoder_leaves_out_is_a_hole(make: Callable[..., Path]) -> None:
    """Leading pictures without the group that they refer to are dropped without an error."""
    from rewind.video.decode import Decoder, Recipe
    from rewind.video.units import Marker

    with Source(make("leading.mp4", **LEADING)) as source:
        recipe = Recipe.of(source.stream, "exact")
        marker = Marker("hevc", recipe.extradata)
        coded = [marker.mark(p) for p in source.container.demux(source.stream) if p.size]
    key = next(at for at, c in enumerate(coded) if c.start and at)
    fed = coded[key : key + 20]
    leading = sorted(c.pts for c in fed if c.pts is not None and c.pts < (fed[0].pts or 0))
    assert leading
    for every in (True, False):
        decoder = Decoder(recipe.make(), every=every)
        out = [d for c in fed for d in decoder.feed(c)] + decoder.drain()
        assert [d.pts for d in out if d.frame is None] == (leading if every else [])


@pytest.mark.parametrize("reading", ["exact", "fast", "keyframes"])
def test_starting_at_a_sample_gives_the_rest_bit_by_bit(clip: Path, reading: str) -> None:
    whole, _ = read(clip, fps=Fraction(5), reading=reading)
    for k in {min(1, len(whole) - 1), len(whole) // 2, len(whole) - 1}:
        rest, _ = read(clip, fps=Fraction(5), reading=reading, start_index=whole[k].index)
        assert same(rest, whole[k:])
    assert read(clip, fps=Fraction(5), reading=reading, start_index=whole[-1].index + 3)[0] == []


@pytest.mark.parametrize("reading", ["exact", "keyframes"])
@pytest.mark.parametrize("form", ["mp4", "mkv"])
def test_reading_goes_ahead_where_no_sample_falls(
    make: Callable[..., Path], form: str, reading: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make(f"tall.{form}", frames=1200, size=(64, 48), options={"g": "50", "bf": "2", "preset": "ultrafast"})
    dense, _ = read(path, fps=Fraction(1), reading=reading)
    jumps = []
    jump = Jumper.jump

    def counted(self: Jumper, *args: Any, **options: Any) -> Any:
        jumps.append(jump(self, *args, **options))
        return jumps[-1]

    monkeypatch.setattr(Jumper, "jump", counted)
    sparse, _ = read(path, fps=Fraction(1, 13), reading=reading)
    assert [f.pts for f in sparse] == [f.pts for f in dense[::13]]
    assert all(np.array_equal(a.pixels, b.pixels) for a, b in zip(sparse, dense[::13], strict=True))
    assert sum(j is not None for j in jumps) >= 2
    jumps.clear()
    assert same(read(path, fps=Fraction(1), reading=reading, start_index=31)[0], dense[31:])
    assert sum(j is not None for j in jumps) == 1


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_any_number_of_threads_gives_the_same(named: Named, threads: int) -> None:
    for name in ("groups.mp4", "opengop.mkv", "deep.mp4"):
        assert same(read(named(name), fps=Fraction(6), threads=threads)[0], read(named(name), fps=Fraction(6))[0])


def test_a_picture_shown_twice_is_one_array(named: Named) -> None:
    frames, _ = read(named("still.mkv"), fps=Fraction(2))
    held = [f for f in frames if f.pts == 100]
    assert [f.index for f in held] == list(range(1, 11))
    assert len({id(f.pixels) for f in held}) == 1


def test_the_last_picture_stays_for_its_duration(named: Named) -> None:
    frames, _ = read(named("one.mp4"), fps=Fraction(300))
    assert [f.index for f in frames] == list(range(10))  # one picture, 1/30 s


def test_times_start_where_the_file_does(named: Named) -> None:
    with open_frames(named("late.ts"), size=SIZE) as stream:
        frames = list(stream)
        assert stream.clock.start_pts == stream.info.start_pts == frames[0].pts
        assert stream.clock.instant(1) == frames[0].pts * stream.info.time_base + 1
    assert frames[0].pts >= 90_000


def test_rotation_is_applied(named: Named) -> None:
    info = probe(named("turned.mp4"))
    assert (info.width, info.height, info.rotation) == (64, 96, 270)
    upright, _ = read(named("turned.mp4"), size=None)
    with Source(named("turned.mp4")) as source:
        coded = next(source.container.decode(source.stream)).to_ndarray(format="rgb24")
    assert upright[0].pixels.shape == (96, 64, 3)
    assert np.abs(upright[0].pixels.astype(int) - np.rot90(coded).astype(int)).mean() < 2


def test_fast_says_what_it_gave_up(named: Named) -> None:
    exact, _ = read(named("bframes.mp4"), fps=Fraction(10))
    fast, report = read(named("bframes.mp4"), fps=Fraction(10), reading="fast")
    assert [f.index for f in fast] == [f.index for f in exact]
    early = sum(a.pts != b.pts for a, b in zip(fast, exact, strict=True))
    assert early > 0
    assert any(f"{early} of {len(fast)} samples" in d for d in report.degradations)
    assert any("loop filter" in d for d in report.degradations)
    worst = max(b.pts - a.pts for a, b in zip(fast, exact, strict=True)) * probe(named("bframes.mp4")).time_base
    assert any(f"{float(worst):.3f} s" in d for d in report.degradations)


def test_keyframes_shows_key_frames_only(named: Named) -> None:
    frames, report = read(named("groups.mp4"), fps=Fraction(30), reading="keyframes")
    with Source(named("groups.mp4")) as source:
        keys = {p.pts for p in source.container.demux(source.stream) if p.is_keyframe}
    assert {f.pts for f in frames} == keys
    assert len(frames) == 300
    assert any("key frames only" in d for d in report.degradations)


def test_exact_reading_leaves_out_what_no_sample_shows(named: Named) -> None:
    from rewind.video.bitstream import prefix_size
    from rewind.video.decode import choose
    from rewind.video.units import Marker

    with Source(named("bframes.mp4")) as source:
        extradata = source.stream.codec_context.extradata
        marker = Marker("h264", extradata)
        coded = [marker.mark(p) for p in source.container.demux(source.stream) if p.size]
    assert prefix_size("h264", extradata) == 4
    assert sum(c.start for c in coded) == 2
    few = choose(coded, {coded[0].pts or 0}, exact=True, last=True, droppable=True, tail=True)
    assert few == coded[:1]
    everything = {c.pts for c in coded if c.pts is not None}
    assert choose(coded, everything, exact=True, last=True, droppable=True, tail=True) == coded
    assert 0 < sum(c.layer >= 0 for c in coded) < len(coded)


def test_closing_early_stops_threads_and_gives_the_file_back(named: Named) -> None:
    path, process = named("bframes.mp4"), psutil.Process()
    list(read(path))
    gc.collect()
    threads, files = threading.active_count(), process.num_fds()
    for _ in range(5):
        stream = open_frames(path, fps=Fraction(30), size=None)
        next(stream)
        begun = time.monotonic()
        stream.close()
        assert time.monotonic() - begun < 4
        assert stream.report().frames.read == 1
        dropped = open_frames(path, fps=Fraction(30), size=None)
        next(iter(dropped))
        del dropped
    gc.collect()
    # A dropped stream tells its threads to end and does not wait for them.
    deadline = time.monotonic() + 10
    while (threading.active_count(), process.num_fds()) != (threads, files) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert threading.active_count() == threads
    assert process.num_fds() == files


def test_frames_do_not_pile_up_before_a_slow_consumer(make: Callable[..., Path]) -> None:
    path = make("long.mp4", frames=400, size=(160, 120), options={"g": "30", "preset": "ultrafast"})
    with open_frames(path, fps=Fraction(30), size=(720, 1280)) as stream:  # 400 frames of 3 MB
        before = psutil.Process().memory_info().rss
        next(stream)
        time.sleep(1.0)
        assert psutil.Process().memory_info().rss - before < 300_000_000


def test_pipe_gives_the_same_frames(named: Named, tmp_path: Path) -> None:
    source = named("late.ts")
    fifo = tmp_path / "pipe"
    os.mkfifo(fifo)
    assert probe(fifo).live

    def write() -> None:
        with open(fifo, "wb") as out:
            out.write(source.read_bytes())

    writer = threading.Thread(target=write)
    writer.start()
    got, report = read(str(fifo), fps=Fraction(5))
    writer.join()
    assert same(got, read(source, fps=Fraction(5))[0])
    assert report.degradations == ()


def test_a_silent_pipe_is_given_up_on(named: Named, tmp_path: Path) -> None:
    fifo = tmp_path / "silent"
    os.mkfifo(fifo)
    threads = threading.active_count()
    with pytest.raises(VideoError, match=r"nothing for|stopped giving"):
        read(str(fifo), stall_s=0.5)
    keep = os.open(fifo, os.O_RDWR)
    try:
        data = named("late.ts").read_bytes()
        os.write(keep, data[: 60_000 // 188 * 188])
        frames, report = read(str(fifo), stall_s=0.7, fps=Fraction(30))
    finally:
        os.close(keep)
    assert frames
    assert any("stopped" in d for d in report.degradations)
    assert threading.active_count() == threads


def test_a_playlist_is_read(named: Named, tmp_path: Path) -> None:
    (tmp_path / "part0.ts").write_bytes(named("late.ts").read_bytes())
    (tmp_path / "list.m3u8").write_text(
        "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:5\n#EXTINF:5.0,\npart0.ts\n#EXT-X-ENDLIST\n"
    )
    got, _ = read(tmp_path / "list.m3u8", fps=Fraction(5))
    assert [f.index for f in got] == [f.index for f in read(named("late.ts"), fps=Fraction(5))[0]]


@pytest.mark.parametrize(
    "options", [{"fps": Fraction(0)}, {"reading": "slow"}, {"start_index": -1}, {"threads": 0}, {"size": (0, 5)}]
)
def test_wrong_options_are_refused(named: Named, options: dict[str, object]) -> None:
    with pytest.raises(ConfigError):
        read(named("one.mp4"), **options)
