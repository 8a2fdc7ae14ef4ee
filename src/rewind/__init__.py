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
    from rewind.opening import open_video as open
    from rewind.values import Answer, Found, KeyFrame, Moment, VideoInfo
    from rewind.video_handle import Video

__all__ = ["Answer", "Found", "KeyFrame", "Moment", "Video", "VideoInfo", "open"]


def __getattr__(name: str) -> Any:
    # `import rewind` stays quick: torch comes with the first video that can be opened.
    from importlib import import_module

    if name == "open":
        found = import_module("rewind.opening").open_video
    elif name == "Video":
        found = import_module("rewind.video_handle").Video
    elif name in __all__:
        found = getattr(import_module("rewind.values"), name)
    else:
        raise AttributeError(f"module 'rewind' has no attribute {name!r}")
    globals()[name] = found
    return found
