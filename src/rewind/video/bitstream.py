"""What a coded packet says of itself before it is decoded: can decoding start here, can it be left out.

Leaving out a picture that no other picture refers to changes no other picture, so that exact reading need not decode
those that no sample shows. H.264: `nal_ref_idc` 0 (Rec. ITU-T H.264, 7.4.1); H.265: sub-layer non-reference pictures
of the highest temporal sub-layer (Rec. ITU-T H.265, 7.4.2.2).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, NamedTuple

Family = Literal["h264", "hevc", "whole", "intra"]
FAMILIES: dict[str, Family] = {
    "h264": "h264",
    "hevc": "hevc",
    "vp8": "whole",
    "vp9": "whole",
    "av1": "whole",
    "mjpeg": "intra",
    "prores": "intra",
    "dnxhd": "intra",
}
_PARAMETER_SETS = {"h264": {7, 8}, "hevc": {32, 33, 34}}


class Nature(NamedTuple):
    """`clean`: decoding may start here; `layer`: temporal sub-layer of a picture that none of its own sub-layer
    refers to, or -1 where others may refer to it; `parameters`: carries parameter sets."""

    clean: bool
    layer: int
    parameters: bool


def prefix_size(family: Family, extradata: bytes | None) -> int:
    """Bytes of the length before each NAL unit (avcC, hvcC), or 0 for start codes (Annex B)."""
    if not extradata or extradata[0] != 1:
        return 0
    if family == "h264" and len(extradata) > 6:
        return (extradata[4] & 3) + 1
    if family == "hevc" and len(extradata) > 22:
        return (extradata[21] & 3) + 1
    return 0


def nature(data: memoryview, family: Family, prefix: int, *, key: bool) -> Nature:
    """Reads the NAL unit headers of one packet; for codecs without NAL units `key` is all there is to know."""
    if family == "whole":
        return Nature(key, -1, False)
    if family == "intra":
        return Nature(True, 0, False)
    clean, parameters, layer, pictures = key, False, 0, 0
    for first, second in _headers(data, prefix):
        if family == "h264":
            kind = first & 31
            if 1 <= kind <= 5:
                pictures += 1
                clean = clean and kind == 5
                if first & 0x60:
                    layer = -1
        else:
            kind = (first >> 1) & 63
            if (first & 1) or second >> 3:
                continue  # a second layer (multi-view, Dolby Vision enhancement)
            if kind < 32:
                pictures += 1
                clean = clean and 16 <= kind <= 21
                layer = (second & 7) - 1 if layer >= 0 and kind <= 14 and kind % 2 == 0 else -1
        parameters = parameters or kind in _PARAMETER_SETS[family]
    return Nature(clean and pictures > 0, layer if pictures else -1, parameters)


def _headers(data: memoryview, prefix: int) -> Iterator[tuple[int, int]]:
    """The first two bytes of each NAL unit."""
    size, at = len(data), 0
    if prefix:
        while at + prefix + 1 < size:
            length = int.from_bytes(data[at : at + prefix], "big")
            at += prefix
            if length >= 1:
                yield data[at], data[at + 1]
            at += length
        return
    raw = bytes(data)
    at = raw.find(b"\0\0\1")
    while at >= 0 and at + 4 < size:
        yield raw[at + 3], raw[at + 4]
        at = raw.find(b"\0\0\1", at + 3)
