"""Whatever is given: frames with rising instants, or one clear line; no hang, no crash, nothing left open."""

from __future__ import annotations

import json
import os
import random
import stat
import subprocess
import sys
from collections.abc import Callable, Iterable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from rewind.errors import VideoError
from rewind.video import cut, grab, open_frames, probe
from rewind.video.source import MAX_PIXELS, check_size

CHILD = Path(__file__).with_name("survive_child.py")
Named = Callable[[str], Path]


def survive(readings: Iterable[tuple[Path, str]], *, limit_s: float) -> list[dict[str, object]]:
    """Runs the child over all readings; fails on a crash, a hang, a wrong outcome or a leak."""
    lines = "".join(f"{path}\t{way}\n" for path, way in readings)
    done = subprocess.run(
        [sys.executable, str(CHILD)], input=lines, capture_output=True, text=True, timeout=limit_s, check=False
    )
    records = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0, (done.returncode, records[-1:], done.stderr[-2000:])
    end = records.pop()
    assert end["threads"] == 1
    assert end["files"] == end["files_before"]
    assert done.stderr == ""
    results = [r for r in records if "outcome" in r]
    assert [r for r in results if r["wrong"]] == []
    return results


def mangle(data: bytes, rng: random.Random) -> bytes:
    """A damaged copy: bits flipped, bytes of the head replaced, a stretch zeroed, or the end cut off."""
    out = bytearray(data)
    kind = rng.choice(["flip", "head", "zero", "cut"])
    if kind == "flip":
        for _ in range(rng.choice([1, 10, 200])):
            out[rng.randrange(len(out))] ^= 1 << rng.randrange(8)
    elif kind == "head":
        for _ in range(5):
            out[rng.randrange(min(4000, len(out)))] = rng.randrange(256)
    elif kind == "zero":
        at, length = rng.randrange(len(out)), rng.choice([16, 1000, 20_000])
        out[at : at + length] = bytes(len(out[at : at + length]))
    else:
        del out[rng.randrange(len(out)) :]
    return bytes(out)


@pytest.mark.slow
def test_200_damaged_copies(named: Named, tmp_path: Path) -> None:
    rng = random.Random(20)
    sources = [named(n) for n in ("bframes.mp4", "groups.mp4", "opengop.mkv", "vp9.webm", "late.ts", "deep.mp4")]
    readings = []
    for number in range(200):
        source = rng.choice(sources)
        path = tmp_path / f"{number:03d}_{source.name}"
        path.write_bytes(mangle(source.read_bytes(), rng))
        readings.append((path, rng.choice(["exact", "exact", "fast", "keyframes"])))
    results = survive(readings, limit_s=400)
    assert len(results) == 200
    assert sum(bool(r["frames"]) for r in results) > 50


@pytest.mark.corpus
@pytest.mark.slow
def test_every_file_of_the_corpus(corpus: Path) -> None:
    paths = sorted(p for p in (corpus / "videos").iterdir() if p.is_file())
    results = survive([(p, "exact") for p in paths], limit_s=400)
    assert len(results) == len(paths)
    assert sum(bool(r["frames"]) for r in results) > 0.8 * len(paths)


def test_what_cannot_be_read_is_one_line(make: Callable[..., Path], tmp_path: Path) -> None:
    notes = tmp_path / "notes.txt"
    notes.write_text("Milk, eggs, bread.\n" * 40)
    noise = tmp_path / "noise.mp4"
    noise.write_bytes(np.random.default_rng(0).integers(0, 256, 5000, dtype=np.uint8).tobytes())
    empty = tmp_path / "empty.mp4"
    empty.touch()
    half = tmp_path / "half.mp4"
    half.write_bytes(make("short.mp4", frames=20).read_bytes()[:700])
    sound = tmp_path / "sound.wav"
    with av.open(str(sound), "w") as out:
        stream = out.add_stream("pcm_s16le", rate=8000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), format="s16", layout="mono")
        frame.sample_rate = 8000
        out.mux(stream.encode(frame))
    wanted = {
        tmp_path / "missing.mp4": "does not exist",
        tmp_path: "is a folder",
        empty: "is empty",
        notes: "is not a video",
        noise: "is not a video",
        half: "is not a video",
        sound: "has no video stream",
        Path(""): "folder",
    }
    for path, found in wanted.items():
        for call in (probe, lambda p: open_frames(p).close()):
            with pytest.raises(VideoError, match=found) as caught:
                call(path)
            assert "\n" not in str(caught.value)
            assert caught.value.allowed
            assert caught.value.do


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission(make: Callable[..., Path], tmp_path: Path) -> None:
    path = tmp_path / "closed.mp4"
    path.write_bytes(make("short.mp4", frames=20).read_bytes())
    path.chmod(0)
    with pytest.raises(VideoError, match="may not be read"):
        probe(path)
    path.chmod(stat.S_IRUSR | stat.S_IWUSR)


