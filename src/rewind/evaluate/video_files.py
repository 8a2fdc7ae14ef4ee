"""Which file of a folder is which video of a benchmark: by name, whatever the container."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from rewind.errors import ConfigError, VideoError
from rewind.video import probe

USUAL = (
    ".mp4", ".mkv", ".webm", ".avi", ".mov", ".m4v", ".mpg", ".mpeg", ".ts", ".mts", ".m2ts", ".flv", ".wmv", ".ogv",
    ".3gp", ".gif",
)  # fmt: skip
"""What videos are called. Files of other names are tried after these."""
NEVER = (".csv", ".jpeg", ".jpg", ".json", ".jsonl", ".md", ".png", ".srt", ".tsv", ".txt", ".vtt", ".wav", ".mp3")
"""What lies beside videos: FFmpeg plays text and pictures too."""


@dataclass(frozen=True)
class VideoFiles:
    """The file of each video that is there; `missing` names the others."""

    paths: dict[str, Path]
    missing: tuple[str, ...]


def find_videos(folder: Path, names: Iterable[str]) -> VideoFiles:
    """Look for each name as the stem of a file in `folder` or below it.

    Raises:
        ConfigError: no such folder, none of the videos in it, or two files for one video.
    """
    if not folder.is_dir():
        raise ConfigError(f"--videos {folder}: no such folder", allowed="a folder with the benchmark's videos")
    wanted = dict.fromkeys(names)
    by_stem: dict[str, list[Path]] = {}
    for path in sorted(folder.rglob("*")):
        if path.stem in wanted and path.suffix.lower() not in NEVER and path.is_file():
            by_stem.setdefault(path.stem, []).append(path)
    paths = {name: found for name in wanted if (found := _video_of(by_stem.get(name, []), name)) is not None}
    if not paths:
        some = next(iter(wanted), "")
        raise ConfigError(
            f"{folder}: none of the {len(wanted)} videos of the annotations",
            allowed=f"files named like them, such as {some}.mp4", do="check --videos and --annotations",
        )  # fmt: skip
    return VideoFiles(paths, tuple(name for name in wanted if name not in paths))


def stem_of(video: str) -> str:
    """A video's name without folders and without what videos end in: `clips/a.v2.mp4` and `a.v2` are `a.v2`."""
    name = Path(video).name
    return Path(name).stem if name.lower().endswith(USUAL) else name


def _video_of(found: list[Path], name: str) -> Path | None:
    usual = [p for p in found if p.suffix.lower() in USUAL]
    opened = usual if len(usual) == 1 else [p for p in usual or found if _opens(p)]
    if len(opened) > 1:
        raise ConfigError(f"two files for video {name}: {opened[0].name}, {opened[1].name}", allowed="one file a video")
    return opened[0] if opened else None


def _opens(path: Path) -> bool:
    try:
        probe(path)
    except VideoError:
        return False
    return True
