"""Asking and finding: what is printed where, for people and for programs."""

from __future__ import annotations

import json
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pytest
from PIL import Image
from typer.testing import Result

from rewind.cli import output
from rewind.errors import VideoError
from rewind.estimate import Estimate
from rewind.vision.concepts import UNKNOWN

from .conftest import FakeVideo, make_info

Run = Callable[..., Result]
QUESTION = "When does the keeper save the penalty?"


def test_the_answer_is_on_stdout_and_the_cost_came_before_it_on_stderr(video: FakeVideo, run: Run) -> None:
    result = run("match.mp4", QUESTION)
    assert result.exit_code == 0
    assert result.stderr == (
        "match.mp4 · 1:32:10 · 5,530 frames at 1 a second · about 3 min to watch, 416 MB on disk\n"
    )
    assert result.stdout.splitlines() == [
        "At 1:04:12: the keeper dives left.",
        "   1:04:08 – 1:04:17   0.91",
        "   0:22:40 – 0:22:51   0.34",
        "note: 2 broken frames skipped",
        "1 key frame · memory 11,060 tokens, 1,024 shown (far moments merged) · answered in 2.1 s",
    ]


def test_ask_is_the_default_command(video: FakeVideo, run: Run) -> None:
    assert run("match.mp4", QUESTION).stdout == run("ask", "match.mp4", QUESTION).stdout
    assert [call[1]["question"] for call in video.calls] == [QUESTION, QUESTION]


def test_json_is_one_object_and_nothing_else(video: FakeVideo, run: Run) -> None:
    result = run("--json", "match.mp4", QUESTION)
    assert result.stdout.count("\n") == 1
    data = json.loads(result.stdout)
    assert {"answer", "absent", "moments", "key_frames", "frames", "answer_source", "tokens"} <= data.keys()
    assert {"degradations", "seconds", "model", "video"} <= data.keys()
    assert data["moments"][0] == {"start_s": 3848.0, "end_s": 3857.0, "score": 0.91}
    assert data["video"] == {"path": "match.mp4", "duration_s": 5530.0}
    assert data["tokens"]["total"] <= data["tokens"]["budget"]


def test_quiet_leaves_the_result_and_what_was_given_up(video: FakeVideo, run: Run) -> None:
    result = run("match.mp4", QUESTION, "--quiet")
    assert result.stderr == ""
    assert video.opened["waiting"] is None
    assert "note: 2 broken frames skipped" in result.stdout
    assert "tokens" not in result.stdout


def test_options_reach_the_engine(video: FakeVideo, run: Run, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "config.json").write_text("{}")
    options = {"fps": "1/2", "reading": "fast", "model": "other", "dtype": "int8", "threads": "3"}
    options["image-text"] = f"hub:{tmp_path}"
    given = [word for name, value in options.items() for word in (f"--{name}", value)]
    result = run("match.mp4", QUESTION, *given, "--from", "1:00", "--until", "1:02:03.5", "--store", str(tmp_path))
    assert result.exit_code == 0
    assert video.opened == {
        "source": "match.mp4", "fps": Fraction(1, 2), "reading": "fast", "model": "other", "store": tmp_path,
        "image_text": f"hub:{tmp_path}", "dtype": "int8", "threads": 3, "waiting": output.say_waiting,
    }  # fmt: skip
    assert video.calls == [("ask", {"question": QUESTION, "from_s": 60.0, "until_s": 3723.5})]


@pytest.mark.parametrize("command", [("ask", QUESTION), ("find", "a dog"), ("chat",)])
def test_a_part_that_ends_before_it_begins_is_wrong_usage(video: FakeVideo, run: Run, command: tuple[str, ...]) -> None:
    result = run(command[0], "match.mp4", *command[1:], "--from", "5", "--until", "0:03")
    assert result.exit_code == 2
    assert "--from 5 s --until 3 s; allowed: a part that ends after it begins" in result.stderr
    assert result.stderr.count("\n") == 1
    assert video.opened == {}


def test_the_store_can_come_from_the_environment(video: FakeVideo, run: Run, tmp_path: Path) -> None:
    run("match.mp4", QUESTION, env={"REWIND_STORE": str(tmp_path / "kept")})
    assert video.opened["store"] == tmp_path / "kept"


def test_find_lists_moments_best_first(video: FakeVideo, run: Run) -> None:
    result = run("find", "match.mp4", "a red car", "--threshold", "0.4", "--limit", "3")
    assert result.stdout.splitlines()[:2] == ["   1:04:08 – 1:04:17   0.91", "   0:00:02.0 – 0:00:03.5   0.34"]
    assert video.calls == [
        ("find", {"query": "a red car", "from_s": None, "until_s": None, "threshold": 0.4, "limit": 3})
    ]


def test_absent_is_an_answer(video: FakeVideo, run: Run) -> None:
    video.absent = True
    result = run("find", "match.mp4", "a dog")
    assert result.exit_code == 0
    assert result.stdout.startswith("Not in this video (best 0.08 at 0:51:30; 0.30 would count as seen).\n")
    data = json.loads(run("find", "match.mp4", "a dog", "--json").stdout)
    assert data["absent"] is True
    assert data["moments"] == []
    video.known, video.degradations = False, (UNKNOWN,)
    told = run("find", "match.mp4", "xyzzy").stdout
    assert told.startswith("I do not know (best 0.08 at 0:51:30; 0.30 would count as seen).\n")
    assert f"note: {UNKNOWN}" in told
    assert json.loads(run("find", "match.mp4", "xyzzy", "--json").stdout)["known"] is False


