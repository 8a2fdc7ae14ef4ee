"""Times in text: the forms that models write, and what is no time."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rewind.clock import format_time
from rewind.language.times import READ, parse_moments, parse_span

ONE = [
    ("02:10 - 02:30", (130, 150)),
    ("2:10-2:30", (130, 150)),
    ("00:02:10 to 00:02:30", (130, 150)),
    ("00:02:10,500 --> 00:02:30,250", (130.5, 150.25)),
    ("1:04:12.5 – 1:05:00", (3852.5, 3900)),
    ("75:30 - 76:00", (4530, 4560)),
    ("[02:10, 02:30]", (130, 150)),
    ("[02:10,02:30]", (130, 150)),
    ("130.0 - 150.0", (130, 150)),
    ("130.0 – 150.0 seconds", (130, 150)),
    ("The given query happens in 20.8 - 30.0 seconds.", (20.8, 30)),
    ("from 12 to 40 seconds", (12, 40)),
    ("From 12s to 40s.", (12, 40)),
    ("from second 12 to second 40", (12, 40)),
    ("12 seconds to 40 seconds", (12, 40)),
    ("between 12 and 40", (12, 40)),
    ("between 12 seconds and 40 seconds", (12, 40)),
    ("The event takes place between 1:20 and 1:40 of the video", (80, 100)),
    ("between 1 and 2 minutes", (60, 120)),
    ("from 1.5 min to 2 min", (90, 120)),
    ("1m20s - 1m45s", (80, 105)),
    ("1h2m3s to 1h2m10s", (3723, 3730)),
    ("2 minutes 5 seconds to 2 minutes 30 seconds", (125, 150)),
    ("from 2 minutes and 5 seconds until 2 minutes and 30 seconds", (125, 150)),
    ("It starts at 12.5 and ends at 40", (12.5, 40)),
    ("It starts at 12.5s and ends at 40s", (12.5, 40)),
    ("Start: 12, End: 40", (12, 40)),
    ("start time: 12.0s, end time: 40.0s", (12, 40)),
    ('{"start": 12.0, "end": 40.0}', (12, 40)),
    ("[12.0, 40.0]", (12, 40)),
    ("(12, 40)", (12, 40)),
    ("12, 40", (12, 40)),
    ("12-40", (12, 40)),
    ("12s-40s", (12, 40)),
    ("12 -> 40", (12, 40)),
    ("**12** to **40** seconds", (12, 40)),
    ("from about 12 to around 40 seconds", (12, 40)),
    ("from 12% to 30%", (24, 60)),
    ("12 to 30 %", (24, 60)),
    ("between 12 percent and 30 percent of the video", (24, 60)),
    ("at 75 s", (75, 75)),
    ("At 1:15 the keeper dives", (75, 75)),
    ("It happens at 75", (75, 75)),
    ("1m20s", (80, 80)),
    ("at the 50% mark", (100, 100)),
    ("12\u201140 s", (12, 40)),
    ("12 sec. to 40 sec.", (12, 40)),
    ("from the 12-second mark to the 40-second mark", (12, 40)),
    ("from the 12th to the 40th second", (12, 40)),
    ("from minute 1 to 2", (60, 120)),
    ("minute 1 to minute 2", (60, 120)),
    ("from 1 min to 1 min 20", (60, 80)),
    ("- Start: 12.0s\n- End: 40.0s", (12, 40)),
    ("Start: 12s | End: 40s", (12, 40)),
    ("start 12s; end 40s", (12, 40)),
    ("starts at 0:12 and lasts until 0:40", (12, 40)),
    ("It begins at 0:12 and continues until 0:40", (12, 40)),
    ("It starts 12 seconds into the video and concludes at 40 seconds", (12, 40)),
    ("starts at 0:12 and lasts for about 28 seconds", (12, 40)),
    ("at 12 s for 28 s", (12, 40)),
    ("Start: 0:12, duration: 28 s", (12, 40)),
    ("t=12s to t=40s", (12, 40)),
    ("from timestamp 0:12 to timestamp 0:40", (12, 40)),
    ("~12s to ~40s", (12, 40)),
    ("0:12 => 0:40", (12, 40)),
    ("12s..40s", (12, 40)),
    ("1,200 to 1,300 seconds", (1200, 1300)),
    ("[120,140]", (120, 140)),
    ("12,5 s - 40,5 s", (12.5, 40.5)),
    ("12,5 - 40,5 s", (12.5, 40.5)),
    ("time frame: 12 - 40", (12, 40)),
    ("frame 12 (0.5 s) to frame 40 (1.6 s)", (0.5, 1.6)),
    # a colon, and words behind it
    ("00:12 - 00:40: the man runs", (12, 40)),
    ("From 00:12 to 00:40: the man", (12, 40)),
    ("0:12: the man enters", (12, 12)),
    ("12.0 - 40.0: the man runs", (12, 40)),
    ("Start:12s, End:40s", (12, 40)),
    ("start:00:12,end:00:40", (12, 40)),
    # a scene's number is no time
    ("Scene 2 - 00:12 to 00:40", (12, 40)),
    ("Scene 2 - 12 s to 40 s", (12, 40)),
    ("clip 2: 12-40", (12, 40)),
    ("segment 12 - 40 s", (12, 40)),
    # words that nothing is counted in
    ("12.0 to 40.0 he sits", (12, 40)),
    ("12.0 to 40.0 a man sits", (12, 40)),
    ("from 12 to 40 then", (12, 40)),
    ("from 12.0 to 40.0 approximately", (12, 40)),
    ("from 00:12 (start) to 00:40 (end)", (12, 40)),
    ("00:12 and finishes by 00:40", (12, 40)),
    ("starts at 12.0 seconds and its duration is 28 seconds", (12, 40)),
    ("at 0:12 with a duration of 28 seconds", (12, 40)),
    ("1'12\" to 1'40\"", (72, 100)),
    ("1'12.5'' - 1'40''.", (72.5, 100)),
    ("the first 12 seconds", (0, 12)),
    ("during the first 20%", (0, 40)),
    ("in the last 12 seconds", (188, 200)),
    ("the first 12-second mark", (12, 12)),
    ("They last 12 seconds", (12, 12)),
    # from one end of the video, or to the other
    ("from 1:05 to the end", (65, 200)),
    ("From 65 s until the very end of the video.", (65, 200)),
    ("from 50% to the end", (100, 200)),
    ("from the beginning until 0:12", (0, 12)),
    ("from the start of the clip to 12 seconds", (0, 12)),
    ("from 12 s to the end of the song", (12, 12)),  # which ends when is not said
    ("At 5 s the man runs to the end.", (5, 5)),
    ("from 1:05 to end", (65, 200)),
    ("1:05 - end", (65, 200)),
    ("65 s to the end of video", (65, 200)),
    ("starts at 1:05 and continues until the end of the video", (65, 200)),
    ("from 0:12 all the way to the end.", (12, 200)),
    # a mark between the units of one time
    ("1 min. 12 sec. to 1 min. 40 sec.", (72, 100)),
    ("1 hr. 2 min. 3 sec. to 1 hr. 2 min. 30 sec.", (3723, 3750)),
    ("02m:10s - 02m:30s", (130, 150)),
    # start and end told as such, and more between them
    ("The event starts at 12 seconds when the man opens the door and ends at 40 seconds.", (12, 40)),
    ("Start time: 00:12 (approx.)\nEnd time: 00:40 (approx.)", (12, 40)),
    ("The start time is 12 s and the end time is 40 s", (12, 40)),
    ("The start time is 12 and the end time is 40.", (12, 40)),
    ("The action starts at 12.4 s. The action ends at 40.2 s.", (12.4, 40.2)),
    ("The man starts running at 0:12. He ends his run at 0:40.", (12, 40)),
    ("It started at 0:12 and stopped when he fell at 0:40", (12, 40)),
    # other words
    ("0:12 up until 0:40", (12, 40)),
    ("from 12 up until 40 seconds", (12, 40)),
    ("0:12 thru 0:40", (12, 40)),
    ("from 0:12 all the way to 0:40", (12, 40)),
    ("0:12 (for 28 seconds)", (12, 40)),
    ("from minute 1:05 to minute 1:20", (65, 80)),
    ("+12 to +40 s", (12, 40)),
    # other signs
    ("between 12 & 40 seconds", (12, 40)),
    (".5 - 1.5", (0.5, 1.5)),
    ("02：10 － 02：30", (130, 150)),
    ("０２:10 ～ 02:30", (130, 150)),
    ("02:10 ― 02:30", (130, 150)),
]


@pytest.mark.parametrize(("text", "span"), ONE)
def test_every_form_that_models_write(text: str, span: tuple[float, float]) -> None:
    assert parse_moments(text, duration_s=200.0) == (pytest.approx(span),)
    assert parse_span(f"Answer: {text}", duration_s=200.0) == pytest.approx(span)


@pytest.mark.parametrize(
    ("text", "spans"),
    [
        ("0:10 - 0:20 and 0:40 - 0:50", [(10, 20), (40, 50)]),
        ("10.0 - 20.0, 40.0 - 50.0 seconds", [(10, 20), (40, 50)]),
        ("[[10, 20], [40, 50]]", [(10, 20), (40, 50)]),
        ("from 10 to 20 seconds, then from 40 to 50 seconds", [(10, 20), (40, 50)]),
        ("1. 00:10-00:20\n2. 00:40-00:50", [(10, 20), (40, 50)]),
        ("at 5 s and at 9 s", [(5, 5), (9, 9)]),
        ("2 dogs at 5 s", [(5, 5)]),
        ("5 s: 2 dogs", [(5, 5)]),
        ("It starts at 5 s; 2 dogs run until she stops at 9 s", [(5, 5), (9, 9)]),
        ("It starts at 5 s. It ends badly. Later, at 9 s, he sits", [(5, 5), (9, 9)]),
        ("He begins to run at 10 s. The video ends at 60 s.", [(10, 10), (60, 60)]),
        ("The car starts at 0:05 and the race ends at 1:20", [(5, 5), (80, 80)]),
        ("The man starts at 0:05; the dog stops at 0:09", [(5, 5), (9, 9)]),
        ("He ends at 5 s and she starts at 9 s", [(5, 5), (9, 9)]),
        ("Start: 5 s, end: 9 s. Start: 20 s, end: 30 s", [(5, 9), (20, 30)]),
        (
            "1. starts at 0:10 (door opens), ends at 0:20\n2. starts at 0:40 (door shuts), ends at 0:50",
            [(10, 20), (40, 50)],
        ),
    ],
)
def test_several_moments(text: str, spans: list[tuple[float, float]]) -> None:
    assert parse_moments(text) == tuple(spans)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "I cannot find it.",
        "There are 3 dogs.",
        "3 to 5 dogs",
        "between 2 and 3 people",
        "12% to 30%",
        "40 to 12 seconds",
        "75",
        "1:75 - 1:90",
        "00:00:10:12 - 00:00:12:03",
        "model v1.2.3",
        "The 2 men and 3 women",
        "nan to inf seconds",
        "12 40",
        "frame 100 to frame 200",
        "frames 30-60",
        "12: 40",
        "3 to 5 a day",
        "from 2 to 3 dogs",
        "2 to 3 at the table",
        "He is 5'10\" tall",
        "5'10\" and 6'1\"",
        "the last 12 seconds",
        "[-1, -1]",
        "from -1 to -1",
        "-1 s to -1 s",
        "Start: -1.0, End: -1.0",
        "from 12 to -1",
        "1" * 30 + " - " + "2" * 30 + " s",
    ],
)
def test_what_is_no_time_is_none(text: str) -> None:
    assert parse_moments(text) is None
    assert parse_span(text) is None


def test_a_stretch_counts_before_an_instant() -> None:
    assert parse_span("At 0:05 she enters; she speaks from 0:10 to 0:20.") == (10, 20)


def test_bare_numbers_may_be_shares() -> None:
    assert parse_span("from 25 to 50", duration_s=80.0, bare="percent") == (20, 40)
    assert parse_span("from 25 to 50", bare="percent") is None
    assert parse_span("from 25 s to 50 s", duration_s=80.0, bare="percent") == (25, 50)


@pytest.mark.parametrize(
    ("seconds", "clock"),
    [(0, "0:00"), (12, "0:12"), (59.6, "1:00"), (130, "2:10"), (3852, "1:04:12"), (36000, "10:00:00"), (-3, "-0:03")],
)
def test_clock_times(seconds: float, clock: str) -> None:
    assert format_time(seconds) == clock


@pytest.mark.parametrize("unit", ["1", "1,", "1, ", "12 to ", "%1,", "from ", "0:12 ", "[", "1second it ", "1'1 "])
def test_no_text_takes_long(unit: str) -> None:
    """Some took seconds, in proportion to their length squared and worse."""
    begun = time.process_time()
    parse_moments(unit * 20_000, duration_s=100.0)
    assert time.process_time() - begun < 0.5


def test_only_the_beginning_of_a_text_is_read() -> None:
    assert parse_span("0:10 - 0:20." + " and so on" * 500 + " 0:30 - 0:40") == (10, 20)
    assert parse_span("x" * (READ - 1) + " 12 s") is None
    assert parse_span(" " * (READ - 4) + "12 s " + "word " * 9) == (12, 12)
    assert parse_span(" " * (READ - 3) + "12.75 - 99 s") is None  # a number that the cut divides is none


def test_clock_times_with_decimals() -> None:
    assert format_time(12.34, decimals=1) == "0:12.3"
    assert format_time(59.96, decimals=1) == "1:00.0"
    assert format_time(float("nan")) == "?"


@given(st.integers(0, 10**7), st.integers(1, 10**6), st.sampled_from([" - ", "-", " to ", " – ", " until ", " --> "]))
def test_written_stretches_are_read_back(start_ms: int, length_ms: int, joint: str) -> None:
    start, end = start_ms / 1000, (start_ms + length_ms) / 1000
    clock = f"{format_time(start, decimals=3)}{joint}{format_time(end, decimals=3)}"
    assert parse_span(clock) == pytest.approx((start, end))
    assert parse_span(f"{start:.3f}{joint}{end:.3f} seconds") == pytest.approx((start, end))
    assert parse_span(f"from {start:.3f}s to {end:.3f}s") == pytest.approx((start, end))


@given(st.integers(0, 10**6))
def test_written_instants_are_read_back(seconds: int) -> None:
    assert parse_moments(format_time(seconds)) == ((seconds, seconds),)


@given(st.text(max_size=80))
def test_any_text_gives_spans_in_order_or_none(text: str) -> None:
    moments = parse_moments(text, duration_s=100.0)
    assert moments is None or all(0 <= a <= b for a, b in moments)
