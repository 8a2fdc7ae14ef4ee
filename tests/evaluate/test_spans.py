"""Stretches of every form that predictions have, and what is none."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rewind.evaluate.spans import span_of


@pytest.mark.parametrize(
    ("answer", "span"),
    [
        ("02:10 - 02:30", (130, 150)),
        ([1, 2.5], (1, 2.5)),
        ([[1, 2], [3, 4]], (1, 2)),
        ([{"start_s": 1, "end_s": 2, "score": 0.9}], (1, 2)),
        ({"start": 1, "end": 2}, (1, 2)),
        (["from 1 to 2 seconds"], (1, 2)),
        ([], None),
        (None, None),
        ([1], None),
        ({"start": None}, None),
        (["x", 2], None),
        ("nowhere", None),
        # each text of a pair is one time
        (["00:12", "00:40"], (12, 40)),
        ([["00:12", "00:40"]], (12, 40)),
        ({"start": "00:12", "end": "00:40"}, (12, 40)),
        ({"start_time": 12, "end_time": 40}, (12, 40)),
        ([{"start_time": "12 s", "end_time": "0:40"}], (12, 40)),
        (["0.0", "10.0"], (0, 10)),
        (["00:12", 40, 0.9], (12, 40)),
        (["00:12"], (12, 12)),
        # texts that tell more than a time are a list
        (["0:10 - 0:20", "0:40 - 0:50"], (10, 20)),
        (["0:10 - 0:20", "0:50"], (10, 20)),
        # what runs backwards or has no end is no stretch, in any form
        ("40 - 12", None),
        ([40, 12], None),
        (["00:40", "00:12"], None),
        ({"start": "00:12"}, None),
        ([12, None], None),
        ([True, False], None),
        ([0, 10**400], None),
        ([0, float("inf")], None),
        (["0", "1e999"], None),
    ],
)
def test_answers_of_every_form(answer: object, span: tuple[float, float] | None) -> None:
    assert span_of(answer, duration_s=None) == span


def test_shares_of_the_video_in_a_pair() -> None:
    assert span_of(["10%", "50%"], duration_s=20.0) == (2, 10)
    assert span_of(["10%", "50%"], duration_s=None) is None


@pytest.mark.parametrize(
    ("answer", "span"),
    [
        # the answer, not the reasoning before it
        ("<think>She sits between 5 and 8 seconds.</think><answer>12.5 to 40.2</answer>", (12.5, 40.2)),
        ("<think>Between 5 and 8 s?</think>\n\n12.5 - 40.2", (12.5, 40.2)),
        ("<think>Between 5 and 8 s, or", None),
        ("<answer>12.5, 40.2</answer>", (12.5, 40.2)),
        ("<timestamp>12.0</timestamp> to <timestamp>40.0</timestamp>", (12, 40)),
        ("<12s> to <40s>", (12, 40)),
        # text that is JSON, or has it inside
        ('{"start_s": 12, "end_s": 40}', (12, 40)),
        ('{"start_sec": 12, "end_sec": 40}', (12, 40)),
        ('{"t_start": 12, "t_end": 40}', (12, 40)),
        ('{"startTime": "00:12", "endTime": "00:40"}', (12, 40)),
        ('{"start (s)": 12.0, "end (s)": 40.0, "duration": 60}', (12, 40)),
        ('[{"start_time": 12, "end_time": 40}, {"start_time": 50, "end_time": 60}]', (12, 40)),
        ('```json\n{"start_sec": 12, "end_sec": 40}\n```', (12, 40)),
        ('Of {"objects": {}} I saw {"event": "runs 3 to 5 laps", "start_sec": 12, "end_sec": 40}.', (12, 40)),
        ('{"answer": "from 12 to 40 seconds"}', (12, 40)),
        ('{"timestamp": [[12, 40]]}', (12, 40)),
        ("[[12.0, 40.0]]", (12, 40)),
        ('{"from": "kitchen", "to": "hall", "event": "3 to 5 laps"}', None),
        ('{"start_s": null, "end_s": null}', None),
        # of two keys for one end the one that names seconds
        ({"start": 300, "end": 1000, "start_s": 12, "end_s": 40}, (12, 40)),
        # minus one is no time
        ([-1, -1], None),
        ("[-1, -1]", None),
        ("[-1.0, -1.0]", None),
        ({"start": -1, "end": -1}, None),
        ('{"start": -1, "end": -1}', None),
        ([-0.2, 3.0], (-0.2, 3.0)),
    ],
)
def test_the_answer_in_what_models_write(answer: object, span: tuple[float, float] | None) -> None:
    assert span_of(answer, duration_s=None) == span


@pytest.mark.parametrize("answer", [[25, 50], "from 25 to 50", {"start": "25", "end": 50}, "[25, 50]", ["25%", "50%"]])
def test_numbers_without_a_unit_may_be_percent(answer: object) -> None:
    assert span_of(answer, duration_s=80.0, bare="percent") == (20, 40)
    assert span_of(answer, duration_s=None, bare="percent") is None


@pytest.mark.parametrize(
    "answer", [{"start_s": 20, "end_sec": 40}, ["20 s", "0:40"], '{"startSeconds": 20, "end (s)": 40}']
)
def test_a_unit_is_never_percent(answer: object) -> None:
    assert span_of(answer, duration_s=80.0, bare="percent") == (20, 40)


@given(st.floats(0, 1e5), st.floats(0, 1e5), st.sampled_from(["start_s", "startTime", "t_start", "begin (sec)"]))
def test_json_in_text_is_what_it_would_be_outside(start: float, length: float, key: str) -> None:
    value = {key: start, "end": start + length}
    assert span_of(json.dumps(value), duration_s=None) == span_of(value, duration_s=None) == (start, start + length)


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 100_000, "{" * 100_000, "<think>" * 20_000, "1" * 5000])
def test_no_text_breaks_or_takes_long(text: str) -> None:
    begun = time.process_time()
    assert span_of(text, duration_s=None) is None
    assert time.process_time() - begun < 1.0
