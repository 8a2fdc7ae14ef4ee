"""Many questions on one video, from standard input."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from typer.testing import Result

from rewind.errors import BudgetError

from .conftest import FakeVideo

Run = Callable[..., Result]


def test_questions_come_one_a_line_and_the_video_is_watched_once(video: FakeVideo, run: Run) -> None:
    result = run("chat", "match.mp4", "--until", "90", input="who wins?\n\n  /find a dog \nwho loses?")
    assert result.exit_code == 0
    assert video.calls == [
        ("watch", {}),
        ("ask", {"question": "who wins?", "from_s": None, "until_s": 90.0}),
        ("find", {"query": "a dog", "from_s": None, "until_s": 90.0}),
        ("ask", {"question": "who loses?", "from_s": None, "until_s": 90.0}),
    ]
    assert result.stdout.count("At 1:04:12: the keeper dives left.") == 2


def test_commands_are_known_in_any_case_and_end_where_told(video: FakeVideo, run: Run) -> None:
    result = run("chat", "match.mp4", "--quiet", input="/FIND a dog\n/Help\n/Quit\nwho wins?\n")
    assert result.exit_code == 0
    assert video.calls == [("watch", {}), ("find", {"query": "a dog", "from_s": None, "until_s": None})]
    assert "/find WORDS" in result.stdout


def test_what_was_given_up_of_the_video_is_said_once(video: FakeVideo, run: Run) -> None:
    note = "note: 2 broken frames skipped\n"
    assert run("chat", "match.mp4", input="who wins?\n/find a dog\nwho loses?\n").stdout.count(note) == 1
    assert run("chat", "match.mp4", "--quiet", input="who wins?\n/find a dog\n").stdout.count(note) == 2
    objects = [json.loads(line) for line in run("chat", "match.mp4", "--json", input="a?\nb?\n").stdout.splitlines()]
    assert [o["degradations"] for o in objects] == [["2 broken frames skipped"]] * 2


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("/find", "rewind: /find without words; allowed: what to look for; type: /find a red car\n"),
        ("/look a dog", "rewind: no command /look; allowed: /find WORDS, /help, /quit; type: /help\n"),
    ],
)
def test_a_command_that_cannot_be_is_no_question(video: FakeVideo, run: Run, line: str, complaint: str) -> None:
    result = run("chat", "match.mp4", "--json", input=f"{line}\n/help\n")
    assert result.exit_code == 1
    assert result.stdout == ""
    assert complaint in result.stderr
    assert "/find WORDS   moments" in result.stderr
    assert video.calls == [("watch", {})]


def test_json_gives_one_object_a_question(video: FakeVideo, run: Run) -> None:
    result = run("chat", "match.mp4", "--json", input="who wins?\n/find a dog\n")
    objects = [json.loads(line) for line in result.stdout.splitlines()]
    assert ["answer" in o for o in objects] == [True, False]


def test_a_question_that_fails_does_not_end_the_chat(video: FakeVideo, run: Run, monkeypatch: Any) -> None:
    def ask(question: str, **options: Any) -> Any:
        if question == "too long":
            raise BudgetError("5000 tokens", allowed="at most 1536")
        return FakeVideo.ask(video, question, **options)

    monkeypatch.setattr(video, "ask", ask)
    result = run("chat", "match.mp4", "--quiet", input="too long\nwho wins?\n")
    assert result.exit_code == 1
    assert result.stderr == "rewind: 5000 tokens; allowed: at most 1536\n"
    assert "the keeper" in result.stdout


def test_a_line_that_is_no_text_is_refused_alone(video: FakeVideo, run: Run) -> None:
    result = run("chat", "match.mp4", "--quiet", input=b"a bike\xff?\nwho wins?\n")
    assert result.exit_code == 1
    assert result.stderr.startswith("rewind: a question that is not UTF-8 text; allowed: UTF-8")
    assert result.stderr.count("\n") == 1
    assert [call[0] for call in video.calls] == ["watch", "ask"]
