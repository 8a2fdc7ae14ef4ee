"""Worlds: composed of scenes, arranged from a pool, cut to length, written as real files."""

import json

import av
import numpy as np
import pytest

from rewind.errors import ConfigError
from rewind.worlds import Index, Pool, Scene, compose, make_world, plan_scene, questions
from rewind.worlds.ask_objects import countable
from rewind.worlds.formats import truth_with_questions


@pytest.fixture(scope="module")
def pool():
    return Pool([plan_scene(seed) for seed in range(300)])


def test_composed_frames_are_the_scenes_own():
    truths = [plan_scene(seed) for seed in (4, 9, 2)]
    world = compose(truths)
    assert world.duration_s == sum(t.duration_s for t in truths)
    start = 0
    for truth in truths:
        scene = Scene(truth.seed)
        for t in (0, 1.5, truth.duration_s - 0.125):
            np.testing.assert_array_equal(world.frame(start + t), scene.frame(t))
        start += truth.duration_s
    with pytest.raises(ConfigError, match="0 up to, not with"):
        world.frame(start)


def test_any_order_of_access_gives_the_same_frames():
    world, again = make_world(3, seconds=120), make_world(3, seconds=120)
    times = np.random.default_rng(0).permutation(np.arange(0, 120, 7.125))
    frames = {float(t): world.frame(float(t)) for t in times}
    for t in sorted(frames):
        np.testing.assert_array_equal(frames[t], again.frame(t))


@pytest.mark.parametrize("seconds", [30, 47, 60, 61, 600, 3601])
def test_worlds_have_the_length_asked_for(seconds):
    world = make_world(1, seconds=seconds)
    assert world.duration_s == seconds
    assert world.placed[0].start_s == 0
    for a, b in zip(world.placed, world.placed[1:], strict=False):
        assert a.end_s == b.start_s
        assert a.length_s == a.truth.duration_s
    assert 8 <= world.placed[-1].length_s <= world.placed[-1].truth.duration_s
    assert len({p.truth.number for p in world.placed}) == len(world.placed)


@pytest.mark.slow
def test_ten_hours_are_made_without_drawing():
    world = make_world(5, seconds=36_000)
    assert world.duration_s == 36_000
    assert world.frame(35_999.5).shape == (224, 224, 3)
    assert len(world._scenes) == 1


def test_truth_is_byte_identical_and_differs_by_seed():
    def written(seed):
        world = make_world(seed, seconds=90)
        return truth_with_questions(world, questions(world, np.random.default_rng(seed), per_kind=1))

    assert written(8) == written(8)
    assert written(8) != written(9)
    truth = json.loads(written(8))
    assert truth["duration_s"] == 90
    assert truth["scenes"][0]["start_s"] == 0
    assert truth["scenes"][-1]["end_s"] == 90


def test_a_cut_scene_keeps_only_what_is_shown():
    whole = plan_scene(21)
    cut = compose([whole], seconds=8).placed[0].cut_truth()
    assert cut.duration_s == 8
    for t in range(8):
        assert [a.object for a in whole.appearances if a.start_s <= t < a.end_s] == [
            a.object for a in cut.appearances if a.start_s <= t < a.end_s
        ]
    assert max(a.end_s for a in cut.appearances) == 8
    assert all(c.at_s < 8 for c in cut.changes)


@pytest.mark.parametrize("seconds", [60, 150, 600])
def test_a_pool_arranges_worlds_that_can_be_counted_in(pool, seconds):
    for seed in range(4):
        rows = pool.arrange(seconds, np.random.default_rng(seed))
        assert len(set(rows)) == len(rows)
        world = pool.world(seconds, np.random.default_rng(seed))
        assert [p.truth for p in world.placed] == [pool.truths[r] for r in rows]
        assert world.duration_s == seconds
        assert countable(Index(world), "rare")


def test_a_pool_that_is_too_short_is_refused():
    with pytest.raises(ConfigError, match="allowed: a pool that is longer"):
        Pool([plan_scene(0), plan_scene(1)]).arrange(600, np.random.default_rng(0))
    with pytest.raises(ConfigError, match="empty pool"):
        Pool([])
    with pytest.raises(ConfigError, match="for 99 s"):
        compose([plan_scene(0)], seconds=99)
    with pytest.raises(ConfigError, match="30–86400"):
        make_world(0, seconds=29)


def test_backgrounds_go_to_scenes_in_turn():
    pictures = [np.full((224, 224, 3), tone, np.uint8) for tone in (40, 90)]
    world = make_world(2, seconds=60, backgrounds=pictures)
    for number, placed in enumerate(world.placed):
        values, counts = np.unique(world.frame(placed.start_s), return_counts=True)
        assert values[counts.argmax()] == (40, 90)[number % 2]


def test_files_hold_the_frames(tmp_path):
    """H.264 and back: every picture is near the render, at its own time, and codes are still there to be read."""
    world = make_world(12, seconds=30)
    calls = []
    world.write(tmp_path / "w.mp4", progress=lambda done, total: calls.append((done, total)))
    assert calls[0] == (8, 240)
    assert calls[-1] == (240, 240)
    with av.open(str(tmp_path / "w.mp4")) as container:
        stream = container.streams.video[0]
        assert stream.codec_context.name == "h264"
        assert stream.average_rate == 8
        decoded = [(float(f.pts * f.time_base), f.to_ndarray(format="rgb24")) for f in container.decode(stream)]
    assert len(decoded) == 240
    for k in range(0, 240, 9):
        t, pixels = decoded[k]
        assert t == k / 8
        difference = np.abs(pixels.astype(int) - world.frame(t).astype(int))
        assert difference.mean() < 6, t
        wrong = np.abs(pixels.astype(int) - world.frame((t + 11) % 30).astype(int))
        assert difference.mean() < wrong.mean()


@pytest.mark.slow
def test_writing_needs_no_more_memory_for_a_longer_world(tmp_path):
    psutil = pytest.importorskip("psutil")
    process = psutil.Process()
    sizes = []
    for seconds in (60, 60, 480):
        world = make_world(6, seconds=seconds)
        peak = []
        world.write(tmp_path / "w.mp4", fps=2, progress=lambda *_, p=peak: p.append(process.memory_info().rss))
        sizes.append(max(peak))
    assert sizes[2] < 1.25 * sizes[1]


def test_a_name_with_a_colon_is_a_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "wd:1").mkdir()
    make_world(7, seconds=30).write("wd:1/w.mp4", fps=1)
    assert (tmp_path / "wd:1" / "w.mp4").stat().st_size > 0
