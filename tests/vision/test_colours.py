"""Basic colours of pixels, and their shares in parts of a frame."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from rewind.vision.colours import COLOURS, colour_index, colour_shares

NAMED = {
    "red": (220, 20, 30), "orange": (250, 140, 10), "yellow": (245, 230, 30), "green": (30, 160, 40),
    "blue": (20, 60, 220), "purple": (120, 30, 200), "pink": (250, 160, 190), "brown": (110, 65, 25),
    "black": (10, 10, 12), "grey": (128, 128, 130), "white": (250, 250, 248),
}  # fmt: skip


@pytest.mark.parametrize("name", COLOURS)
def test_plain_colours_have_their_names(name: str) -> None:
    pixel = torch.tensor(NAMED[name], dtype=torch.uint8)
    assert COLOURS[int(colour_index(pixel))] == name


@given(st.lists(st.tuples(*[st.integers(0, 255)] * 3), min_size=1, max_size=40))
def test_every_pixel_has_one_colour(pixels: list[tuple[int, int, int]]) -> None:
    index = colour_index(torch.tensor(pixels, dtype=torch.uint8))
    assert index.shape == (len(pixels),)
    assert ((index >= 0) & (index < len(COLOURS))).all()


def test_shares_are_those_of_the_window() -> None:
    frame = torch.full((1, 224, 224, 3), 255, dtype=torch.uint8)
    frame[:, :, :112] = torch.tensor(NAMED["red"], dtype=torch.uint8)
    shares = colour_shares(frame, windows=((0, 4, 0, 4), (0, 4, 0, 2), (0, 4, 2, 4)), grid=4)
    red, white = COLOURS.index("red"), COLOURS.index("white")
    assert shares.shape == (1, 3, len(COLOURS))
    assert shares[0, :, red].tolist() == [0.5, 1.0, 0.0]
    assert shares[0, :, white].tolist() == [0.5, 0.0, 1.0]
