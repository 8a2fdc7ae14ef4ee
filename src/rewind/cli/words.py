"""Times, sizes and counts as people read them."""

from __future__ import annotations

from fractions import Fraction

from rewind.clock import format_span, format_time


def clock(seconds: float, *, tenths: bool = False) -> str:
    """3852.4 → 1:04:12, or 1:04:12.4 with tenths."""
    return format_time(seconds, decimals=int(tenths), hours=True)


def countdown(seconds: float) -> str:
    """What is left: 0:05, 12:05, 1:04:12."""
    return format_time(seconds)


def span(start_s: float, end_s: float) -> str:
    """A stretch of time, as answers write it."""
    return format_span(start_s, end_s)


def size(count: int) -> str:
    """Bytes in units of a thousand: 416000000 → 416 MB."""
    if count < 1000:
        return f"{count} bytes"
    value = float(count)
    for unit in ("kB", "MB", "GB"):
        value /= 1000
        if value < 999.5:
            return f"{value:.1f} {unit}" if value < 9.95 else f"{value:.0f} {unit}"
    return f"{value / 1000:.1f} TB"


def length(seconds: float) -> str:
    """How long something takes, roughly: 2.1 s, 45 s, 3 min, 1 h 20 min."""
    if 0 < seconds < 0.05:
        return "less than 0.1 s"
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 90:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


def rate(fps: Fraction) -> str:
    """1 → 1 a second; 1/2 → 0.5 a second."""
    return f"{float(fps):.4g} a second"


def count(number: int, noun: str) -> str:
    """5530, "frame" → 5,530 frames."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def pace(a_second: float, noun: str) -> str:
    """31.4, "frame" → 31 frames/s; 3.28, "step" → 3.3 steps/s."""
    return f"{f'{a_second:.0f}' if a_second >= 10 else f'{a_second:.1f}'} {noun}s/s"


def plain(text: str) -> str:
    """One line of printable characters: a file's name or a model's words must not steer the terminal."""
    return "".join(c if c.isprintable() else " " if c.isspace() else "?" for c in text)
