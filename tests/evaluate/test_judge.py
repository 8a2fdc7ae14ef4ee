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


ROWS = [{"id": "1", "question": "Q?", "answer": "A", "prediction": "B"}]


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


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9])
@pytest.mark.parametrize("line", [0, 1, 2])
def test_a_record_that_broke_off_is_gone_on_with(files: tuple[Path, Path], line: int, share: float) -> None:
    first = score_moviechat(*files, judge=JUDGE, ask=says)
    record = files[1].with_name("p.judge.jsonl")
    lines = record.read_bytes().splitlines(keepends=True)
    record.write_bytes(b"".join(lines[:line]) + lines[line][: int(share * len(lines[line]))])
    asked: list[str] = []

    def count(text: str) -> str:
        asked.append(text)
        return says(text)

    assert score_moviechat(*files, judge=JUDGE, ask=count).metrics() == first.metrics()
    assert len(asked) == 3 - max(line, 1)
    assert record.read_bytes().splitlines(keepends=True) == lines


def test_a_record_without_its_last_newline_is_gone_on_with(files: tuple[Path, Path]) -> None:
    first = score_moviechat(*files, judge=JUDGE, ask=says)
    record = files[1].with_name("p.judge.jsonl")
    whole = record.read_text()
    record.write_text("\n".join(whole.splitlines()[:2]))
    assert score_moviechat(*files, judge=JUDGE, ask=says).metrics() == first.metrics()
    assert record.read_text() == whole


def test_the_header_is_there_before_the_first_verdict(tmp_path: Path) -> None:
    record = tmp_path / "r.jsonl"

    def stopped(_: str) -> str:
        assert json.loads(record.read_text())["judge"] == "judge-a"
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        judge_all(JUDGE, ROWS, record, ask=stopped)
    assert len(judge_all(JUDGE, ROWS, record, ask=says)) == 1


def test_a_foreign_record_is_refused_and_left_alone(tmp_path: Path) -> None:
    record = tmp_path / "r.jsonl"
    for text in ("notes of mine", '{"id": "1"}', '{"judge": "judge-b", "prompt_sha256": "0"}'):
        record.write_text(text)
        with pytest.raises((ConfigError, JudgeError)):
            judge_all(JUDGE, ROWS, record, ask=says)
        assert record.read_text() == text


def test_a_prompt_keeps_its_own_braces_and_is_filled_once() -> None:
    prompt = "{question}|{answer}|{prediction}|{'pred': 'yes', 'score': 4.8} {} {0} {other}"
    row = {"question": "{answer}?", "answer": r"\1 {prediction}", "prediction": "{question} {x}"}
    filled = Judge(JUDGE.url, "m", prompt).fill(row)
    assert filled == r"{answer}?|\1 {prediction}|{question} {x}|{'pred': 'yes', 'score': 4.8} {} {0} {other}"
    assert JUDGE.fill(row).endswith('{"pred": "yes" or "no", "score": 0 to 5}')


@pytest.mark.parametrize("half", ['{"pred": "yes"}', '{"score": 5}', '{"pred": "yes", "score": 9}'])
def test_half_a_verdict_counts_in_no_figure_and_is_told(files: tuple[Path, Path], half: str) -> None:
    result = score_moviechat(*files, judge=JUDGE, ask=lambda _: half)
    assert result.metrics() == {"Acc": 0.0, "Score": 0.0}
    assert result.unparsed == 3
    assert result.notes[1].startswith("2 of the judge's replies lack")


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
    promised = 0  # bytes that a reply announces and does not send

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.seen.append({"path": self.path, "key": self.headers.get("Authorization"), **body})
        reply = json.dumps({"choices": [{"message": {"content": '{"pred": "yes", "score": 5}'}}]}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(reply) + self.promised))
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
    verdicts = judge_all(Judge(endpoint, "m"), ROWS, record)
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
    with pytest.raises(JudgeError, match="check --judge"):
        judge_all(Judge("http://127.0.0.1:9/v1", "m", timeout_s=2), ROWS, tmp_path / "r.jsonl")
    for address in ("file:///etc/passwd", "http://", "http://[::1/v1", "http://host:port/v1"):
        with pytest.raises(ConfigError, match="http"):
            Judge(address, "m")
    with pytest.raises(ConfigError, match=r"without its blanks \{answer\}, \{prediction\}"):
        Judge("http://x/v1", "m", "{question}")


def test_what_http_cannot_do_is_one_line(endpoint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_Endpoint, "promised", 50)
    with pytest.raises(JudgeError, match="IncompleteRead"):
        judge_all(Judge(endpoint, "m"), ROWS, tmp_path / "r.jsonl")
    with pytest.raises(JudgeError, match="check --judge"):
        Judge("http://127.0.0.1/with space", "m").ask("?")
    monkeypatch.setenv("OPENAI_API_KEY", "secret\nsecret")
    with pytest.raises(JudgeError, match="OPENAI_API_KEY") as caught:
        Judge(endpoint, "m").ask("?")
    assert "secret" not in str(caught.value)
