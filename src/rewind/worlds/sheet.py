"""A contact sheet: pictures of a world in order, with their times and what the truth says is there."""

from __future__ import annotations

from PIL import Image, ImageDraw

from rewind.errors import ConfigError
from rewind.worlds.index import Index
from rewind.worlds.looks import RARE_SHAPES, RGB, SIGN_RGB
from rewind.worlds.world import World

_LABEL_PX = 14
_GAP_PX = 4
_LANE_PX = 6
_PAPER, _INK, _FAINT = (250, 250, 248), (20, 20, 24), (205, 205, 205)


def _clock(second: int) -> str:
    return f"{second // 3600}:{second // 60 % 60:02d}:{second % 60:02d}"


def _lanes(
    spans: list[tuple[int, int, tuple[int, int, int]]], lanes: int
) -> list[tuple[int, int, int, tuple[int, int, int]]]:
    """Each span on the first lane that is free; those beyond the last lane share it."""
    free = [0] * lanes
    placed = []
    for start, end, colour in sorted(spans):
        lane = next((n for n, busy in enumerate(free) if busy <= start), lanes - 1)
        free[lane] = end
        placed.append((lane, start, end, colour))
    return placed


def contact_sheet(
    world: World, *, columns: int = 6, rows: int = 5, start_s: int = 0, end_s: int | None = None
) -> Image.Image:
    """Pictures at even steps over [start_s, end_s), each with its time and the codes on it, above a timeline.

    On the timeline every scene is a grey block, every visitor a bar in its colour, every sign a bar below them, and
    every change of colour a tick between the two.

    Raises: ConfigError for a stretch outside of the world or a sheet without pictures.
    """
    end = world.duration_s if end_s is None else end_s
    if not 0 <= start_s < end <= world.duration_s:
        raise ConfigError(f"seconds {start_s}–{end}", allowed=f"a stretch of 0–{world.duration_s}")
    if columns < 1 or rows < 1:
        raise ConfigError(f"{columns} columns and {rows} rows", allowed="1 or more of each")
    index = Index(world)
    side = 224
    cell_w, cell_h = side + _GAP_PX, side + _LABEL_PX + _GAP_PX
    width = columns * cell_w + _GAP_PX
    visitor_lanes, sign_lanes = 4, 3
    strip_h = (visitor_lanes + sign_lanes) * _LANE_PX + 46
    sheet = Image.new("RGB", (width, rows * cell_h + _GAP_PX + strip_h), _PAPER)
    draw = ImageDraw.Draw(sheet)
    for n in range(columns * rows):
        second = start_s + (end - start_s) * n // (columns * rows)
        x, y = _GAP_PX + n % columns * cell_w, _GAP_PX + n // columns * cell_h
        sheet.paste(Image.fromarray(world.frame(second)), (x, y + _LABEL_PX))
        codes = " ".join(s.sign.code for s in index.on_screen(second)[1])
        draw.text((x, y), f"{_clock(second)}  scene {world.scene_at(second)}  {codes}", fill=_INK)
    top = rows * cell_h + _GAP_PX + 4

    def place(second: int) -> int:
        return _GAP_PX + round((second - start_s) / (end - start_s) * (width - 2 * _GAP_PX))

    def bar(start: int, end: int, y: int, *, fill: tuple[int, int, int], outline: tuple[int, int, int]) -> None:
        left, right = place(start), max(place(start) + 1, place(end) - 1)
        # Of a bar no wider than its outline only the colour would be missing.
        draw.rectangle((left, y, right, y + _LANE_PX - 2), fill=fill, outline=outline if right - left > 3 else fill)

    for n, placed in enumerate(world.placed):
        a, b = max(placed.start_s, start_s), min(placed.end_s, end)
        if a < b:
            draw.rectangle(
                (place(a), top, max(place(a), place(b) - 1), top + 5), fill=_FAINT if n % 2 else (165, 165, 165)
            )
    visitors = [
        (max(s.start_s, start_s), min(s.end_s, end), RGB[s.appearance.colour])
        for s in index.seen
        if s.appearance.shape in RARE_SHAPES and s.start_s < end and s.end_s > start_s
    ]
    signs = [
        (max(s.start_s, start_s), min(s.end_s, end), SIGN_RGB[s.sign.colour])
        for s in index.signs
        if s.start_s < end and s.end_s > start_s
    ]
    y_visitors, y_changes = top + 9, top + 9 + visitor_lanes * _LANE_PX
    for lane, a, b, colour in _lanes(visitors, visitor_lanes):
        y = y_visitors + lane * _LANE_PX
        bar(a, b, y, fill=colour, outline=(120, 120, 120))
    for change in index.changes:
        if start_s <= change.at_s < end:
            x = place(change.at_s)
            draw.rectangle((x - 2, y_changes, x - 1, y_changes + 6), fill=RGB[change.change.before])
            draw.rectangle((x, y_changes, x + 1, y_changes + 6), fill=RGB[change.change.after])
    y_signs = y_changes + 9
    for lane, a, b, colour in _lanes(signs, sign_lanes):
        y = y_signs + lane * _LANE_PX
        bar(a, b, y, fill=colour, outline=(60, 60, 60))
    y_text = y_signs + sign_lanes * _LANE_PX + 2
    note = "scenes (grey), visitors, changes of colour (ticks), signs"
    draw.text((_GAP_PX, y_text), f"{_clock(start_s)} – {_clock(end)}   {note}".replace("–", "-"), fill=_INK)
    return sheet
