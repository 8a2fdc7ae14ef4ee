"""Options that several commands share, and how their values are read."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Annotated

import typer

from rewind.cli.places import parse_image_text, parse_model, parse_path, parse_video
from rewind.errors import ConfigError
from rewind.sampling import Dtype, Reading, read_rate

_MOST_CHARACTERS = 32
"""Of a number: a longer one is a slip of the hand, and may be none that a float can hold."""


def parse_fps(text: str) -> Fraction:
    """A rate such as 1, 0.5 or 30000/1001, in frames a second."""
    try:
        return read_rate(text)
    except ConfigError as error:
        raise typer.BadParameter(f"{text!r}; allowed: {error.allowed}") from None


def parse_time(text: str) -> float:
    """Seconds from 72, 72.5, 1:12 or 1:04:12.5."""
    if len(text) > _MOST_CHARACTERS or not re.fullmatch(r"(\d+:){0,2}\d+(\.\d+)?", text):
        raise typer.BadParameter(f"{text!r}; allowed: seconds such as 72.5, or a clock time such as 1:04:12")
    seconds = 0.0
    for part in text.split(":"):
        seconds = seconds * 60 + float(part)
    return seconds


_SIZES = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12}


def parse_size(text: str) -> int:
    """Bytes from 500000, 500MB, 2.5GB, 1TB."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([kmgt]?)b?", text.strip().lower())
    if match is None or len(text) > _MOST_CHARACTERS:
        raise typer.BadParameter(f"{text!r}; allowed: a size such as 500MB or 20GB")
    return int(float(match[1]) * _SIZES[match[2]])


Video = Annotated[
    str,
    typer.Argument(
        parser=parse_video, metavar="VIDEO", show_default=False, help="A file, a URL, or - for standard input."
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print the result only.")]
Fps = Annotated[
    Fraction,
    typer.Option("--fps", parser=parse_fps, metavar="RATE", help="Frames to read a second: 1, 0.5, 30000/1001."),
]
ReadingOption = Annotated[
    Reading,
    typer.Option("--reading", help="exact reads every sampled frame; fast and keyframes read fewer, and say so."),
]
Store = Annotated[
    Path | None,
    typer.Option(
        "--store", parser=parse_path, envvar="REWIND_STORE", metavar="DIR", show_default=False,
        help="Where features are kept. Default: the user's cache folder.",
    ),
]  # fmt: skip
DtypeOption = Annotated[Dtype, typer.Option("--dtype", help="How features are kept: int8 takes about half the disk.")]
Model = Annotated[
    str,
    typer.Option("--model", parser=parse_model, metavar="NAME|PATH", help="A bundled model, a folder, or hub:NAME."),
]
ImageText = Annotated[
    str | None,
    typer.Option(
        "--image-text", parser=parse_image_text, envvar="REWIND_IMAGE_TEXT", metavar="hub:NAME", show_default=False,
        help="Find things by this CLIP or SigLIP model, a Hub id or a folder, in place of the bundled classifier.",
    ),
]  # fmt: skip
Threads = Annotated[
    int | None, typer.Option("--threads", min=1, metavar="N", show_default=False, help="Default: all cores.")
]
From = Annotated[
    float | None,
    typer.Option(
        "--from", parser=parse_time, metavar="TIME", show_default=False,
        help="Ask as if the video began here: seconds, or a clock time such as 1:04:12.",
    ),
]  # fmt: skip
Until = Annotated[
    float | None,
    typer.Option(
        "--until", parser=parse_time, metavar="TIME", show_default=False,
        help="Ask as if the video ended here.",
    ),
]  # fmt: skip
Threshold = Annotated[
    float | None,
    typer.Option("--threshold", min=0.0, max=1.0, show_default=False, help="Least score that counts as seen."),
]
Limit = Annotated[int, typer.Option("--limit", min=1, metavar="N", help="Most moments to give.")]
Evidence = Annotated[
    Path | None,
    typer.Option(
        "--evidence", parser=parse_path, metavar="DIR", show_default=False,
        help="Write the key frames there, and one sheet with their times.",
    ),
]  # fmt: skip
Clips = Annotated[
    Path | None,
    typer.Option(
        "--clips", parser=parse_path, metavar="DIR", show_default=False,
        help="Write each moment there as a file of its own.",
    ),
]  # fmt: skip


@dataclass(frozen=True)
class Opening:
    """How a video is to be opened: what the user asked for on the command line."""

    fps: Fraction
    reading: Reading
    model: str
    image_text: str | None
    store: Path | None
    dtype: Dtype
    threads: int | None


@dataclass(frozen=True)
class Output:
    """What the user wants to see, and which files besides."""

    json: bool
    quiet: bool
    evidence: Path | None = None
    clips: Path | None = None
