"""`rewind watch` and `rewind info`: read a video once, or only say what that would cost."""

from __future__ import annotations

from dataclasses import asdict
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from rewind.cli import engine, options, output, words
from rewind.cli.group import resumable
from rewind.cli.options import Opening
from rewind.cli.progress import bar
from rewind.clock import format_pace

if TYPE_CHECKING:
    from rewind.values import VideoInfo


def watch(
    video: options.Video,
    *,
    fps: options.Fps = Fraction(1),
    reading: options.ReadingOption = "exact",
    model: options.Model = "nano",
    image_text: options.ImageText = None,
    store: options.Store = None,
    dtype: options.DtypeOption = "fp16",
    threads: options.Threads = None,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Read a video once and keep its features.

    Every question after is quick. Stopped at any point, the same command goes on.
    """
    handle = engine.open_video(video, Opening(fps, reading, model, image_text, store, dtype, threads), quiet=quiet)
    output.announce(handle.info, handle.estimate, fps, quiet=quiet)
    with resumable(engine.when_stopped(handle)), bar("watching", quiet=quiet) as progress:
        report = handle.watch(progress=progress)
    if json:
        seen = {"path": handle.info.path, "duration_s": handle.info.duration_s}
        output.print_json({**asdict(report), "degradations": list(report.degradations), "video": seen})
        return
    frames = report.frames
    skipped = f", {words.count(frames.skipped, 'sample')} skipped" if frames.skipped else ""
    resumed = f" ({report.resumed_frames:,} of them before)" if report.resumed_frames else ""
    took = words.length(max(report.seconds.read, report.seconds.encode))
    done = f"watched {words.count(frames.read, 'frame')}{resumed}{skipped} in {took}"
    lost = "nothing is kept on disk" if handle.kept else engine.NOT_KEPT
    print(f"{done}, {words.size(report.stored_bytes)} on disk" if report.stored_bytes else f"{done}; {lost}")
    for line in report.degradations:
        print(f"note: {words.plain(line)}")


def info(
    video: options.Video,
    *,
    fps: options.Fps = Fraction(1),
    reading: options.ReadingOption = "exact",
    model: options.Model = "nano",
    image_text: options.ImageText = None,
    store: options.Store = None,
    dtype: options.DtypeOption = "fp16",
    json: options.Json = False,
) -> None:
    """Say what a video is, and what watching it would cost. Reads no frame."""
    handle = engine.open_video(video, Opening(fps, reading, model, image_text, store, dtype, None), quiet=True)
    if json:
        output.print_json({"video": _plain(handle.info), "estimate": asdict(handle.estimate)})
        return
    seen = handle.info
    print(output.describe(seen, handle.estimate, fps))
    if not seen.codec:  # a pipe tells nothing of itself before it is read
        print(seen.container)
        return
    turned = f", turned {seen.rotation}°" if seen.rotation else ""
    wide = "" if seen.pixel_aspect == 1 else f", shown as {seen.shown[0]} × {seen.shown[1]}"
    pace = "" if seen.average_rate is None else f", {format_pace(seen.average_rate)} on average"
    print(f"{seen.container}, {seen.codec}, {seen.width} × {seen.height}{wide}{turned}{pace}")
    print(f"times count from {words.clock(seen.start_s, tenths=True)}, in steps of {seen.time_base} s")


def _plain(info: VideoInfo) -> dict[str, Any]:
    data = asdict(info)
    data["time_base"], data["pixel_aspect"] = str(info.time_base), str(info.pixel_aspect)
    return data
