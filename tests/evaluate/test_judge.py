"""The judge: what is kept, what is refused, and the figures made of its verdicts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rewind.errors import ConfigError
from rewind.evaluate.endpoint import JudgeError
from rewind.evaluate.judge import Judge, judge_all, parse_reply
from rewind.evaluate.moviechat import read_moviechat, score_moviechat
from rewind.evaluate.tasks import read_tasks

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
    for address in ("file:///etc/passwd", "http://", "http://[::1/v1", "http://host:port/v1"):
        with pytest.raises(ConfigError, match="http"):
            Judge(address, "m")
    with pytest.raises(ConfigError, match=r"without its blanks \{answer\}, \{prediction\}"):
        Judge("http://x/v1", "m", "{question}")


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


@pytest.mark.parametrize("blank", ["None", " "])
def test_kept_replies_are_read_anew(files: tuple[Path, Path], blank: str) -> None:
    """Older versions read the thinking, and kept "None" or nothing for a reply of no words."""
    score_moviechat(*files, judge=JUDGE, ask=says)
    record = files[1].with_name("p.judge.jsonl")
    head, one, two = (json.loads(line) for line in record.read_text().splitlines())
    one.update(correct=True, score=0.0, reply='<think>{"pred": "yes", "score": 0}</think>{"pred": "no", "score": 3}')
    two.update(correct=None, score=None, reply=blank)
    del one["temperature"], two["temperature"]
    record.write_text("".join(json.dumps(row) + "\n" for row in (head, one, two)))
    asked: list[str] = []
    result = score_moviechat(*files, judge=JUDGE, ask=lambda text: asked.append(text) or says(text))
    assert result.metrics() == {"Acc": 0.0, "Score": 1.67}
    assert len(asked) == 1
    assert "It shows {4}." in asked[0]


def test_the_answer_is_judged_and_not_the_thinking(files: tuple[Path, Path]) -> None:
    files[1].write_text(
        '{"id": "7_1", "pred": "<think>night?</think><answer>Day.</answer>"}\n{"id": "7_2", "pred": "<think>"}\n'
    )
    result = score_moviechat(*files)
    assert (result.metrics(), result.unparsed) == ({"Exact": 33.33}, 2)
    asked: list[str] = []
    score_moviechat(*files, judge=JUDGE, ask=lambda text: asked.append(text) or says(text))
    assert [text.partition("Predicted answer: ")[2].partition("\n")[0] for text in asked] == ["Day."]


def test_without_a_judge_only_exact_words_count(files: tuple[Path, Path]) -> None:
    result = score_moviechat(*files)
    assert result.metrics() == {"Exact": 33.33}
    assert "need a judge" in result.notes[0]
    assert len(result.notes) == 1


def test_of_several_predictions_the_last_counts_and_is_told(files: tuple[Path, Path]) -> None:
    name = read_moviechat(files[0])[0].id
    rows = [{"id": name, "prediction": words} for words in ("one", "two", read_moviechat(files[0])[0].answer)]
    files[1].write_text("".join(json.dumps(row) + "\n" for row in rows))
    result = score_moviechat(*files)
    assert result.metrics() == {"Exact": 33.33}
    assert result.notes[1].startswith("2 predictions are of queries that were predicted before")


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


def test_a_video_keeps_the_dots_of_its_name(tmp_path: Path) -> None:
    path = tmp_path / "m.json"
    path.write_text(
        json.dumps(
            {"info": {"video_path": "clip.v2.mp4", "fps": 25}, "global": [{"question": "Where?", "answer": "sea"}]}
        )
    )
    assert [task.video for task in read_tasks("moviechat", path)] == ["clip.v2"]
    path.write_text(json.dumps({"1": {"question": "Where?", "answer": "sea", "video": "Rori_360.0_510.0"}}))
    assert [task.video for task in read_tasks("moviechat", path)] == ["Rori_360.0_510.0"]


@pytest.mark.parametrize(
    ("reply", "read"),
    [
        ('{"pred": "yes", "score": 4}', (True, 4.0)),
        ("{'pred': 'no', 'score': 0}", (False, 0.0)),
        ('Sure! ```json\n{"pred": "Yes", "score": 4.5}\n```', (True, 4.5)),
        ('{"pred": "yes"}', (True, None)),
        ('{"pred": "maybe", "score": 9}', (None, None)),
        ("", (None, None)),
        # what it thinks is no verdict, nor is an echo of what was asked
        (
            '<think>I must reply {"pred": "yes" or "no", "score": 0 to 5}.</think>\n{"pred": "no", "score": 1}',
            (False, 1.0),
        ),
        ('I must reply {"pred": "yes" or "no", "score": 0 to 5}.\n{"pred": "no", "score": 1}', (False, 1.0)),
        ("{\"pred\": \"no\", \"score\": 1}, as asked: {'pred': 'yes', 'score': 5}", (False, 1.0)),
        ('{"pred": "yes" or "no", "score": 0 to 5}', (None, None)),
        ('{"pred": "yes", "score": 5} No, rather {"pred": "no", "score": 1}', (False, 1.0)),
        ('{"pred": "no", "score": 1} {"pred": "yes"}', (False, 1.0)),
        ('<think>{"pred": "yes", "score": 5}', (None, None)),
        ('{"score": "4/5", "pred": "yes"}', (True, 4.0)),
        ('{"pred": "yes", "score": 4, "why": {"same": true}}', (True, 4.0)),
        ("pred: yes\nscore: 4.5.", (True, 4.5)),
        ("pred: yes score: 10", (True, None)),
    ],
)
def test_replies(reply: str, read: tuple[bool | None, float | None]) -> None:
    assert parse_reply(reply) == read
