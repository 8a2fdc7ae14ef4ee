"""Watching: every picture encoded once, a kill at any point resumed to the same bits."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import torch
from tests.conftest import Fail
from torch import Tensor

from rewind.sampling import Reading
from rewind.store import SAMPLES, Manifest, Recipe, StoredFeatures
from rewind.store.shards import MANIFEST
from rewind.timeline import Clock
from rewind.video import open_frames, probe
from rewind.watch import Progress, watch_into


class PlainEncoder:
    """A cheap, deterministic stand-in for a vision encoder that counts what it is given."""

    name, weights_hash, input_size = "plain", "plain", (32, 32)
    deep_shape, fine_shape, classes, views = (4, 3), (16, 3), 5, 1
    degradations: tuple[str, ...] = ()

    def __init__(self, *, pause_s: float = 0.0) -> None:
        self.encoded = 0
        self.pause_s = pause_s

    def encode(self, pixels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        self.encoded += len(pixels)
        time.sleep(self.pause_s)
        grid = pixels.float().view(len(pixels), 4, 8, 4, 8, 3).mean((2, 4)).view(len(pixels), 16, 3)
        return grid[:, ::4], grid, grid.mean(2)[:, None, :5]


def write_clip(path: Path, *, seconds: int = 60, rate: int = 25, still: bool = False) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=rate)
        stream.width = stream.height = 64
        stream.pix_fmt = "yuv420p"
        stream.gop_size = 50
        rng = np.random.default_rng(0)
        noise = rng.integers(0, 255, (64, 64, 3), dtype=np.uint8)
        for k in range(seconds * rate):
            frame = av.VideoFrame.from_ndarray(noise if still else np.roll(noise, k, axis=1), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def watch(
    clip: Path, folder: Path, encoder: PlainEncoder, *, fps: int | Fraction = 25, reading: Reading = "exact",
    progress: Progress | None = None,
) -> StoredFeatures:  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    info = probe(clip)
    if (folder / MANIFEST).is_file():
        stored = StoredFeatures(folder, Manifest.load(folder))
    else:
        recipe = Recipe(str(fps), reading, "fp16", encoder.name, encoder.weights_hash)
        stored = StoredFeatures(folder, Manifest({}, recipe, Clock(info.start_pts, info.time_base, Fraction(fps))))
    watch_into(stored, clip, info=info, encoder=encoder, reading=reading, threads=2, progress=progress)
    return stored


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.glob("*.safetensors"))}


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_clip(tmp_path_factory.mktemp("clip") / "clip.mp4")


def test_every_sample_is_stored_with_its_time(clip: Path, tmp_path: Path) -> None:
    encoder = PlainEncoder()
    seen: list[tuple[int, int | None]] = []
    info = probe(clip)
    recipe = Recipe("1", "exact", "fp16", "plain", "plain")
    stored = StoredFeatures(tmp_path, Manifest({}, recipe, Clock(info.start_pts, info.time_base, Fraction(1))))
    watch_into(
        stored, clip, info=info, encoder=encoder, reading="exact", total=60,
        progress=lambda done, total: seen.append((done, total)),
    )  # fmt: skip
    assert len(stored) == encoder.encoded == 60
    assert stored.timeline().seconds.tolist() == list(range(60))
    assert seen[-1] == (60, 60)
    assert [s[0] for s in seen] == sorted(s[0] for s in seen)
    assert stored.manifest.frames.read == 60
    assert stored.manifest.finished


def test_a_repeated_picture_is_encoded_once(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "slow.mp4", seconds=10, rate=1)
    encoder = PlainEncoder()
    stored = watch(clip, tmp_path / "s", encoder, fps=4)
    assert len(stored) == 40
    assert encoder.encoded == 10
    deep = torch.cat([d for (d,) in stored.by_shard("deep")])
    assert torch.equal(deep[0], deep[3])
    assert not torch.equal(deep[3], deep[4])


def test_features_that_stay_in_memory_are_those_that_a_store_holds(clip: Path, tmp_path: Path) -> None:
    """Shards take over each other's room: what is not written must be copied out of it."""
    stored = watch(clip, tmp_path / "disk", PlainEncoder(), fps=5)
    kept = StoredFeatures(
        tmp_path / "none", Manifest({}, stored.manifest.recipe, stored.manifest.clock), trouble="full"
    )
    watch_into(kept, clip, info=probe(clip), encoder=PlainEncoder(), reading="exact", threads=2)
    assert len(kept.manifest.shards) > 2
    for part in ("deep", "fine", "posterior"):
        want, got = (torch.cat([one for (one,) in each.by_shard(part)]) for each in (stored, kept))
        assert torch.equal(got, want)