def test_the_part_that_was_looked_at_is_told(video: FakeVideo, run: Run) -> None:
    video.within = (60.0, 120.0)
    assert "looked at 0:01:00 – 0:02:00 alone\n" in run("match.mp4", QUESTION).stdout
    video.absent = True
    told = run("find", "match.mp4", "a dog").stdout
    assert told.startswith("Not in this part of the video (best 0.08")
    assert "looked at 0:01:00 – 0:02:00 alone\n" in told
    data = json.loads(run("find", "match.mp4", "a dog", "--json").stdout)
    assert data["within"] == {"start_s": 60.0, "end_s": 120.0}
    video.within = None
    assert json.loads(run("match.mp4", QUESTION, "--json").stdout)["within"] is None


def test_a_part_that_is_read_alone_costs_what_it_costs(video: FakeVideo, run: Run) -> None:
    video.part = Estimate(10, 0.3, None, False)
    result = run("match.mp4", QUESTION)
    assert "match.mp4 · 1:32:10 · 10 frames at 1 a second · about 0.3 s to watch\n" in result.stderr
    video.fault = KeyboardInterrupt()
    stopped = run("match.mp4", QUESTION)
    assert stopped.exit_code == 130
    assert "nothing is kept of a part that is read alone" in stopped.stderr


def test_an_answer_that_denies_says_how_sure_memory_is(video: FakeVideo, run: Run) -> None:
    video.absent = True
    told = run("match.mp4", "Is there a dog?").stdout
    assert "dives left (best 0.08 at 0:51:30; 0.30 would count as seen).\n" in told
    data = json.loads(run("match.mp4", "Is there a dog?", "--json").stdout)
    assert (data["best_score"], data["best_time_s"], data["threshold"]) == (0.08, 3090.0, 0.3)


def test_evidence_and_clips_are_written_and_named(
    video: FakeVideo, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cut_with: list[object] = []

    def cut(source: str, moments: object, folder: Path, *, info: object) -> list[Path]:
        cut_with.extend([source, moments])
        return [folder / "01.mp4"]

    monkeypatch.setattr("rewind.video.cut", cut)
    data = json.loads(run("match.mp4", QUESTION, "--json", "--evidence", "seen", "--clips", "cuts").stdout)
    assert data["evidence"] == ["seen/1h04m12.000s.jpg", "seen/sheet.jpg"]
    assert Image.open(tmp_path / "seen" / "sheet.jpg").width > 300
    assert data["clips"] == ["cuts/01.mp4"]
    assert cut_with[0] == "match.mp4"


def test_what_a_find_shows_is_named_by_the_samples_own_time(video: FakeVideo, run: Run) -> None:
    data = json.loads(run("find", "match.mp4", "a keeper", "--json", "--evidence", "seen").stdout)
    assert data["evidence"] == ["seen/0h00m02.000s.jpg", "seen/1h04m12.000s.jpg", "seen/sheet.jpg"]


def test_without_moments_no_file_and_no_folder_is_left_and_that_is_said(
    video: FakeVideo, run: Run, tmp_path: Path
) -> None:
    video.absent = True
    (tmp_path / "there").mkdir()
    result = run("find", "match.mp4", "a dog", "--evidence", "new/seen", "--clips", "there")
    assert result.exit_code == 0
    assert "note: evidence not written: there are no moments to show\n" in result.stdout
    assert "note: clips not written: there are no moments to cut out\n" in result.stdout
    assert sorted(p.name for p in tmp_path.iterdir()) == ["match.mp4", "there"]
    data = json.loads(run("match.mp4", QUESTION, "--json", "--clips", "cuts").stdout)
    assert data["clips"] == []
    assert data["degradations"][-1] == "clips not written: there are no moments to cut out"
    assert not (tmp_path / "cuts").exists()


def test_an_answer_stands_where_evidence_fails(video: FakeVideo, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device", "seen/x.jpg")

    monkeypatch.setattr("rewind.evidence.write_evidence", full)
    result = run("match.mp4", QUESTION, "--evidence", "seen")
    assert result.exit_code == 0
    assert result.stdout.startswith("At 1:04:12")
    assert "note: evidence not written: seen/x.jpg: no space left on device" in result.stdout
    assert not Path("seen").exists()


def test_a_folder_that_cannot_be_is_refused_before_work(video: FakeVideo, run: Run) -> None:
    result = run("match.mp4", QUESTION, "--evidence", "match.mp4/inside")
    assert result.exit_code == 1
    assert video.calls == []
    assert result.stderr.count("\n") == 1


def test_what_is_known_already_and_what_is_not_known_is_said(video: FakeVideo, run: Run) -> None:
    video.estimate = Estimate(5530, 0.0, 416_000_000, True)
    assert run("match.mp4", QUESTION).stderr.endswith("watched already, 416 MB on disk\n")
    video.info, video.estimate = make_info("-", duration_s=None, live=True), Estimate(None, None, None, False)
    assert run("-", QUESTION).stderr == "standard input · unknown length · frames at 1 a second\n"


def test_a_refusal_is_one_line_and_exit_code_1(video: FakeVideo, run: Run) -> None:
    video.fault = VideoError("match.mp4 is a text", allowed="a file with a video stream", do="give one")
    result = run("match.mp4", QUESTION, "--json", "--quiet")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "rewind: match.mp4 is a text; allowed: a file with a video stream; give one\n"
