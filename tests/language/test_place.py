"""Places mean the same at any length."""

from __future__ import annotations

import pytest
import torch

from rewind.language.place import places


def test_places_are_the_share_that_has_passed_and_the_seconds_left() -> None:
    got = places(torch.tensor([10.0, 15.0, 30.0]), start_s=10.0, end_s=30.0)
    torch.testing.assert_close(got, torch.tensor([[0.0, 20.0], [0.25, 15.0], [1.0, 0.0]]))


@pytest.mark.parametrize(("start", "step"), [(0.0, 1.0), (1.4, 1.0), (0.083333, 0.1), (3599.7, 1 / 3)])
def test_what_reaches_the_end_has_nothing_left(start: float, step: float) -> None:
    """Exactly: whether a stretch reaches the end is asked by that."""
    seconds = start + step * torch.arange(100, dtype=torch.float64)
    assert places(seconds[-1:] + step, start_s=start, end_s=float(seconds[-1]) + step)[0, 1] == 0.0
