"""From options to an open video; the folders that a user asked for are tried before any work starts."""

from __future__ import annotations

import difflib
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from rewind.cli.group import usage
from rewind.cli.options import Opening, Output
from rewind.cli.output import say_waiting
from rewind.cli.places import try_folder
from rewind.cli.refusals import explain_os_error
from rewind.errors import RewindError, is_text

if TYPE_CHECKING:
    from rewind.values import Answer, Found, KeyFrame
    from rewind.video_handle import Video

    Result = TypeVar("Result", Answer, Found)

RESUMES = "what was watched is kept, and the same command goes on from there"
PART_NOT_KEPT = "nothing is kept of a part that is read alone"
NOT_KEPT = "nothing is kept of a pipe, a stream or a playlist"


def open_video(source: str, opening: Opening, *, quiet: bool) -> Video:
    """Probe and estimate, nothing more. Raises: RewindError in one line."""
    import rewind

    return rewind.open(
        source, fps=opening.fps, reading=opening.reading, model=opening.model, image_text=opening.image_text,
        store=opening.store, dtype=opening.dtype, threads=opening.threads, waiting=None if quiet else say_waiting,
    )  # fmt: skip


def when_stopped(video: Video, *, part: bool = False) -> str:
    """What Ctrl-C leaves behind; of a `part` that is read alone nothing."""
    return PART_NOT_KEPT if part else RESUMES if video.kept else NOT_KEPT


def check_folders(source: str, output: Output) -> None:
    """Refuse before work starts: a folder to write to must take a file. Raises: OSError."""
    for folder in (output.evidence, output.clips):
        if folder is not None:
            if source == "-":
                raise usage("standard input can be read only once; save it to a file for --evidence or --clips")
            try_folder(folder)


def one_question(source: str, words: Sequence[str], *, command: str, noun: str) -> str:
    """The question as one text; a usage error that says what to type where it is not one quoted argument."""
    here = f"rewind {command}" if command != "ask" else "rewind"
    near = None if os.path.exists(source) else next(iter(difflib.get_close_matches(source, _COMMANDS, n=1)), None)
    if not words:
        hint = f'no {noun}; type: {here} {_quoted(source)} "{"what happens?" if command == "ask" else "a red car"}"'
        if os.path.isfile(command):
            hint += f"; a file named {command} is written ./{command}"
        if source in _COMMANDS or near is not None:
            hint += f", or did you mean: rewind {source if source in _COMMANDS else near} …"
        elif command == "ask":
            hint += f"; to watch only: rewind watch {_quoted(source)}"
        raise usage(hint)
    if len(words) > 1:
        if source in _COMMANDS and command == "ask":
            raise usage(f"options come after the command: rewind {source} VIDEO … OPTIONS")
        if near is not None:
            raise usage(f"no command or file {source!r}; did you mean: rewind {near} …")
        raise usage(f'put the {noun} in quotes: {here} {_quoted(source)} "{" ".join(words)}"')
    if not words[0].strip():
        raise usage(f"an empty {noun}; allowed: at least one word")
    if not is_text(words[0]):
        raise usage(f"a {noun} that is not UTF-8 text; allowed: UTF-8, as the terminal's locale should be")
    # os.path and not pathlib: a question may be longer than any file's name.
    if source != "-" and "://" not in source and not os.path.exists(source) and os.path.isfile(words[0]):
        turned = f'{here} {_quoted(words[0])} "{source}"'
        if near is not None and command == "ask":
            raise usage(
                f"no command or file {source!r}; did you mean: rewind {near} {_quoted(words[0])}, or as a question: "
                f"{turned}"
            )
        raise usage(f"the video comes first: {turned}")
    return words[0]


_COMMANDS = (
    "ask", "find", "watch", "info", "chat", "train", "arena", "worlds", "models", "store", "evaluate",
)  # fmt: skip


def _quoted(text: str) -> str:
    return f'"{text}"' if not text or any(c.isspace() for c in text) else text


def _why(error: RewindError | OSError) -> str:
    return explain_os_error(error) if isinstance(error, OSError) else str(error)


def key_frames_of(found: Found) -> tuple[KeyFrame, ...]:
    """What to look at of a find: the middle of each moment."""
    from rewind.values import KeyFrame

    return tuple(KeyFrame((m.start_s + m.end_s) / 2, m.score, -1) for m in found.moments)


def write_files(
    video: Video, source: str, result: Result, key_frames: Sequence[KeyFrame], output: Output, *, title: str
) -> tuple[Result, dict[str, list[Path]]]:
    """Evidence and clips where asked for. The answer stands where they fail: that becomes a degradation of it."""
    from rewind.evidence import write_evidence
    from rewind.video import cut

    written: dict[str, list[Path]] = {}
    lost: list[str] = []
    if output.evidence is not None and not key_frames:
        written["evidence"] = []
        lost.append("evidence not written: there are no moments to show")
    elif output.evidence is not None:
        try:
            # Named by the sample that is shown, which the middle of a moment lies behind.
            times = video.sampled_s([k.time_s for k in key_frames])
            named = [replace(k, time_s=t) for k, t in zip(key_frames, times, strict=True)]
            written["evidence"] = write_evidence(video.pictures(times), named, output.evidence, title=title)
        except (RewindError, OSError) as error:
            lost.append(f"evidence not written: {_why(error)}")
    if output.clips is not None and not result.moments:
        written["clips"] = []
        lost.append("clips not written: there are no moments to cut out")
    elif output.clips is not None:
        try:
            written["clips"] = cut(source, result.moments, output.clips, info=video.info)
        except (RewindError, OSError) as error:
            lost.append(f"clips not written: {_why(error)}")
    return replace(result, degradations=(*result.degradations, *lost)), written
