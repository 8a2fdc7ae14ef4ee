"""`rewind.open`: what is not allowed or not there is refused before PyTorch takes its seconds to load."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from rewind.errors import ConfigError
from rewind.folders import from_home
from rewind.sampling import DTYPES, READINGS, Dtype, Reading, read_rate
from rewind.video.source import check_source

if TYPE_CHECKING:
    from rewind.video_handle import Video


def open_video(
    source: str | Path,
    *,
    fps: Fraction | float | str = 1,
    reading: Reading = "exact",
    model: str = "nano",
    image_text: str | None = None,
    store: Path | str | None = None,
    dtype: Dtype = "fp16",
    threads: int | None = None,
    waiting: Callable[[], None] | None = None,
) -> Video:
    """Open a video: probe it and say what watching would cost. No frame is encoded.

    Args:
        source: a file, a URL, or "-" for standard input.
        fps: samples a second, any rate; exact as a Fraction or text ("1/3").
        reading: "exact", "fast" or "keyframes"; what the last two give up stands in the result.
        model: a bundled name, a folder, or "hub:NAME".
        image_text: "hub:NAME" or "hub:FOLDER" of a model that has seen pictures with words (CLIP, SigLIP): it tells
            what is on screen in place of the bundled classifier, and a video is watched anew for it.
        store: where features go; REWIND_STORE or the user's cache folder where not given.
        dtype: of stored features; "int8" takes about half the room of "fp16".
        waiting: called once where another process watches the same video and this one has waited for it for a while.

    Raises:
        VideoError: the source cannot be read. ConfigError: an option is not allowed, or the model does not
            fit its encoder. WeightsError: no such model. StoreError: no place for a store where none was given.
    """
    rate = read_rate(fps)
    if reading not in READINGS:
        raise ConfigError(f"reading {reading!r}", allowed=", ".join(READINGS))
    if dtype not in DTYPES:
        raise ConfigError(f"dtype {dtype!r}", allowed=", ".join(DTYPES))
    check_source(source)
    from rewind.video_handle import Video

    return Video(
        source,
        fps=rate,
        reading=reading,
        model=model,
        image_text=image_text,
        store=from_home(store) if store else None,
        dtype=dtype,
        threads=threads,
        waiting=waiting,
    )
