"""A bitmap alphabet of 20 letters and digits (5 × 7 dots) and 5 symbols (7 × 7), free of system fonts.

Characters that are easily taken for one another (0/O/D, 1/I, 5/S, 8/B, 2/Z, 6/G, U/V) are represented once at most.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

_ROWS = {
    "A": "01110 10001 10001 11111 10001 10001 10001",
    "C": "01110 10001 10000 10000 10000 10001 01110",
    "E": "11111 10000 10000 11110 10000 10000 11111",
    "F": "11111 10000 10000 11110 10000 10000 10000",
    "H": "10001 10001 10001 11111 10001 10001 10001",
    "J": "00111 00010 00010 00010 00010 10010 01100",
    "K": "10001 10010 10100 11000 10100 10010 10001",
    "L": "10000 10000 10000 10000 10000 10000 11111",
    "M": "10001 11011 10101 10101 10001 10001 10001",
    "P": "11110 10001 10001 11110 10000 10000 10000",
    "R": "11110 10001 10001 11110 10100 10010 10001",
    "T": "11111 00100 00100 00100 00100 00100 00100",
    "U": "10001 10001 10001 10001 10001 10001 01110",
    "X": "10001 10001 01010 00100 01010 10001 10001",
    "Y": "10001 10001 01010 00100 00100 00100 00100",
    "2": "01110 10001 00001 00010 00100 01000 11111",
    "3": "11111 00010 00100 00010 00001 10001 01110",
    "4": "00010 00110 01010 10010 11111 00010 00010",
    "6": "00110 01000 10000 11110 10001 10001 01110",
    "7": "11111 00001 00010 00100 01000 01000 01000",
}
_SYMBOL_ROWS = {
    "dot": "0000000 0011100 0111110 0111110 0111110 0011100 0000000",
    "ring": "0011100 0111110 1100011 1100011 1100011 0111110 0011100",
    "bar": "0000000 0000000 1111111 1111111 1111111 0000000 0000000",
    "tick": "0000001 0000011 0000110 1001100 1111000 0110000 0000000",
    "wave": "0000000 0110000 1111001 1001111 0000110 0000000 0000000",
}
CHARACTERS = tuple(_ROWS)
GLYPH_SCALES = (2, 3, 4)
"""Pixels a dot: glyphs are 14, 21 or 28 px high."""


def _bitmap(rows: str) -> npt.NDArray[np.bool_]:
    return np.array([[dot == "1" for dot in row] for row in rows.split()])


@lru_cache(maxsize=64)
def symbol(name: str, scale: int) -> npt.NDArray[np.bool_]:
    """Mask (7 · scale, 7 · scale) of one symbol."""
    return np.kron(_bitmap(_SYMBOL_ROWS[name]), np.ones((scale, scale), bool)).astype(bool)


@lru_cache(maxsize=256)
def text(code: str, scale: int) -> npt.NDArray[np.bool_]:
    """Mask (7 · scale, (6 · len − 1) · scale) of `code`, one empty dot between glyphs."""
    columns: list[npt.NDArray[np.bool_]] = []
    for character in code:
        columns += [_bitmap(_ROWS[character]), np.zeros((7, 1), bool)]
    return np.kron(np.concatenate(columns[:-1], axis=1), np.ones((scale, scale), bool)).astype(bool)
