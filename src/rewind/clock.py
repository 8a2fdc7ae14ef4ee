"""Seconds written as clock times. Nothing heavy is imported for it: the command line's first words need it."""

from __future__ import annotations

import math


def format_time(seconds: float, *, decimals: int = 0, hours: bool = False) -> str:
    """Seconds as a clock time, `0:12` or `1:04:12`, rounded to `decimals` places of a second.

    Args:
        hours: write them where there are none, too: `0:00:12`, so that times stand under each other.
    """
    if not math.isfinite(seconds):
        return "?"
    scale = 10**decimals
    whole, part = divmod(round(abs(seconds) * scale), scale)
    minutes, s = divmod(whole, 60)
    h, m = divmod(minutes, 60)
    clock = f"{h}:{m:02d}:{s:02d}" if h or hours else f"{m}:{s:02d}"
    sign = "-" if seconds < 0 and (whole or part) else ""
    return sign + clock + (f".{part:0{decimals}d}" if decimals else "")


def format_span(start_s: float, end_s: float) -> str:
    """A stretch of time; tenths of seconds where it is short and whole ones would not tell its ends."""
    tenths = end_s - start_s < 3 and any(abs(t - round(t)) >= 0.05 for t in (start_s, end_s))
    start, end = (format_time(t, decimals=int(tenths), hours=True) for t in (start_s, end_s))
    return f"{start} – {end}"


def format_length(seconds: float, *, decimals: int = 0) -> str:
    """How long a video is: a clock time, or what is under a second in figures that tell it."""
    return format_time(seconds, decimals=decimals, hours=True) if seconds >= 1 else f"{seconds:.2g} s"


def format_pace(rate: float) -> str:
    """29.97 → 29.97 frames a second; 1 → 1 frame a second."""
    shown = f"{rate:.4g}"
    return f"{shown} frame{'' if shown == '1' else 's'} a second"


def time_stamp(seconds: float) -> str:
    """Seconds as 0h01m02.345s: sorts by time within an hour's digits, safe in a file name on every system."""
    sign, thousandths = ("-" if seconds < 0 else ""), round(abs(seconds) * 1000)
    minutes, rest = divmod(thousandths, 60_000)
    return f"{sign}{minutes // 60}h{minutes % 60:02d}m{rest / 1000:06.3f}s"
