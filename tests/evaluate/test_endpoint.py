"""The endpoint of a judge, behind a real HTTP server: what is sent, what is asked again, what is told."""

from __future__ import annotations

import email.utils
import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from rewind.evaluate import endpoint
from rewind.evaluate.endpoint import WAITS_S, JudgeError
from rewind.evaluate.judge import Judge, judge_all
from rewind.evaluate.moviechat import OpenQuestion, aggregate

ROWS = [{"id": i, "question": "Q?", "answer": "A", "prediction": "B"} for i in ("1", "2")]
GOOD = {"choices": [{"message": {"content": '{"pred": "yes", "score": 5}'}}]}
TEMPERATURE = {"error": {"message": "Unsupported value: 'temperature' does not support 0 with this model."}}


@dataclass
class Server:
    """`replies` are (status, headers, body), each given once; then come good ones. `seen` is what was asked."""

    url: str = ""
    replies: list[tuple[int, dict[str, str], Any]] = field(default_factory=list)
    seen: list[dict[str, Any]] = field(default_factory=list)
    promised: int = 0  # bytes that a reply announces and does not send


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            made.seen.append({"path": self.path, "key": self.headers.get("Authorization"), **body})
            status, headers, reply = made.replies.pop(0) if made.replies else (200, {}, GOOD)
            data = reply.encode() if isinstance(reply, str) else json.dumps(reply).encode()
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(data) + made.promised))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: Any) -> None:
            pass

    http = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    made.url = f"http://127.0.0.1:{http.server_port}/v1/"
    yield made
    http.shutdown()
    thread.join()
    http.server_close()


