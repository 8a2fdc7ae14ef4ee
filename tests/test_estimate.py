"""What watching will cost: frames, seconds and bytes follow from the probe; without a length nothing is claimed."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rewind.estimate import DECODE_S_PER_MPIX, ENCODE_FP32_S, ENCODE_S, GIGA_FP32_S, GIGA_S, estimate
from rewind.store import Manifest, Recipe
from rewind.store.shards import ShardEntry
from rewind.timeline import Clock
from rewind.values import FrameCount, VideoInfo

INFO = VideoInfo("a.mp4", "mp4", "h264", 1000, 500, 0, Fraction(1, 90000), 0, 61.5, 24.0, 1476, None, False, False)


@pytest.mark.parametrize(("bf16", "frame_s"), [(True, ENCODE_S), (False, ENCODE_FP32_S)])
def test_a_minute_costs_its_pixels_and_its_frames(bf16: bool, frame_s: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rewind.estimate.cores", lambda: 3)
    got = estimate(INFO, fps=Fraction(1), reading="exact", frame_bytes=100, bf16=bf16)
    assert (got.frames, got.store_bytes, got.stored) == (62, 6200, False)
    work = 0.5 * 24 * 61.5 * DECODE_S_PER_MPIX + 62 * frame_s
    assert got.seconds == pytest.approx(work / 3)


@pytest.mark.parametrize(("bf16", "giga_s"), [(True, GIGA_S), (False, GIGA_FP32_S)])
def test_a_second_encoder_costs_its_work(bf16: bool, giga_s: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rewind.estimate.cores", lambda: 2)
    alone, both = (
        estimate(INFO, fps=Fraction(1), reading="exact", frame_bytes=1, bf16=bf16, more_work=work)
        for work in (0, 4_300_000_000)
    )
    assert alone.seconds is not None
    assert both.seconds == pytest.approx(alone.seconds + 62 * 4.3 * giga_s / 2)


def test_without_a_length_nothing_is_claimed() -> None:
    got = estimate(replace(INFO, duration_s=None), fps=Fraction(1), reading="exact", frame_bytes=100)
    assert (got.frames, got.seconds, got.store_bytes, got.stored) == (None, None, None, False)


def test_of_what_was_watched_the_store_is_believed() -> None:
    recipe = Recipe("1", "exact", "fp16", "encoder", "hash")
    shard = ShardEntry("0.safetensors", 0, 3, 2, 777, 0)
    watched = Manifest({}, recipe, Clock(0, Fraction(1), Fraction(1)), (shard,), True, FrameCount(3, 2, 1))
    got = estimate(replace(INFO, duration_s=None), fps=Fraction(1), reading="exact", frame_bytes=100, watched=watched)
    assert (got.frames, got.seconds, got.store_bytes, got.stored) == (3, 0.0, 777, True)


@given(seconds=st.floats(0.001, 1e5), rate=st.fractions(Fraction(1, 100), 30))
def test_cheaper_reading_never_costs_more_and_every_video_has_a_frame(seconds: float, rate: Fraction) -> None:
    info = replace(INFO, duration_s=seconds, average_rate=None)
    costs = [estimate(info, fps=rate, reading=reading, frame_bytes=1) for reading in ("exact", "fast", "keyframes")]
    assert [c.frames for c in costs] == [max(1, math.ceil(seconds * rate))] * 3
    assert costs[0].seconds >= costs[1].seconds >= costs[2].seconds > 0  # type: ignore[operator]