def test_stopped_between_the_last_shard_and_the_end_it_still_ends(
    clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(StoredFeatures, "finish", stop)
    with pytest.raises(KeyboardInterrupt):
        watch(clip, tmp_path, PlainEncoder(), fps=5)
    monkeypatch.undo()
    encoder = PlainEncoder()
    stored = watch(clip, tmp_path, encoder, fps=5)
    assert encoder.encoded == 0
    assert stored.manifest.finished
    assert stored.manifest.frames.read == stored.manifest.frames.sampled == len(stored) == 300


@pytest.fixture(scope="module")
def broken(clip: Path) -> Path:
    """The clip with four seconds of broken pictures, and one broken between two samples of one a second."""
    with av.open(str(clip)) as container:
        packets = [(p.pos, p.size, float(p.pts * p.time_base)) for p in container.demux(video=0) if p.size]
    data = bytearray(clip.read_bytes())
    for at, size, seconds in packets:
        if 20 <= seconds < 24 or 50.3 < seconds < 50.35:
            data[at + 5 : at + size] = b"\xff" * (size - 5)
    path = clip.with_name("broken.mp4")
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("reading", ["exact", "fast"])
def test_a_watch_that_was_interrupted_says_what_one_pass_says(broken: Path, tmp_path: Path, reading: Reading) -> None:
    whole = watch(broken, tmp_path / "whole", PlainEncoder(), fps=4, reading=reading).manifest
    assert whole.frames.skipped >= 16
    assert any("samples skipped" in d for d in whole.degradations)

    def run(folder: Path, stop: int | None) -> Manifest | None:
        def progress(done: int, total: int | None) -> None:
            if done == stop:
                raise KeyboardInterrupt

        try:
            return watch(broken, folder, PlainEncoder(), fps=4, reading=reading, progress=progress).manifest
        except KeyboardInterrupt:
            return None

    for stops in ((66,), (129,), (70, 140, 200), (215,)):
        folder = tmp_path / "-".join(map(str, stops))
        assert [run(folder, stop) for stop in stops] == [None] * len(stops)
        again = run(folder, None)
        assert again is not None
        assert again.finished
        assert (again.frames, again.degradations) == (whole.frames, whole.degradations)
        assert contents(folder) == contents(tmp_path / "whole")
        assert again.read_s > 0 < again.encode_s


def test_a_read_error_leaves_the_store_open_for_the_rest(
    clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fail_at: Fail
) -> None:
    """A drive that went away half way must not close the store on half of a video."""
    want = watch(clip, tmp_path / "whole", PlainEncoder(), fps=5)
    fail_at(monkeypatch, 1000, OSError(5, "Input/output error"))
    part = watch(clip, tmp_path / "part", PlainEncoder(), fps=5)
    assert not part.manifest.finished
    assert not Manifest.load(tmp_path / "part").finished
    assert 100 < len(part) == part.manifest.frames.read < 300
    assert any("stopped early" in d and "Input/output error" in d for d in part.manifest.degradations)
    assert torch.equal(
        torch.cat([d for (d,) in part.by_shard("deep")]), next(want.stretch().clips(len(part), "deep"))[0]
    )
    monkeypatch.undo()
    stored = watch(clip, tmp_path / "part", PlainEncoder(), fps=5)
    assert stored.manifest.finished
    assert stored.manifest.frames == want.manifest.frames
    assert stored.manifest.degradations == want.manifest.degradations == ()
    assert contents(tmp_path / "part") == contents(tmp_path / "whole")


def test_what_a_gap_leaves_out_is_not_said_to_be_broken(gap: Path, tmp_path: Path) -> None:
    rate = Fraction(1, 20)
    whole = watch(gap, tmp_path / "whole", PlainEncoder(), fps=rate).manifest
    # Of the 9,020 s from the last picture before it to the next one, the first hour is sampled.
    assert (whole.frames.read, whole.frames.skipped) == (3 + 180 + 91, 0)
    assert Manifest.load(tmp_path / "whole").lost.gaps == whole.lost.gaps == ((60_000, 9_080_000),)

    def progress(done: int, total: int | None) -> None:
        if done == 260:  # behind the gap, one shard of what follows it written
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        watch(gap, tmp_path / "part", PlainEncoder(), fps=rate, progress=progress)
    part = Manifest.load(tmp_path / "part")
    assert part.next_index > part.rows
    again = watch(gap, tmp_path / "part", PlainEncoder(), fps=rate).manifest
    assert (again.frames, again.degradations, again.lost) == (whole.frames, whole.degradations, whole.lost)


@pytest.mark.slow
def test_killed_at_twenty_points_it_resumes_to_the_same_bits(clip: Path, tmp_path: Path) -> None:
    watch(clip, tmp_path / "whole", PlainEncoder())
    want = contents(tmp_path / "whole")
    assert len(want) == -(-60 * 25 // SAMPLES)
    script = (
        "import sys; from pathlib import Path; sys.path.insert(0, sys.argv[1]); import test_watch as t; "
        "print('ready', flush=True); t.watch(Path(sys.argv[2]), Path(sys.argv[3]), t.PlainEncoder(pause_s=0.004))"
    )
    rng = random.Random(20)
    stages = set()
    for trial in range(20):
        folder = tmp_path / f"killed-{trial}"
        child = subprocess.Popen(
            [sys.executable, "-c", script, str(Path(__file__).parent), str(clip), str(folder)], stdout=subprocess.PIPE
        )
        assert child.stdout is not None
        child.stdout.readline()
        time.sleep(rng.uniform(0.0, 1.2))
        child.send_signal(signal.SIGKILL)
        child.wait()
        child.stdout.close()
        stages.add(len(contents(folder)))
        stored = watch(clip, folder, PlainEncoder())
        assert contents(folder) == want, f"trial {trial}"
        assert stored.manifest.finished
        assert stored.manifest.frames.read == 1500
    assert len(stages) > 1  # some kills came early, some late


def test_the_classifier_reads_pictures_without_bars_and_memory_the_frame(tmp_path: Path) -> None:
    """A square clip in a wide film: its posterior is that of the clip without bars, its grids are those of the film."""
    clip, rng = tmp_path / "barred.mp4", np.random.default_rng(0)
    with av.open(str(clip), "w") as container:
        stream = container.add_stream("libx264", rate=1)
        stream.width, stream.height, stream.pix_fmt = 192, 64, "yuv420p"
        for k in range(10):
            pixels = np.zeros((64, 192, 3), np.uint8)
            if k % 3:  # the others have none
                pixels[:, 64:128] = rng.integers(60, 255, (64, 64, 3))
            else:
                pixels[:] = rng.integers(60, 255, (64, 192, 3))
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode(None))
    encoder = PlainEncoder()
    stored = watch(clip, tmp_path / "s", encoder, fps=1)
    assert encoder.encoded == 10 + 6
    with open_frames(clip, size=encoder.input_size, active=True) as frames:
        shown = list(frames)
    assert [frame.active is not None for frame in shown] == [bool(k % 3) for k in range(10)]
    inner = [frame.pixels if frame.active is None else frame.active for frame in shown]
    deep, fine, _ = encoder.encode(torch.from_numpy(np.stack([frame.pixels for frame in shown])))
    posterior = encoder.encode(torch.from_numpy(np.stack(inner)))[2]
    for part, expected in (("deep", deep), ("fine", fine), ("posterior", posterior)):
        torch.testing.assert_close(
            torch.cat([p for (p,) in stored.by_shard(part)]).float(), expected, rtol=1e-3, atol=1e-3
        )
