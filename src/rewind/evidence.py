"""The key frames of an answer as files to look at: one JPEG each, named by its time, and a contact sheet of all."""

from __future__ import annotations

import textwrap
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import cast

from PIL import Image, ImageDraw, ImageFont
from PIL.Image import Resampling
from PIL.ImageFont import FreeTypeFont

from rewind.clock import format_time, time_stamp
from rewind.errors import ConfigError
from rewind.folders import from_home
from rewind.values import KeyFrame

SHEET = "sheet.jpg"
_CELL_PX, _GAP_PX, _LABEL_PX, _FONT_PX = 320, 8, 24, 16
_COLUMNS = 4
_FONTS = ("DejaVuSans.ttf", "NotoSans-Regular.ttf", "Arial.ttf", "NotoSansCJK-Regular.ttc")
_NO_CHARACTER = "\U0010ffff"
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
    into = from_home(folder)
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
    font, title = _font(title)
    lines = _wrapped(title, font, width - 2 * _GAP_PX)
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
            when = format_time(key_frames[n].time_s, decimals=1, hours=True)
            draw.text((x, y + height + 2), when, fill=_INK, font=font)
            draw.text((x + _CELL_PX, y + height + 2), f"{key_frames[n].score:.2f}", fill=_FAINT, font=font, anchor="ra")
        y += height + _LABEL_PX + _GAP_PX
    return sheet


def _font(title: str) -> tuple[FreeTypeFont, str]:
    """The first font here that has every character of the title, else the one that lacks fewest, and the title
    without what that lacks: an empty box tells nothing."""
    title = " ".join(unicodedata.normalize("NFC", title).split())
    best: tuple[FreeTypeFont, str] | None = None
    for font in _fonts():
        missing = _drawn(font, _NO_CHARACTER)  # what a font lacks looks like what can be in none
        kept = " ".join("".join(c for c in title if c == " " or _drawn(font, c) != missing).split())
        if best is None or len(kept) > len(best[1]):
            best = font, kept
        if kept == title:
            break
    assert best is not None  # noqa: S101  (Pillow's own font is always there)
    return best


def _fonts() -> Iterator[FreeTypeFont]:
    """Those found on this machine; last Pillow's own, which is always there and knows little beyond ASCII."""
    names = [*_FONTS]
    found = find_spec("matplotlib")  # brings DejaVu Sans; it need not be imported for that
    if found is not None and found.origin is not None:
        names.insert(0, str(Path(found.origin).parent / "mpl-data" / "fonts" / "ttf" / "DejaVuSans.ttf"))
    for name in names:
        with suppress(OSError):
            yield ImageFont.truetype(name, _FONT_PX)
    yield cast("FreeTypeFont", ImageFont.load_default(_FONT_PX))


def _drawn(font: FreeTypeFont, character: str) -> tuple[tuple[int, int], bytes]:
    mask = font.getmask(character)
    return mask.size, bytes(mask)


def _wrapped(title: str, font: FreeTypeFont, width_px: int) -> list[str]:
    """At most three lines, none wider than `width_px`."""
    for columns in range(width_px * 2 // _FONT_PX, 8, -1):
        lines = textwrap.wrap(title, columns, max_lines=3, placeholder=" ...")
        if all(font.getlength(line) <= width_px for line in lines):
            break
    return lines


def _fit(picture: Image.Image) -> Image.Image:
    """The whole picture within a cell, never enlarged more than to its width or height."""
    scale = min(_CELL_PX / picture.width, _CELL_PX / picture.height)
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    return picture.convert("RGB").resize(size, Resampling.LANCZOS)
