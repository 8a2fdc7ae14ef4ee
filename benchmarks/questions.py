"""What questions cost on a watched video: the walk over memory, a different question, the same one again."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import rewind
from benchmarks import Line
from benchmarks.reading import make_video
from rewind import Answer


def run(*, minutes: int = 60) -> list[Line]:
    """An hour of small pictures, 4 a second: decoding is short, so the ratios to the first question are strict ones."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "hour.mp4"
        make_video(path, seconds=minutes * 60, rate=4, size="640x360")
        rewind.open(path, store=Path(folder) / "warm")  # loads the model, which no video pays for twice
        video = rewind.open(path, store=Path(folder) / "store")
        begun = time.perf_counter()
        video.watch()
        watched = time.perf_counter() - begun
        first, one = _timed(video, "Is there a bicycle?")
        other, two = _timed(video, "When does a red star appear?")
        again, _ = _timed(video, "When does a red star appear?")
        # The same question in a new handle, as a second command would ask it: memory comes from beside the features.
        fresh, _ = _timed(rewind.open(path, store=Path(folder) / "store"), "When does a red star appear?")
    whole = watched + first
    right = {"watch_s": round(watched, 2), "first_question_s": round(whole, 2)}
    frames = one.frames.read
    memory, budget = two.seconds.memory, two.tokens.budget

    def share(name: str, took: float, bound: float | None, of: float) -> Line:
        return Line(name, round(took / of, 4), bound, {"seconds": round(took, 3), "frames": frames}, right)

    return [
        share("memory_pass.of_watch", memory, 0.10, watched),
        share("question.different", other, 0.12, whole),
        share("question.same", again, 0.01, whole),
        share("question.same_new_handle", fresh, None, whole),
        Line("tokens.of_budget", two.tokens.total / budget, 1.0, {"total": two.tokens.total}, {"budget": budget}),
    ]


def _timed(video: rewind.Video, question: str) -> tuple[float, Answer]:
    begun = time.perf_counter()
    answer = video.ask(question)
    return time.perf_counter() - begun, answer
