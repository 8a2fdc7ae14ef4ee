"""Times, sizes and counts as people read them, and as they type them."""

from __future__ import annotations

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st

from rewind.cli import words
from rewind.cli.options import parse_size, parse_time


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0:00:00"), (59.5, "0:01:00"), (3852.4, "1:04:12"), (36000, "10:00:00"), (-1.2, "-0:00:01")],
)
def test_clock(seconds: float, text: str) -> None:
    assert words.clock(seconds) == text


@pytest.mark.parametrize(
    ("start", "end", "text"),
    [
        (505, 507, "0:08:25 – 0:08:27"), (2, 3.5, "0:00:02.0 – 0:00:03.5"), (0, 0.32, "0:00:00.0 – 0:00:00.3"),
        (2.4, 9.6, "0:00:02 – 0:00:10"),
    ],
)  # fmt: skip
def test_a_span_tells_its_ends_apart(start: float, end: float, text: str) -> None:
    assert words.span(start, end) == text


@given(st.integers(0, 10**6))
def test_a_clock_time_is_read_back(seconds: int) -> None:
    assert parse_time(words.clock(seconds)) == seconds
    assert parse_time(words.clock(seconds + 0.5, tenths=True)) == seconds + 0.5


@pytest.mark.parametrize("text", ["", "-1", "1:2:3:4", "nan", "inf", "1e3", "1:", ":1", "x"])
def test_a_time_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="allowed"):
        parse_time(text)


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 bytes"), (999, "999 bytes"), (1000, "1.0 kB"), (416_000_000, "416 MB"), (9_960_000, "10 MB"),
     (999_600_000, "1.0 GB"), (2_500_000_000_000, "2.5 TB")],
)  # fmt: skip
def test_size(count: int, text: str) -> None:
    assert words.size(count) == text


@pytest.mark.parametrize(
    ("text", "count"), [("500MB", 500_000_000), ("2.5gb", 2_500_000_000), ("7", 7), ("1 TB", 10**12)]
)
def test_a_size_is_read(text: str, count: int) -> None:
    assert parse_size(text) == count


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(2.06, "2.1 s"), (45, "45 s"), (180, "3 min"), (4800, "80 min"), (7260, "2 h 1 min"), (7200, "2 h")],
)
def test_length(seconds: float, text: str) -> None:
    assert words.length(seconds) == text


@pytest.mark.parametrize(("seconds", "text"), [(0, "0:00"), (5, "0:05"), (725, "12:05"), (3852, "1:04:12")])
def test_countdown(seconds: float, text: str) -> None:
    assert words.countdown(seconds) == text


def test_a_name_cannot_steer_the_terminal() -> None:
    assert words.plain("a\x1b[2Jb\nc") == "a?[2Jb c"