def test_absurd_sizes_are_refused() -> None:
    check_size(10_000, MAX_PIXELS // 10_000, "a.mp4")
    with pytest.raises(VideoError, match="million pixels"):
        check_size(200_000, 200_000, "a.mp4")


def test_a_header_that_claims_centuries_is_not_believed(make: Callable[..., Path], tmp_path: Path) -> None:
    data = bytearray(make("short.mp4", frames=20).read_bytes())
    for box, skip in ((b"mvhd", 20), (b"mdhd", 20), (b"tkhd", 24)):
        at = data.index(box) + skip
        data[at : at + 4] = b"\x7f\xff\xff\xff"
    path = tmp_path / "claims.mp4"
    path.write_bytes(data)
    info = probe(path)
    assert info.duration_s is None or info.duration_s < 3600
    with open_frames(path, fps=Fraction(30), size=(16, 16)) as stream:
        assert len(list(stream)) <= 21


def test_broken_pictures_are_skipped_and_counted(make: Callable[..., Path], tmp_path: Path) -> None:
    source = make("groups30.mp4", frames=120, options={"g": "30", "bf": "0", "sc_threshold": "0"})
    whole = list(open_frames(source, fps=Fraction(30), size=(16, 16)))
    with av.open(str(source)) as container:
        packets = [(p.pos, p.size, p.pts) for p in container.demux(video=0) if p.size]
    data = bytearray(source.read_bytes())
    at, size, broken = packets[75]
    data[at : at + size] = b"\xff" * size
    path = tmp_path / "broken.mp4"
    path.write_bytes(data)
    with open_frames(path, fps=Fraction(30), size=(16, 16)) as stream:
        frames = list(stream)
        report = stream.report()
    assert report.frames.sampled == len(whole) == 120
    assert report.frames.skipped >= 1
    assert broken not in {f.pts for f in frames}
    assert any("skipped" in d for d in report.degradations)
    assert all(np.array_equal(frames[k].pixels, whole[k].pixels) for k in range(60))
    tail = {f.index: f.pixels for f in frames}
    assert all(np.array_equal(tail[k], whole[k].pixels) for k in range(90, 120))


def test_grab_gives_the_very_pictures(clip: Path) -> None:
    info = probe(clip)
    with open_frames(clip, fps=Fraction(7), size=None, info=info) as stream:
        frames = list(stream)
    wanted = [*frames[:: max(1, len(frames) // 4)]][::-1]
    got = grab(clip, [f.pts for f in wanted], info=info, max_side=4000)
    assert [np.array_equal(np.asarray(g), f.pixels) for g, f in zip(got, wanted, strict=True)] == [True] * len(wanted)
    small = grab(clip, [frames[0].pts], info=info, max_side=20)[0]
    assert max(small.size) == 20
    assert grab(clip, [], info=info) == []


def test_cut_writes_moments_at_their_times(make: Callable[..., Path], tmp_path: Path) -> None:
    from rewind.values import Moment

    source = make("sound.mp4", frames=120, sound=True, options={"g": "50", "bf": "2"})
    info = probe(source)
    paths = cut(source, [Moment(1.0, 2.0, 0.9), Moment(0.25, 0.5, 0.1)], tmp_path / "clips", info=info)
    assert [p.parent for p in paths] == [tmp_path / "clips"] * 2
    for path, start, seconds in zip(paths, (1.0, 0.25), (1.0, 0.25), strict=True):
        clip = probe(path)
        assert (clip.width, clip.height) == (96, 64)
        assert clip.duration_s == pytest.approx(seconds, abs=0.05)
        with av.open(str(path)) as container:
            assert len(container.streams.audio) == 1
        wanted = grab(source, [round((start + 0.1) / info.time_base)], info=info)[0]
        shown = grab(path, [round(0.1 / clip.time_base)], info=clip)[0]
        assert np.abs(np.asarray(wanted).astype(int) - np.asarray(shown)).mean() < 12
    assert not list((tmp_path / "clips").glob("*.part"))
    with pytest.raises(VideoError, match="no picture"):
        cut(source, [Moment(50.0, 60.0, 1.0)], tmp_path / "none", info=info)
    with pytest.raises(VideoError, match="cannot be written"):
        cut(source, [Moment(0.0, 1.0, 1.0)], source, info=info)
