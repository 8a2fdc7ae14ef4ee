"""The key frames of an answer as files to look at: one JPEG each, named by its time, and a contact sheet of all."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont
from PIL.Image import Resampling

from rewind.errors import ConfigError
from rewind.values import KeyFrame

SHEET = "sheet.jpg"
_CELL_PX, _GAP_PX, _LABEL_PX, _FONT_PX = 320, 8, 24, 16
_COLUMNS = 4
_PAPER, _INK, _FAINT = (250, 250, 248), (20, 20, 24), (110, 110, 115)


def write_evidence(
    pictures: Sequence[Image.Image], key_frames: Sequence[KeyFrame], folder: str | Path, *, title: str = ""
) -> list[Path]:
    """Write `pictures`, one for each of `key_frames`, in the order of their times, and `sheet.jpg` last.

    Args:
        pictures: RGB pictures of any sizes, in the order of `key_frames`.
        title: stands over the sheet: the question that they answer.

    Returns: the paths written. A file of the same name is replaced, any other is left alone.

    Raises: ConfigError where counts differ; OSError where the folder cannot be written to.
    """
    if len(pictures) != len(key_frames):
        raise ConfigError(f"{len(pictures)} pictures for {len(key_frames)} key frames", allowed="one each")
    if not pictures:
        return []
    into = Path(folder)
    into.mkdir(parents=True, exist_ok=True)
    pairs = sorted(zip(key_frames, pictures, strict=True), key=lambda pair: pair[0].time_s)
    paths = []
    for key_frame, picture in pairs:
        path = into / f"{time_stamp(key_frame.time_s)}.jpg"
        picture.save(path, quality=90)
        paths.append(path)
    sheet = contact_sheet([p for _, p in pairs], [k for k, _ in pairs], title=title)
    sheet.save(into / SHEET, quality=88)
    return [*paths, into / SHEET]


def contact_sheet(
    pictures: Sequence[Image.Image], key_frames: Sequence[KeyFrame], *, title: str = "", columns: int = _COLUMNS
) -> Image.Image:
    """One picture of all, at most `columns` a row, each above its time and its score."""
    columns = min(columns, len(pictures))
    width = columns * (_CELL_PX + _GAP_PX) + _GAP_PX
    font = ImageFont.load_default(_FONT_PX)
    # a character is about half as wide as it is high
    lines = textwrap.wrap(title, max(12, int(width / (_FONT_PX * 0.55))), max_lines=3, placeholder=" ...")
    top = _GAP_PX + len(lines) * (_FONT_PX + 6)
    thumbs = [_fit(p) for p in pictures]
    heights = [max(t.height for t in thumbs[n : n + columns]) for n in range(0, len(thumbs), columns)]
    sheet = Image.new("RGB", (width, top + sum(h + _LABEL_PX + _GAP_PX for h in heights)), _PAPER)
    draw = ImageDraw.Draw(sheet)
    for number, line in enumerate(lines):
        draw.text((_GAP_PX, _GAP_PX + number * (_FONT_PX + 6)), line, fill=_INK, font=font)
    y = top
    for row, height in enumerate(heights):
        for column, n in enumerate(range(row * columns, min((row + 1) * columns, len(thumbs)))):
            x = _GAP_PX + column * (_CELL_PX + _GAP_PX)
            sheet.paste(thumbs[n], (x + (_CELL_PX - thumbs[n].width) // 2, y + height - thumbs[n].height))
            draw.text((x, y + height + 2), _clock(key_frames[n].time_s), fill=_INK, font=font)
            draw.text((x + _CELL_PX, y + height + 2), f"{key_frames[n].score:.2f}", fill=_FAINT, font=font, anchor="ra")
        y += height + _LABEL_PX + _GAP_PX
    return sheet


def time_stamp(seconds: float) -> str:
    """Seconds as 0h01m02.345s: sorts by time within an hour's digits, safe in a file name on every system."""
    sign, thousandths = ("-" if seconds < 0 else ""), round(abs(seconds) * 1000)
    minutes, rest = divmod(thousandths, 60_000)
    return f"{sign}{minutes // 60}h{minutes % 60:02d}m{rest / 1000:06.3f}s"


def _clock(seconds: float) -> str:
    sign, tenths = ("-" if seconds < 0 else ""), round(abs(seconds) * 10)
    return f"{sign}{tenths // 36_000}:{tenths // 600 % 60:02d}:{tenths // 10 % 60:02d}.{tenths % 10}"


def _fit(picture: Image.Image) -> Image.Image:
    """The whole picture within a cell, never enlarged more than to its width or height."""
    scale = min(_CELL_PX / picture.width, _CELL_PX / picture.height)
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    return picture.convert("RGB").resize(size, Resampling.LANCZOS)
