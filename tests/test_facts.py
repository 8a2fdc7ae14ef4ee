"""Questions that the file itself answers: those are known by their words, and nothing is watched for them."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from typer.testing import CliRunner

import rewind
from rewind.cli import app
from rewind.facts import fact_asked
from rewind.values import VideoInfo
from rewind.worlds import make_world

INFO = VideoInfo(
    "match.mkv", "matroska,webm", "h264", 640, 480, 0, Fraction(1, 1000), 0, 5025.2, 29.97, 150_604, 10**9, False, True,
    pixel_aspect=Fraction(4, 3),
)  # fmt: skip


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("How long is the video?", "1:23:45 long."),
        ("how long is this film", "1:23:45 long."),
        ("How long's the video", "1:23:45 long."),
        ("how long is the vid", "1:23:45 long."),
        ("How many minutes does the whole recording have?", "1:23:45 long."),
        ("What's the duration of the clip?", "1:23:45 long."),
        ("What is the running time?", "1:23:45 long."),
        ("How many minutes is it?", "1:23:45 long."),
        ("How wide is the video?", "853 × 480 pixels."),
        ("What is the height of the video?", "853 × 480 pixels."),
        ("What is the aspect ratio?", "853 × 480 pixels."),
        ("What resolution is it?", "853 × 480 pixels."),
        ("What are the dimensions of this video?", "853 × 480 pixels."),
        ("Tell me the frame rate.", "29.97 frames a second."),
        ("How many frames per second does it have?", "29.97 frames a second."),
        ("How many frames are there in the video?", "150,604 frames."),
        ("Which codec is this?", "h264, in matroska,webm."),
    ],
)
def test_what_the_file_tells(question: str, answer: str) -> None:
    assert fact_asked(question, INFO) == answer


@pytest.mark.parametrize(
    "question",
    [
        "How long is the dog on screen?", "How long is it?", "How long does it last?", "How long is the video game?",
        "How many frames hang on the wall?", "How many picture frames are there?", "What is the length of the train?",
        "What size is the sign?", "How long is the red star in the video?", "What happens in the video?",
        "How many minutes until the goal?", "What is the resolution of the argument?",
    ],
)  # fmt: skip
def test_what_is_on_screen_is_not_asked_of_the_file(question: str) -> None:
    assert fact_asked(question, INFO) is None


def test_what_the_file_does_not_tell_is_no_fact() -> None:
    bare = replace(INFO, duration_s=None, average_rate=None, frames=None)
    for question in ("How long is the video?", "What is the frame rate?", "How many frames are there?"):
        assert fact_asked(question, bare) is None
    assert fact_asked("How many frames are there?", replace(INFO, frames=None)) == "About 150,605 frames."
    assert fact_asked("How long is the video?", replace(INFO, duration_s=2.44)) == "0:00:02.4 long."
    assert fact_asked("How long is the video?", replace(INFO, duration_s=0.04)) == "0.04 s long."
    assert fact_asked("What is the frame rate?", replace(INFO, average_rate=1.0)) == "1 frame a second."
    pipe = replace(bare, codec="", width=0, height=0)
    for question in ("What resolution is it?", "Which codec is this?"):
        assert fact_asked(question, pipe) is None


def test_nothing_is_watched_for_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clip = tmp_path / "world.mp4"
    make_world(7, seconds=30).write(clip, fps=4)
    monkeypatch.setenv("REWIND_STORE", str(tmp_path / "store"))
    monkeypatch.setattr(rewind.Video, "watch", lambda *_given, **_options: pytest.fail("watched"))
    video = rewind.open(clip, store=tmp_path / "store")
    answer = video.ask("How long is the video?")
    assert answer.answer == fact_asked("How long is the video?", video.info)
    assert (answer.answer_source, answer.confidence, answer.moments, answer.key_frames) == ("file", 1.0, (), ())
    assert answer.frames.read == answer.tokens.total == 0
    assert answer.to_json()["answer_source"] == "file"
    shown = CliRunner().invoke(app, [str(clip), "How long is the video?"])
    assert shown.exit_code == 0
    assert shown.stdout == f"{answer.answer}\ntold by the file itself, nothing was looked at\n"
    assert "to watch" not in shown.stderr
    assert shown.stderr.startswith(clip.name)
