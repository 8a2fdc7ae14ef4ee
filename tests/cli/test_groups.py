"""Worlds, models, store, watch and info: what they print, and that docs/cli.md is what the help says."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image
from typer.testing import Result

from rewind.cli.help_pages import markdown, pages
from rewind.estimate import Estimate
from rewind.models import ModelCard
from rewind.outcome import WatchReport
from rewind.store import StoredVideo
from rewind.values import FrameCount, Seconds

from .conftest import FakeVideo, make_info

Run = Callable[..., Result]


def test_watch_says_what_was_done(video: FakeVideo, run: Run) -> None:
    result = run("watch", "match.mp4")
    assert result.stdout.splitlines() == [
        "watched 5,528 frames (256 of them before), 2 samples skipped in 3 min, 416 MB on disk",
        "note: 2 broken frames skipped",
    ]
    data = json.loads(run("watch", "match.mp4", "--json").stdout)
    assert data["frames"] == {"sampled": 5530, "read": 5528, "skipped": 2}
    assert data["resumed_frames"] == 256


def test_watch_says_where_nothing_is_kept(video: FakeVideo, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    report = WatchReport(FrameCount(9, 9, 0), (), Seconds(0.1, 0.2), 0, 0)
    monkeypatch.setattr(video, "watch", lambda **_: report)
    assert run("watch", "match.mp4").stdout == "watched 9 frames in 0.2 s; nothing is kept on disk\n"
    video.info = make_info("-", live=True)
    assert run("watch", "-").stdout == (
        "watched 9 frames in 0.2 s; nothing is kept of a pipe, a stream or a playlist\n"
    )
    assert json.loads(run("watch", "-", "--json").stdout)["stored_bytes"] == 0


def test_info_reads_no_frame(video: FakeVideo, run: Run) -> None:
    result = run("info", "match.mp4")
    assert "h264, 1280 × 720, 25 frames a second" in result.stdout
    data = json.loads(run("info", "match.mp4", "--json").stdout)
    assert data["video"]["time_base"] == "1/12800"
    assert data["estimate"] == {"frames": 5530, "seconds": 180.0, "store_bytes": 416_000_000, "stored": False}
    assert video.calls == []


def test_info_leaves_out_what_is_not_known_and_counts_one_as_one(video: FakeVideo, run: Run) -> None:
    video.info = make_info(average_rate=1.0)
    assert ", 1 frame a second on average\n" in run("info", "match.mp4").stdout
    video.info = make_info("-", container="pipe", codec="", width=0, height=0, duration_s=None, live=True)
    video.estimate = Estimate(None, None, None, False)
    assert run("info", "-").stdout == "standard input · unknown length · frames at 1 a second\npipe\n"


def test_a_world_is_made_the_same_from_one_seed(run: Run, tmp_path: Path) -> None:
    options = ["--seed", "2000003", "--minutes", "0.5", "--rate", "2", "--json"]
    first = run("worlds", "make", str(tmp_path / "a"), *options)
    assert first.exit_code == 0, first.stderr
    run("worlds", "make", str(tmp_path / "b"), *options)
    data = json.loads(first.stdout)
    assert data["duration_s"] == 30
    names = [Path(data[n]).name for n in ("truth", "moviechat", "charades", "video")]
    for name in names[:3]:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes(), name
    # The truth is the same to the byte. The encoder's rate control is not always, so pictures are compared.
    one, two = (_pictures(tmp_path / side / names[3]) for side in ("a", "b"))
    assert len(one) == len(two) == 60
    assert np.abs(one.astype(int) - two.astype(int)).mean() < 1.0
    assert sorted(p.name for p in (tmp_path / "a").iterdir()) == sorted(names)


def test_a_world_is_shown(run: Run, tmp_path: Path) -> None:
    result = run("worlds", "show", "--seed", "2000003", "--minutes", "1", "--sheet", str(tmp_path / "s.png"))
    assert result.stdout.startswith("world 2000003 (test) · 0:01:00 · ")
    assert Image.open(tmp_path / "s.png").width > 1000
    data = json.loads(run("worlds", "show", "--seed", "2000003", "--minutes", "1", "--json").stdout)
    assert data["questions"][0]["text"] in result.stdout
    assert run("worlds", "show", "--seed", "2000003", "--sheet", "s.gif").exit_code == 2


def test_a_seed_of_no_split_is_refused(run: Run, tmp_path: Path) -> None:
    result = run("worlds", "make", str(tmp_path), "--seed", "1500000")
    assert result.exit_code == 2
    assert "1500000" in result.stderr


def test_training_refuses_a_held_out_seed(run: Run, tmp_path: Path) -> None:
    result = run("train", "nano", "--out", str(tmp_path / "run"), "--seed", "2000000")
    assert result.exit_code == 2
    assert result.stderr.count("\n") == 1
    assert not (tmp_path / "run").exists()


def test_what_training_says_goes_to_stderr(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def trains(*_: Any, say: Callable[[str], None], **__: Any) -> Path:
        say("no clips")
        return tmp_path / "model"

    monkeypatch.setattr("rewind.train.run", trains)
    told = run("train", "nano", "--out", str(tmp_path / "run"))
    assert (told.stderr, told.stdout[:8]) == ("no clips\n", "trained:")
    assert run("train", "nano", "--out", str(tmp_path / "run"), "--quiet").stderr == ""


def test_models_are_listed(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    cards = (ModelCard("nano", tmp_path, 5_200_000, 10_400_000),)
    monkeypatch.setattr("rewind.models.available", lambda: cards)
    assert run("models", "list").stdout == "nano   5.2 million parameters   10 MB\n"
    assert json.loads(run("models", "list", "--json").stdout)["models"][0]["parameters"] == 5_200_000


def test_the_store_is_listed_shown_removed_and_pruned(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = StoredVideo(
        "ab" * 16, "/films/match.mp4", 600, 50_000_000, True, 1e9, fps="1/2", reading="fast", dtype="int8",
        vision="efficientnet-lite0",
    )  # fmt: skip
    kept = [
        plain,
        StoredVideo("cd" * 16, "?", 0, 10, False, 1e9, "manifest.json is damaged"),
    ]
    asked: list[object] = []
    monkeypatch.setattr("rewind.store.list_store", lambda folder: asked.append(folder) or kept)
    monkeypatch.setattr("rewind.store.find_stored", lambda folder, key: kept[1])
    monkeypatch.setattr("rewind.store.remove_stored", lambda folder, key: kept[0])
    monkeypatch.setattr("rewind.store.prune_store", lambda folder, max_bytes: asked.append(max_bytes) or kept[:1])
    listed = run("store", "list", "--store", str(tmp_path)).stdout
    assert "match.mp4   600 frames   1/2 a second, fast, int8   50 MB   watched   2001-09-0" in listed
    assert "damaged" in listed
    kept[0] = replace(plain, vision="efficientnet-lite0 + hub:a/clip")
    assert "fast, int8, efficientnet-lite0 + hub:a/clip   50 MB" in run("store", "list").stdout
    kept[0], asked[:] = plain, [tmp_path]
    assert "2 videos · 50 MB" in listed
    assert asked == [tmp_path]
    assert json.loads(run("store", "show", "cd", "--json").stdout)["trouble"] == "manifest.json is damaged"
    assert run("store", "remove", "ab").stdout.startswith("removed abababababab   match.mp4")
    assert run("store", "prune", "--max-size", "20MB", "--store", str(tmp_path)).exit_code == 0
    assert 20_000_000 in asked


@pytest.mark.parametrize("command", ["show", "remove"])
@pytest.mark.parametrize("key", ["", " "])
def test_an_empty_key_is_none(run: Run, tmp_path: Path, command: str, key: str) -> None:
    (tmp_path / ("ab" * 16)).mkdir()
    result = run("store", command, key, "--store", str(tmp_path))
    assert result.exit_code == 2
    assert f"key {key!r}; allowed: the start of one key" in result.stderr
    assert (tmp_path / ("ab" * 16)).is_dir()


def test_an_empty_store_is_no_error(run: Run, tmp_path: Path) -> None:
    result = run("store", "list", "--json", "--store", str(tmp_path / "none"))
    assert json.loads(result.stdout) == {"store": str(tmp_path / "none"), "size_bytes": 0, "videos": []}
    assert run("store", "remove", "ab", "--store", str(tmp_path / "none")).exit_code == 1


def test_every_command_has_a_help_page() -> None:
    named = dict(pages())
    assert {"rewind", "rewind ask", "rewind worlds make", "rewind store prune", "rewind models list"} <= named.keys()
    assert all("Show this message" in text for text in named.values())


def test_the_page_of_the_command_line_is_what_the_help_says() -> None:
    path = Path(__file__).parents[2] / "docs" / "cli.md"
    assert path.read_text(encoding="utf-8") == markdown(), "type: python -m rewind.cli.help_pages > docs/cli.md"


def _pictures(path: Path) -> np.ndarray:
    with av.open(str(path)) as container:
        return np.stack([frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)])
