"""What an option names is looked at before work starts: folders are tried without a trace, the Hub is asked once."""

from __future__ import annotations

import os
import socket
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import Result

from rewind.cli import places

from .conftest import FakeVideo

Run = Callable[..., Result]


def test_a_folder_is_tried_without_a_trace(tmp_path: Path) -> None:
    places.try_folder(tmp_path / "new" / "inside")
    (tmp_path / "there").mkdir()
    places.try_folder(tmp_path / "there")
    assert [path.name for path in tmp_path.rglob("*")] == ["there"]


def test_a_folder_that_takes_no_file_is_refused_before_work_and_nothing_is_left(
    video: FakeVideo, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(**_: Any) -> None:
        raise PermissionError(13, "Permission denied", "seen/.rewind-x")

    monkeypatch.setattr(tempfile, "NamedTemporaryFile", refuse)
    result = run("match.mp4", "q", "--evidence", "new/seen")
    assert result.exit_code == 1
    assert result.stderr.startswith("rewind: new/seen: permission denied; allowed: what you may read and write")
    assert video.opened == {}
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    "words",
    [["match.mp4", "q", "--clips"], ["worlds", "make"], ["train", "--out"], ["train", "--bank"], ["arena", "--out"]],
)
def test_a_file_is_no_folder_to_write_to(video: FakeVideo, run: Run, words: list[str]) -> None:
    result = run(*words, "match.mp4")
    assert result.exit_code == 1
    assert result.stderr.startswith("rewind: match.mp4: not a folder; allowed: a folder, or a name that nothing has")
    assert not Path("run").exists()


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("file:///films/a%20b.mp4", "/films/a b.mp4"),
        ("file://localhost/films/a.mp4", "/films/a.mp4"),
        ("file://elsewhere/a.mp4", "file://elsewhere/a.mp4"),
        ("https://films/a%20b.mp4", "https://films/a%20b.mp4"),
        ("-", "-"),
        ("a:b.mp4", "a:b.mp4"),
    ],
)
def test_a_files_url_is_that_file(video: FakeVideo, run: Run, url: str, path: str) -> None:
    assert run("watch", url).exit_code == 0
    assert video.opened["source"] == path


def test_a_hub_that_does_not_answer_is_not_asked_again(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked: list[tuple[str, int]] = []

    def refuse(address: tuple[str, int], timeout: float) -> None:
        asked.append(address)
        raise OSError

    monkeypatch.setattr(socket, "create_connection", refuse)
    monkeypatch.setattr(places, "getproxies", dict)
    monkeypatch.setenv("HF_HUB_OFFLINE", "x")  # to be put back as it was
    monkeypatch.delenv("HF_HUB_OFFLINE")
    monkeypatch.setenv("HF_ENDPOINT", "http://mirror.example:81")
    assert places.parse_model(f"hub:{tmp_path}") == f"hub:{tmp_path}"
    assert asked == []
    assert places.parse_model("hub:some/model") == "hub:some/model"
    assert os.environ["HF_HUB_OFFLINE"] == "1"
    places.parse_model("hub:some/other")
    assert asked == [("mirror.example", 81)]


@pytest.mark.parametrize("name", ["", " ", "hub:", "hub: ", "nope"])
def test_a_model_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(typer.BadParameter, match="allowed: "):
        places.parse_model(name)


def test_an_image_text_model_is_of_the_hub_or_of_a_folder(tmp_path: Path) -> None:
    assert places.parse_image_text(f"hub:{tmp_path}") == f"hub:{tmp_path}"
    assert places.parse_image_text(" ") is None  # an environment variable that says nothing
    for name in ("clip", "hub:", str(tmp_path)):
        with pytest.raises(typer.BadParameter, match="allowed: "):
            places.parse_image_text(name)
