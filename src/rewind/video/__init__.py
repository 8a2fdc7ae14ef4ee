"""Video: a file, pipe or URL in, timed frames out. Nothing here knows what the frames are for."""

from rewind.video.cut import cut
from rewind.video.grab import grab
from rewind.video.probe import probe
from rewind.video.stream import FrameStream, ReadReport, open_frames

__all__ = ["FrameStream", "ReadReport", "cut", "grab", "open_frames", "probe"]
