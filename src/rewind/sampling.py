"""How a video may be sampled and kept: the ways by their names, and rates. Without NumPy, so that the command line can
read its options before anything is loaded."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Literal

from rewind.errors import ConfigError

Reading = Literal["exact", "fast", "keyframes"]
READINGS: tuple[Reading, ...] = ("exact", "fast", "keyframes")
Dtype = Literal["fp16", "int8"]
DTYPES: tuple[Dtype, ...] = ("fp16", "int8")
MOST_FPS = 240
_MOST_DIGITS = 40
_LARGE = re.compile(r"e[+-]?[\d_]{4}", re.IGNORECASE)
"""An exponent that would be worked out digit by digit, for ever."""


def read_rate(fps: Fraction | float | str) -> Fraction:
    """Samples a second, exact as a Fraction or text ("1/3"), to a millionth part.

    Raises: ConfigError for what is no rate above 0, up to `MOST_FPS`.
    """
    try:
        if isinstance(fps, str) and (len(fps) > _MOST_DIGITS or _LARGE.search(fps)):
            raise ValueError("too long a number")
        rate = Fraction(fps).limit_denominator(1_000_000)
    except (ValueError, ZeroDivisionError, OverflowError) as error:
        raise ConfigError(f"fps {fps!r}", allowed="a rate above 0, such as 1, 0.5 or 30000/1001") from error
    if not 0 < rate <= MOST_FPS:
        told = fps if isinstance(fps, str) else f"{float(max(Fraction(-1), min(rate, Fraction(10**9)))):g}"
        raise ConfigError(f"fps {told}", allowed=f"a rate above 0, up to {MOST_FPS}")
    return rate
