"""Files of a world parse back to what was written."""

import json

import numpy as np
import pytest
from PIL import Image

from rewind.errors import ConfigError
from rewind.evaluate import score_predictions
from rewind.evaluate.grounding import read_charades
from rewind.evaluate.moviechat import read_moviechat
from rewind.video import open_frames, probe
from rewind.worlds import contact_sheet, make_world, questions, save
from rewind.worlds.formats import to_charades, to_moviechat
from rewind.worlds.looks import RGB


@pytest.fixture(scope="module")
def world():
    return make_world(31, seconds=300)


@pytest.fixture(scope="module")
def asked(world):
    return questions(world, np.random.default_rng(1), per_kind=6)


@pytest.fixture
def read_back(tmp_path, world, asked):
    """Questions of a MovieChat-1K file, as `rewind evaluate` reads it."""

    def read(**options):
        path = tmp_path / "w.json"
        path.write_text(json.dumps(to_moviechat("w", world, asked, **options)), encoding="utf-8")
        return read_moviechat(path)

    return read


def test_moviechat_round_trip(world, asked, read_back):
    data = to_moviechat("w", world, asked)
    assert data["info"]["num_frame"] == 2400
    assert data["info"]["video_path"] == "w.mp4"
    back = read_back()
    assert {q.video for q in back} == {"w"}
    told = [(q.text, q.answer, q.at_s) for q in asked if q.kind != "find"]
    assert sorted((q.question, q.answer, q.at_s or -1.0) for q in back) == sorted((t, a, s or -1.0) for t, a, s in told)
    assert any(q.at_s is not None for q in back)
    assert all(isinstance(q["time"], int) for q in data["breakpoint"])


@pytest.mark.parametrize("fps", [1, 2, 3, 8])
def test_a_breakpoint_is_asked_when_its_second_has_been_seen_at_any_rate(asked, read_back, fps):
    seconds = [q.at_s for q in asked if q.at_s is not None and q.kind != "find"]
    back = [q.at_s for q in read_back(fps=fps) if q.at_s is not None]
    # Frames before the time are seen: the last of them is of the second that is asked about.
    assert [int(np.ceil(s)) - 1 for s in back] == [int(s) for s in seconds]


def test_charades_round_trip(tmp_path, asked):
    path = tmp_path / "w.txt"
    path.write_text(to_charades("w", asked), encoding="utf-8")
    told = [("w", *map(float, q.moments[0]), q.query) for q in asked if q.kind == "find" and len(q.moments) == 1]
    assert [(q.video, q.start_s, q.end_s, q.text) for q in read_charades(path)] == told
    assert told


def test_a_perfect_system_scores_full_on_a_charades_file(tmp_path, world):
    """It tells one stretch a query: one of several, or the same query twice, would count against it."""
    asked = questions(world, np.random.default_rng(1), kinds=("find",), per_kind=30)
    found = {q.query: q.moments for q in asked}
    assert any(len(m) > 1 for m in found.values())
    truth, predictions = tmp_path / "w.txt", tmp_path / "p.jsonl"
    truth.write_text(to_charades("w", [*asked, *asked]), encoding="utf-8")
    rows = [{"video": "w", "query": query, "prediction": list(m[:1])} for query, m in found.items()]
    predictions.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    result = score_predictions("charades-sta", predictions, truth)
    assert result["n"] == sum(len(m) == 1 for m in found.values())
    assert result["metrics"]["R1@0.7"] == 100.0


def test_save_writes_all_and_the_same_each_time(tmp_path, world, asked):
    one, two = (save(world, asked, tmp_path / name, name="w", fps=1) for name in "ab")
    assert probe(one.video).duration_s == 300
    for x, y in ((one.truth, two.truth), (one.moviechat, two.moviechat), (one.charades, two.charades)):
        assert x.read_bytes() == y.read_bytes()
    truth = json.loads(one.truth.read_text(encoding="utf-8"))
    assert [q["text"] for q in truth["questions"]] == [q.text for q in asked]
    assert truth["scenes"][0]["objects"][0]["boxes"]


def pictures(video):
    with open_frames(video, size=None) as stream:
        return [frame.pixels for frame in stream]


def test_two_writers_of_one_world_do_not_spoil_each_other(tmp_path):
    world, seen = make_world(31, seconds=30), []

    def second(done, total):
        """The other one writes all of it while the first is at its beginning."""
        if not seen:
            seen.append(pictures(save(world, (), tmp_path, name="w", fps=1).video))

    files = save(world, (), tmp_path, name="w", fps=1, progress=second)
    # The encoder's rate control follows the machine's load: bytes of two writings may differ, pictures hardly.
    for one, other in zip(seen[0], pictures(files.video), strict=True):
        assert np.abs(one.astype(int) - other).mean() < 0.5
    assert len(seen[0]) == probe(files.video).duration_s == 30
    assert sorted(path.name for path in tmp_path.iterdir()) == ["w.json", "w.mp4", "w.truth.json", "w.txt"]


def test_a_writer_that_is_stopped_leaves_the_whole_file_of_before(tmp_path):
    world = make_world(31, seconds=30)
    before = save(world, (), tmp_path, name="w", fps=1).video.read_bytes()

    def stop(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        save(world, (), tmp_path, name="w", fps=1, progress=stop)
    assert (tmp_path / "w.mp4").read_bytes() == before
    assert not list(tmp_path.glob("*.tmp"))


@pytest.mark.corpus
def test_the_public_files_have_these_forms(corpus):
    """The real Charades-STA file is read by the same parser."""
    queries = read_charades(corpus / "annotations/charades_sta/charades_sta_test.txt")
    assert len(queries) == 3720
    assert queries[0].text == "person turn a light on."


def test_contact_sheet_shows_the_frames(world):
    sheet = contact_sheet(world, columns=4, rows=2)
    assert isinstance(sheet, Image.Image)
    first = np.asarray(sheet)[18 : 18 + 224, 4 : 4 + 224]
    np.testing.assert_array_equal(first, world.frame(0))
    with pytest.raises(ConfigError, match="a stretch of 0–300"):
        contact_sheet(world, start_s=10, end_s=900)
    with pytest.raises(ConfigError, match="1 or more"):
        contact_sheet(world, columns=0)


def test_a_long_worlds_timeline_has_more_scenes_than_pixels():
    sheet = contact_sheet(make_world(31, seconds=7200), columns=1, rows=1)
    colours = {tuple(pixel) for pixel in np.asarray(sheet)[-80:].reshape(-1, 3).tolist()}
    assert {RGB["red"], RGB["blue"]} <= colours
