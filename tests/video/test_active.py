"""The active picture: black bars are found, cut away, and what is left has the detail of the file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from tests.video.conftest import Make, picture

from rewind.video import open_frames
from rewind.video.active import DARK, LEAST, WORTH, Area, active_area


def framed(area: Area, height: int, width: int, *, number: int = 0) -> np.ndarray:
    """Black, with a noisy picture in `area`."""
    pixels = np.zeros((height, width, 3), np.uint8)
    inside = picture(number, area.right - area.left, area.bottom - area.top)
    pixels[area.top : area.bottom, area.left : area.right] = np.maximum(inside, DARK + 1)
    return pixels


@settings(max_examples=60)
@given(st.data())
def test_bars_of_any_width_are_found_where_they_are_worth_it(data: st.DataObject) -> None:
    height, width = 48, 64
    top, left = data.draw(st.integers(0, 40)), data.draw(st.integers(0, 56))
    area = Area(top, data.draw(st.integers(top + 4, height)), left, data.draw(st.integers(left + 4, width)))
    rows, columns = area.bottom - area.top, area.right - area.left
    large = rows >= LEAST * height and columns >= LEAST * width
    worth = rows * columns <= (1 - WORTH) * height * width
    found = active_area(framed(area, height, width))
    assert found == (area if large and worth else None)


def test_the_dark_and_its_specks_are_no_picture() -> None:
    noise = np.random.default_rng(0).integers(0, DARK + 1, (64, 200, 3)).astype(np.uint8)
    assert active_area(noise) is None
    barred = framed(Area(0, 64, 50, 150), 64, 200)
    barred[:, :50] = noise[:, :50]
    assert active_area(barred) == Area(0, 64, 50, 150)
    noise[30, ::50] = 255  # a star here and there
    assert active_area(noise) is None


def barred_clip(make: Make, *, rotation: int = 0) -> Path:
    """384 × 128, of which the middle third shows a picture."""
    return make(
        f"barred-{rotation}.mp4", frames=30, size=(384, 128), rotation=rotation, options={"crf": "4"},
        paint=lambda number, width, height: framed(Area(0, height, 128, 256), height, width, number=number),
    )  # fmt: skip


@pytest.mark.parametrize("rotation", [0, 90, 180])
def test_what_is_left_has_all_detail_of_the_file(make: Make, rotation: int) -> None:
    """Against the plain way, in which the file's own pixels are cut and scaled."""
    clip = barred_clip(make, rotation=rotation)
    with open_frames(clip, size=(32, 48), active=True) as small, open_frames(clip, size=None) as own:
        (shown,), (whole,) = list(small), list(own)
    assert shown.active is not None
    upright = whole.pixels[:, 128:256] if rotation != 90 else whole.pixels[128:256]
    plain = np.asarray(Image.fromarray(upright).resize((48, 32), Image.Resampling.BILINEAR))
    assert shown.active.shape == plain.shape
    assert np.abs(shown.active.astype(int) - plain).mean() < 8
    squeezed = np.asarray(Image.fromarray(shown.pixels).resize((48, 32)))
    assert np.abs(squeezed.astype(int) - plain).mean() > 40  # the control: with its bars it is another picture


def test_without_bars_or_unasked_there_is_no_other_picture(make: Make) -> None:
    plain = make("no-bars.mp4", frames=30)
    with open_frames(plain, size=(32, 48), active=True) as stream:
        assert [frame.active for frame in stream] == [None]
    with open_frames(barred_clip(make), size=(32, 48)) as stream:
        assert [frame.active for frame in stream] == [None]
