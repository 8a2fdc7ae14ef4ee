"""What a video shows and when, against a plain reckoning over whole windows."""

from __future__ import annotations

from fractions import Fraction
from types import SimpleNamespace
from typing import Any

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from rewind.overview import LISTED, TIMES, Shown, overview
from rewind.timeline import Timeline

KINDS = ("teapot", "beagle", "trombone", "banana", "lipstick", "tractor", "volcano")
SURE = 0.6


class Means:
    """In place of concepts: in view is what has `SURE` or more in the mean over a window."""

    def in_view(self, posterior: Tensor, limit: int) -> list[tuple[str, float]]:
        means = posterior[:, 0].mean(0).tolist()
        return [(name, mean) for name, mean in zip(KINDS, means, strict=True) if mean >= SURE][:limit]


def shown(
    frames: list[tuple[str, float]], *, fps: int | Fraction = 1, end_s: float | None = None,
    within: tuple[float, float] | None = None,
) -> tuple[Shown, ...]:  # fmt: skip
    """The overview of frames that each show one thing, more or less."""
    posterior = torch.zeros(len(frames), 5, len(KINDS))
    for row, (name, mass) in enumerate(frames):
        posterior[row, :, KINDS.index(name)] = mass
    means: Any = Means()
    stretch: Any = SimpleNamespace(clips=lambda size, part: [(p,) for p in posterior.split(size)])
    timeline = Timeline.regular(len(frames), fps=Fraction(fps))
    end_s = float(len(frames) / fps) if end_s is None else end_s
    return overview(means, stretch, timeline, end_s=end_s, within=within)


def spans(one: Shown) -> list[tuple[float, float]]:
    return [(m.start_s, m.end_s) for m in one.moments]


def test_a_name_is_told_where_its_windows_are_sure_of_it() -> None:
    (teapot,) = shown([("teapot", 0.9)] * 10 + [("beagle", 0.4)] * 5 + [("teapot", 0.7)] * 5)
    assert spans(teapot) == [(0, 10), (15, 20)]
    assert str(teapot) == "teapot (0.90) at 0:00:00 – 0:00:10, 0:00:15 – 0:00:20"


def test_of_a_part_nothing_else_is_told() -> None:
    frames = [("teapot", 0.9)] * 10 + [("beagle", 0.9)] * 10
    (teapot,) = shown(frames, within=(6.5, 8))
    assert spans(teapot) == [(6.5, 8)]
    assert [(one.name, spans(one)) for one in shown(frames, within=(9, 11))] == [
        ("teapot", [(9, 10)]),
        ("beagle", [(10, 11)]),
    ]


def test_one_frame_does_not_make_a_name() -> None:
    assert not shown([("teapot", 0.1)] * 7 + [("teapot", 1.0)] + [("teapot", 0.1)] * 8)
    assert not shown([("teapot", 0.1)] * 5 + [("teapot", 1.0)])  # the last window is too short to stand alone


def test_the_rate_and_the_end_of_the_video_are_kept() -> None:
    (teapot,) = shown([("teapot", 0.9)] * 24, fps=4, end_s=5.8)
    assert spans(teapot) == [(0, 5.8)]


def test_samples_that_are_far_apart_bear_one_another_out() -> None:
    posterior = [("teapot", 0.9)] * 3 + [("teapot", 0.1), ("beagle", 0.9), ("teapot", 0.1)]
    (teapot,) = shown(posterior, fps=Fraction(1, 10), end_s=60)
    assert spans(teapot) == [(0, 30)]


def test_the_longest_stretches_are_told_in_time_order() -> None:
    seen, not_seen = [("teapot", 0.9)] * 5, [("teapot", 0.1)] * 5
    (teapot,) = shown(seen + not_seen + 2 * seen + not_seen + 3 * seen)
    assert spans(teapot) == [(10, 20), (25, 40)]
    assert str(teapot).endswith(", …")


def test_no_more_names_than_can_be_listened_to() -> None:
    frames = [(kind, 0.9) for number, kind in enumerate(KINDS) for _ in range(5 * (1 + number))]
    assert [one.name for one in shown(frames)] == list(KINDS[-LISTED:])


WINDOWS = st.lists(st.tuples(st.sampled_from(KINDS), st.sampled_from([0.05, 0.4, 0.59, 0.61, 0.9])), min_size=1)


@settings(deadline=None, max_examples=60)
@given(WINDOWS, st.integers(0, 2))
def test_overview_is_what_a_plain_reckoning_gives(windows: list[tuple[str, float]], tail: int) -> None:
    frames = [window for window in windows for _ in range(5)]
    frames += frames[-1:] * tail  # too few for a window of their own
    told: dict[str, list[tuple[float, float]]] = {}
    for number, (name, mass) in enumerate(windows):
        start, end = 5.0 * number, 5.0 * (number + 1)
        end += tail * (number == len(windows) - 1)
        if mass >= SURE:
            before = told.setdefault(name, [])
            if before and before[-1][1] == start:
                start = before.pop()[0]
            before.append((start, end))
    given = {one.name: spans(one) for one in shown(frames)}
    assert len(given) == min(LISTED, len(told))
    for name, moments in given.items():
        assert moments == sorted(sorted(told[name], key=lambda m: m[0] - m[1])[:TIMES])