@pytest.fixture
def waited(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The waits that were asked for, none of them waited."""
    waits: list[float] = []
    monkeypatch.setattr(endpoint, "_sleep", waits.append)
    return waits


def test_it_is_asked_in_the_common_way(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "k")
    record = tmp_path / "r.jsonl"
    verdicts = judge_all(Judge(server.url, "m"), ROWS[:1], record)
    assert [(v.correct, v.score) for v in verdicts] == [(True, 5.0)]
    sent = server.seen[-1]
    assert (sent["path"], sent["key"], sent["model"]) == ("/v1/chat/completions", "Bearer k", "m")
    assert sent["temperature"] == 0
    assert "Bearer" not in record.read_text()
    assert "'k'" not in repr(Judge(server.url, "m").endpoint())


def test_what_is_not_there_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(JudgeError, match="check --judge"):
        judge_all(Judge("http://127.0.0.1:9/v1", "m", timeout_s=2), ROWS, tmp_path / "r.jsonl")


def test_what_http_cannot_do_is_one_line(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server.promised = 50
    with pytest.raises(JudgeError, match="IncompleteRead"):
        judge_all(Judge(server.url, "m"), ROWS, tmp_path / "r.jsonl")
    with pytest.raises(JudgeError, match="check --judge"):
        Judge("http://127.0.0.1/with space", "m").endpoint().ask("?")
    monkeypatch.setenv("OPENAI_API_KEY", "secret\nsecret")
    with pytest.raises(JudgeError, match="OPENAI_API_KEY") as caught:
        Judge(server.url, "m").endpoint().ask("?")
    assert "secret" not in str(caught.value)


def test_a_refusal_is_told_in_its_own_words(
    server: Server, waited: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    server.replies = [(401, {}, "Wrong key\nsk-secret " + "x" * 500), (400, {}, "")]
    with pytest.raises(JudgeError, match="HTTP 401: Wrong key … xxx") as caught:
        Judge(server.url, "m").endpoint().ask("?")
    assert "sk-secret" not in str(caught.value)
    assert 100 < str(caught.value).count("x") <= 200
    with pytest.raises(JudgeError, match="HTTP 400: Bad Request; check --judge"):
        Judge(server.url, "m").endpoint().ask("?")
    assert waited == []


@pytest.mark.parametrize("status", [302, 307])
def test_the_key_follows_no_redirect(server: Server, monkeypatch: pytest.MonkeyPatch, status: int) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    elsewhere = server.url.replace("127.0.0.1", "localhost") + "other"
    server.replies = [(status, {"Location": elsewhere}, "elsewhere")]
    with pytest.raises(JudgeError, match=f"HTTP {status}: elsewhere"):
        Judge(server.url, "m").endpoint().ask("?")
    assert [seen["path"] for seen in server.seen] == ["/v1/chat/completions"]


@pytest.mark.parametrize("status", [429, 500, 503, 529])
def test_a_busy_endpoint_is_asked_again(server: Server, waited: list[float], tmp_path: Path, status: int) -> None:
    server.replies = [(status, {}, "busy")] * 2
    assert len(judge_all(Judge(server.url, "m"), ROWS, tmp_path / "r.jsonl")) == 2
    assert waited == list(WAITS_S[:2])
    assert len(server.seen) == 4


def test_it_is_asked_again_a_few_times_only(server: Server, waited: list[float]) -> None:
    server.replies = [(503, {}, {"error": "overloaded"})] * 9
    with pytest.raises(JudgeError, match=r'HTTP 503: {"error": "overloaded"}; check --judge; what was judged'):
        Judge(server.url, "m").endpoint().ask("?")
    assert waited == list(WAITS_S)
    assert len(server.seen) == len(WAITS_S) + 1


def test_the_wait_is_what_the_endpoint_asks_for(server: Server, waited: list[float]) -> None:
    date = email.utils.formatdate(time.time() + 30, usegmt=True)
    past = email.utils.formatdate(time.time() - 30, usegmt=True)
    server.replies = [(429, {"Retry-After": value}, "") for value in ("7", date, past, "soon")]
    Judge(server.url, "m").endpoint().ask("?")
    assert waited == [7.0, pytest.approx(30, abs=5), 0.0, WAITS_S[3]]


def test_nobody_waits_an_hour(server: Server, waited: list[float]) -> None:
    server.replies = [(429, {"Retry-After": "3600"}, "quota")]
    with pytest.raises(JudgeError, match="HTTP 429, asks to wait 3600 s: quota"):
        Judge(server.url, "m").endpoint().ask("?")
    assert waited == []


def test_a_temperature_that_is_refused_is_left_out_and_told(
    server: Server, waited: list[float], tmp_path: Path
) -> None:
    server.replies = [(400, {}, TEMPERATURE)]
    record = tmp_path / "r.jsonl"
    verdicts = judge_all(Judge(server.url, "m"), ROWS, record)
    assert ["temperature" in sent for sent in server.seen] == [True, False, False]
    assert [json.loads(line)["temperature"] for line in record.read_text().splitlines()[1:]] == [None, None]
    assert judge_all(Judge(server.url, "m"), ROWS, record) == verdicts
    asked = [OpenQuestion(row["id"], "v", row["question"], row["answer"]) for row in ROWS]
    assert aggregate(asked, verdicts).notes[0].startswith("2 of the judge's replies are at its own temperature")
    server.replies = [(400, {}, TEMPERATURE)] * 2
    with pytest.raises(JudgeError, match="does not support 0"):
        Judge(server.url, "m").endpoint().ask("?")


@pytest.mark.parametrize(
    ("reply", "line"),
    [
        ({"choices": [{"message": {"content": None}, "finish_reason": "length"}]}, r"a reply without words \(length\)"),
        ({"choices": [{"message": {"content": None, "refusal": "I will not"}}]}, r"without words \(I will not\)"),
        ({"choices": [{"message": {"content": " \n"}, "finish_reason": "length"}]}, r"without words \(length\)"),
        ({"choices": []}, "a reply of another form; allowed: an OpenAI chat completion"),
        ("<html>", "a reply of another form"),
        ({"choices": ["words"]}, "a reply of another form"),
    ],
)
def test_a_reply_of_no_words_is_an_error_and_not_kept(server: Server, tmp_path: Path, reply: Any, line: str) -> None:
    server.replies = [(200, {}, GOOD), (200, {}, reply)]
    record = tmp_path / "r.jsonl"
    with pytest.raises(JudgeError, match=line):
        judge_all(Judge(server.url, "m"), ROWS, record)
    assert record.read_text().count("\n") == 2  # the header and the first verdict
    assert len(judge_all(Judge(server.url, "m"), ROWS, record)) == 2
