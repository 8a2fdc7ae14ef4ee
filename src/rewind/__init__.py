"""Rewind: ask anything of hours of video, and get the answer with the moments that prove it.

video = rewind.open("match.mp4")
video.watch()
print(video.ask("Is there a dog?"))
for moment in video.find("a bicycle"):
    print(moment.start_s, moment.end_s, moment.score)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rewind.errors import (
        BudgetError,
        ConfigError,
        RewindError,
        StoreError,
        TestSeedError,
        VideoError,
        WeightsError,
    )
    from rewind.estimate import Estimate
    from rewind.opening import open_video as open
    from rewind.outcome import WatchReport
    from rewind.values import Answer, Found, KeyFrame, Moment, VideoInfo
    from rewind.video_handle import Video

__all__ = [
    "Answer",
    "BudgetError",
    "ConfigError",
    "Estimate",
    "Found",
    "KeyFrame",
    "Moment",
    "RewindError",
    "StoreError",
    "TestSeedError",
    "Video",
    "VideoError",
    "VideoInfo",
    "WatchReport",
    "WeightsError",
    "open",
]
_ELSEWHERE = {"Estimate": "estimate", "Video": "video_handle", "WatchReport": "outcome", "open": "opening"}
"""Where the names lie that are neither errors nor values."""


def __getattr__(name: str) -> Any:
    # `import rewind` stays quick: torch comes with the first video that can be opened.
    from importlib import import_module

    if name not in __all__:
        raise AttributeError(f"module 'rewind' has no attribute {name!r}")
    home = _ELSEWHERE.get(name, "errors" if name.endswith("Error") else "values")
    found = getattr(import_module(f"rewind.{home}"), "open_video" if name == "open" else name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
