"""Key frames as files: named by their times, in their order, with a sheet that shows each once."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from rewind import evidence
from rewind.clock import time_stamp
from rewind.errors import ConfigError
from rewind.evidence import contact_sheet, write_evidence
from rewind.values import KeyFrame

COLOURS = [(210, 40, 40), (40, 160, 60), (50, 70, 200), (220, 190, 40), (150, 60, 170)]


def _frames(count: int, size: tuple[int, int] = (96, 54)) -> tuple[list[Image.Image], list[KeyFrame]]:
    pictures = [Image.new("RGB", size, COLOURS[n % len(COLOURS)]) for n in range(count)]
    return pictures, [KeyFrame(10.0 * n + 0.25, 0.1 * n, n) for n in range(count)]


def test_files_are_named_by_time_and_each_holds_its_own_picture(tmp_path: Path) -> None:
    pictures, frames = _frames(3)
    order = [2, 0, 1]
    paths = write_evidence([pictures[n] for n in order], [frames[n] for n in order], tmp_path / "a" / "b", title="Q")
    assert [p.name for p in paths] == ["0h00m00.250s.jpg", "0h00m10.250s.jpg", "0h00m20.250s.jpg", "sheet.jpg"]
    for path, colour in zip(paths[:3], COLOURS[:3], strict=True):
        got = np.asarray(Image.open(path).convert("RGB"), float).mean((0, 1))
        assert np.abs(got - colour).max() < 6, path.name


@pytest.mark.parametrize(("count", "cells"), [(1, (1, 1)), (4, (4, 1)), (5, (4, 2))])
def test_the_sheet_shows_every_picture_once_in_rows_of_four(count: int, cells: tuple[int, int]) -> None:
    sheet = np.asarray(contact_sheet(*_frames(count)), int)
    assert sheet.shape[1] == cells[0] * 328 + 8
    for n in range(count):
        cell = sheet[8 + n // 4 * 212 : 8 + n // 4 * 212 + 180, 8 + n % 4 * 328 : 8 + n % 4 * 328 + 320]
        share = (np.abs(cell - COLOURS[n]).max(2) < 8).mean()
        assert share > 0.99, n


def test_the_sheet_holds_portraits_and_a_long_title_whole() -> None:
    pictures, frames = _frames(3, (54, 96))
    sheet = contact_sheet(pictures, frames, title="When does the keeper save the penalty? " * 20)
    pixels = np.asarray(sheet, int)
    assert sheet.height < 500
    for colour in COLOURS[:3]:
        assert (np.abs(pixels - colour).max(2) < 8).sum() > 0.95 * 320 * 180


def test_a_title_is_drawn_without_boxes_whatever_fonts_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    title = "Hält er\x07 ihn? \U0010fffe 犬"
    monkeypatch.setattr(evidence, "_FONTS", ())
    monkeypatch.setattr(evidence, "find_spec", lambda _: None)
    assert len(list(evidence._fonts())) == 1
    pictures, frames = _frames(1)
    shown, plain = (np.asarray(contact_sheet(pictures, frames, title=t)) for t in (title, evidence._font(title)[1]))
    assert (shown == plain).all()
    assert evidence._font(title)[1].isprintable()
    assert {"\U0010fffe", "犬"}.isdisjoint(evidence._font(title)[1])


def test_a_broader_font_is_taken_where_there_is_one() -> None:
    """The tests' own packages bring one (matplotlib's)."""
    assert evidence._font("Wo ha\u0308lt er?")[1] == "Wo hält er?"


@pytest.mark.parametrize("title", ["W" * 500, "When does it end? " * 30, "犬" * 300])
def test_no_line_of_a_title_leaves_the_sheet(title: str) -> None:
    font, shown = evidence._font(title)
    lines = evidence._wrapped(shown, font, 320)
    assert len(lines) <= 3
    assert all(font.getlength(line) <= 320 for line in lines)


@pytest.mark.parametrize(
    ("seconds", "text"), [(3852.0, "1h04m12.000s"), (59.9996, "0h01m00.000s"), (-0.5, "-0h00m00.500s")]
)
def test_time_stamp(seconds: float, text: str) -> None:
    assert time_stamp(seconds) == text


def test_nothing_to_show_writes_nothing(tmp_path: Path) -> None:
    assert write_evidence([], [], tmp_path / "none") == []
    assert not (tmp_path / "none").exists()


def test_counts_must_agree(tmp_path: Path) -> None:
    pictures, frames = _frames(2)
    with pytest.raises(ConfigError, match="1 pictures for 2"):
        write_evidence(pictures[:1], frames, tmp_path)
