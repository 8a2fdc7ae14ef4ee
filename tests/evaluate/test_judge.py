"""The judge: what is kept, what is refused, and the figures made of its verdicts."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from rewind.errors import ConfigError
from rewind.evaluate.judge import Judge, JudgeError, judge_all, parse_reply
from rewind.evaluate.moviechat import read_moviechat, score_moviechat

JUDGE = Judge("http://localhost:1/v1", "judge-a")


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    truth = {
        "7_1": {"question": "Day or night?", "answer": "Day.", "video": "7"},
        "7_2": {"question": "How many?", "answer": "Three", "video": "7"},
        "7_3": {"question": "Who?", "answer": "Ann", "video": "7"},
    }
    annotations, predictions = tmp_path / "test.json", tmp_path / "p.jsonl"
    annotations.write_text(json.dumps(truth))
    predictions.write_text('{"question_id": "7_1", "pred": "day"}\n{"id": "7_2", "prediction": "It shows {4}."}\n')
    return annotations, predictions


def says(text: str) -> str:
    return '{"pred": "yes", "score": 5}' if "Predicted answer: day" in text else "{'pred': 'no', 'score': 2}"


def test_accuracy_and_score_by_hand(files: tuple[Path, Path]) -> None:
    result = score_moviechat(*files, judge=JUDGE, ask=says)
    assert result.metrics() == {"Acc": 33.33, "Score": 2.33}
    assert (result.n, result.unparsed) == (3, 1)
    assert "judge-a" in result.notes[0]
    kept = [json.loads(line) for line in files[1].with_name("p.judge.jsonl").read_text().splitlines()]
    assert kept[0]["judge"] == "judge-a"
    assert "{prediction}" in kept[0]["prompt"]
    assert [row["reply"] for row in kept[1:]] == [says("Predicted answer: day"), says("")]


def test_a_judged_record_is_not_judged_again(files: tuple[Path, Path]) -> None:
    first = score_moviechat(*files, judge=JUDGE, ask=says)
    asked: list[str] = []

    def never(text: str) -> str:
        asked.append(text)
        return says(text)

    assert score_moviechat(*files, judge=JUDGE, ask=never).metrics() == first.metrics()
    assert asked == []
    files[1].write_text('{"id": "7_1", "pred": "day"}\n{"id": "7_2", "pred": "three"}\n')  # a new answer is judged
    score_moviechat(*files, judge=JUDGE, ask=never)
    assert len(asked) == 1
    assert "three" in asked[0]


def test_judges_and_prompts_never_mix(files: tuple[Path, Path]) -> None:
    score_moviechat(*files, judge=JUDGE, ask=says)
    with pytest.raises(JudgeError, match="another judge 'judge-a'"):
        score_moviechat(*files, judge=Judge(JUDGE.url, "judge-b"), ask=says)
    with pytest.raises(JudgeError, match="another prompt"):
        score_moviechat(*files, judge=Judge(JUDGE.url, "judge-a", "{question}{answer}{prediction}"), ask=says)


def test_a_reply_that_cannot_be_read_counts_nothing_and_is_told(files: tuple[Path, Path]) -> None:
    result = score_moviechat(*files, judge=JUDGE, ask=lambda _: "As a language model I…")
    assert result.metrics() == {"Acc": 0.0, "Score": 0.0}
    assert result.unparsed == 3
    assert "2 of the judge's replies" in result.notes[1]


def test_without_a_judge_only_exact_words_count(files: tuple[Path, Path]) -> None:
    result = score_moviechat(*files)
    assert result.metrics() == {"Exact": 33.33}
    assert "need a judge" in result.notes[0]


def test_global_and_breakpoint_questions_have_their_own_figures(tmp_path: Path) -> None:
    item = {
        "info": {"video_path": "m.mp4", "fps": 25},
        "global": [{"question": "Where?", "answer": "sea"}],
        "breakpoint": [{"time": 250, "question": "What now?", "answer": "boat"}],
    }
    annotations, predictions = tmp_path / "m.json", tmp_path / "p.json"
    annotations.write_text(json.dumps(item))
    predictions.write_text(json.dumps({"m_g0": "sea", "m_b0": "fish"}))
    assert [q.at_s for q in read_moviechat(annotations)] == [None, 10.0]
    result = score_moviechat(annotations, predictions)
    assert result.metrics() == {"Exact": 50.0, "Exact-global": 100.0, "Exact-breakpoint": 0.0}


@pytest.mark.parametrize(
    ("reply", "read"),
    [
        ('{"pred": "yes", "score": 4}', (True, 4.0)),
        ("{'pred': 'no', 'score': 0}", (False, 0.0)),
        ('Sure! ```json\n{"pred": "Yes", "score": 4.5}\n```', (True, 4.5)),
        ('{"pred": "yes"}', (True, None)),
        ('{"pred": "maybe", "score": 9}', (None, None)),
        ("", (None, None)),
    ],
)
def test_replies(reply: str, read: tuple[bool | None, float | None]) -> None:
    assert parse_reply(reply) == read


class _Endpoint(BaseHTTPRequestHandler):
    seen: list[dict[str, Any]] = []  # noqa: RUF012

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.seen.append({"path": self.path, "key": self.headers.get("Authorization"), **body})
        reply = json.dumps({"choices": [{"message": {"content": '{"pred": "yes", "score": 5}'}}]}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(reply)))
        self.end_headers()
        self.wfile.write(reply)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def endpoint() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), _Endpoint)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/v1/"
    server.shutdown()
    thread.join()
    server.server_close()


def test_an_endpoint_is_asked_in_the_common_way(endpoint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "k")
    record = tmp_path / "r.jsonl"
    rows = [{"id": "1", "question": "Q?", "answer": "A", "prediction": "B"}]
    verdicts = judge_all(Judge(endpoint, "m"), rows, record)
    assert [(v.correct, v.score) for v in verdicts] == [(True, 5.0)]
    sent = _Endpoint.seen[-1]
    assert (sent["path"], sent["key"], sent["model"], sent["temperature"]) == (
        "/v1/chat/completions",
        "Bearer k",
        "m",
        0,
    )
    assert "Bearer" not in record.read_text()


def test_an_endpoint_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    rows = [{"id": "1", "question": "Q?", "answer": "A", "prediction": "B"}]
    with pytest.raises(JudgeError, match="check --judge"):
        judge_all(Judge("http://127.0.0.1:9/v1", "m", timeout_s=2), rows, tmp_path / "r.jsonl")
    with pytest.raises(ConfigError, match="http"):
        Judge("file:///etc/passwd", "m")
    with pytest.raises(ConfigError, match="blanks"):
        Judge("http://x/v1", "m", "no blanks")
