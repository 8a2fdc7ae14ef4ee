"""Places mean the same at any length."""

from __future__ import annotations

import torch

from rewind.language.place import places


def test_places_are_the_share_that_has_passed_and_the_seconds_left() -> None:
    got = places(torch.tensor([10.0, 15.0, 30.0]), start_s=10.0, end_s=30.0)
    torch.testing.assert_close(got, torch.tensor([[0.0, 20.0], [0.25, 15.0], [1.0, 0.0]]))
