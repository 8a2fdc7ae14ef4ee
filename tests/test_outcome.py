"""What is known of a video once it was watched; its length, with real files, in test_video_handle."""

from __future__ import annotations

from fractions import Fraction

from rewind.outcome import count_frames
from rewind.timeline import Clock


def test_frames_counted_by_hand() -> None:
    clock = Clock(0, Fraction(1, 1000), Fraction(1, 20))
    gaps = ((60_000, 9_080_000),)  # sampled from 3 to 183 (exclusive), then again from 454 on
    for stop, rows, want in (
        (3, 3, (3, 3, 0)),
        (183, 181, (183, 181, 2)),
        (300, 183, (183, 183, 0)),
        (460, 189, (189, 189, 0)),
        (460, 187, (189, 187, 2)),
    ):
        count = count_frames(clock, gaps, stop=stop, rows=rows)
        assert (count.sampled, count.read, count.skipped) == want
    assert count_frames(clock, (), stop=460, rows=189).skipped == 271
