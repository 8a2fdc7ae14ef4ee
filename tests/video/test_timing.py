"""Sample numbers and presentation times, against exact fractions."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from rewind.timeline import Clock
from rewind.video.timing import HOLD_S, Grid, Sampler, shown

BASES = st.sampled_from([Fraction(1, 90_000), Fraction(1, 1000), Fraction(1, 30), Fraction(1, 12_800), Fraction(1)])
RATES = st.fractions(min_value=Fraction(1, 30), max_value=120, max_denominator=1001)
settings.register_profile("video", deadline=None)
settings.load_profile("video")
STARTS = st.integers(-100_000, 100_000)


@given(base=BASES, fps=RATES, start=STARTS, k=st.integers(0, 10**7))
def test_limit_is_the_greatest_pts_not_after_the_instant(base: Fraction, fps: Fraction, start: int, k: int) -> None:
    clock = Clock(start, base, fps)
    limit = Grid.of(clock).pts_limit(k)
    assert limit == clock.pts_limit(k)
    assert limit * base <= clock.instant(k) < (limit + 1) * base


@given(base=BASES, fps=RATES, start=STARTS, ahead=st.integers(0, 10**7))
def test_first_at_is_the_first_instant_not_before(base: Fraction, fps: Fraction, start: int, ahead: int) -> None:
    clock = Clock(start, base, fps)
    k = Grid.of(clock).first_at(start + ahead)
    assert clock.instant(k) >= (start + ahead) * base
    assert k == 0 or clock.instant(k - 1) < (start + ahead) * base


TIMES = st.lists(st.integers(1, 400), min_size=1, max_size=40)


def slow(times: list[int], broken: set[int], end: int, clock: Clock) -> dict[int, int]:
    """Every sample's picture by the definition; samples of broken ones left out."""
    out, k = {}, 0
    while clock.instant(k) < end * clock.time_base:
        pts = max(t for t in times if t * clock.time_base <= clock.instant(k))
        if pts not in broken:
            out[k] = pts
        k += 1
    return out


@given(steps=TIMES, fps=RATES, last=st.integers(1, 400), data=st.data())
def test_sampler_equals_the_definition(steps: list[int], fps: Fraction, last: int, data: st.DataObject) -> None:
    times = [sum(steps[:n]) for n in range(len(steps))]
    broken = data.draw(st.sets(st.sampled_from(times[1:]))) if len(times) > 1 else set()
    clock = Clock(0, Fraction(1, 1000), fps)
    sampler: Sampler[int] = Sampler(Grid.of(clock))
    runs = []
    for t in times:
        if t in broken:
            sampler.hole(t)
        else:
            runs += sampler.push(t, t)
    runs += sampler.finish(times[-1] + last)
    expected = slow(times, broken, times[-1] + last, clock)
    assert {k: r.picture for r in runs for k in range(r.first, r.stop)} == expected


@given(steps=TIMES, fps=RATES, floor=st.integers(0, 50))
def test_floor_gives_the_rest_of_the_samples(steps: list[int], fps: Fraction, floor: int) -> None:
    times = [sum(steps[:n]) for n in range(len(steps))]

    def samples(least: int) -> list[tuple[int, int]]:
        sampler: Sampler[int] = Sampler(Grid.of(Clock(0, Fraction(1, 1000), fps)), floor=least)
        runs = [r for t in times for r in sampler.push(t, t)] + sampler.finish(times[-1] + 40)
        return [(k, r.pts) for r in runs for k in range(r.first, r.stop)]

    assert samples(floor) == [s for s in samples(0) if s[0] >= floor]


def test_pictures_a_little_out_of_order_are_put_in_order_and_late_ones_counted() -> None:
    sampler: Sampler[int] = Sampler(Grid.of(Clock(0, Fraction(1, 10), Fraction(10))))
    runs = [r for t in (0, 1, 3, 2, 5, 4, 6, 7, 8, 9, 1, 10) for r in sampler.push(t, t)] + sampler.finish(11)
    assert [k for r in runs for k in range(r.first, r.stop)] == list(range(11))
    assert [r.pts for r in runs] == list(range(11))
    assert sampler.late == 1


def test_a_jump_of_the_clock_is_not_filled() -> None:
    sampler: Sampler[int] = Sampler(Grid.of(Clock(0, Fraction(1, 1000), Fraction(1))))
    far = 2**45
    runs = [r for t in (0, 1000, far) for r in sampler.push(t, t)] + sampler.finish(far + 1000)
    assert sum(r.stop - r.first for r in runs) <= 1 + HOLD_S + 2
    assert runs[-1].pts == far
    assert sampler.gaps == [(1000, far)]


@given(steps=TIMES, fps=RATES)
def test_shown_is_what_the_sampler_shows(steps: list[int], fps: Fraction) -> None:
    times = [sum(steps[:n]) for n in range(len(steps))]
    grid = Grid.of(Clock(0, Fraction(1, 1000), fps))
    sampler: Sampler[int] = Sampler(grid)
    runs = [r for t in times for r in sampler.push(t, t)] + sampler.finish(times[-1] + 10)
    assert shown(times, grid, times[-1] + 10) == {r.pts for r in runs}
    assert shown(times, grid, None) >= {r.pts for r in runs}
