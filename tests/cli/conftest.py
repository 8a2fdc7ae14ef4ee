"""A video that answers at once, so that the command line is tested for what it says and not for what it sees."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from typer.testing import CliRunner, Result

import rewind
from rewind.cli import app
from rewind.estimate import Estimate
from rewind.outcome import WatchReport
from rewind.values import Answer, Found, FrameCount, KeyFrame, Moment, Seconds, TokenCount, VideoInfo

FRAMES = FrameCount(5530, 5528, 2)


def make_info(path: str = "match.mp4", **changes: Any) -> VideoInfo:
    info = VideoInfo(
        path, "mov,mp4", "h264", 1280, 720, 0, Fraction(1, 12800), 0, 5530.0, 25.0, 138250, 700_000_000, False, True
    )
    return replace(info, **changes)


@dataclass
class FakeVideo:
    """Stands in for `rewind.open(...)`; says what it was asked for in `calls`, and raises `fault` where one is set."""

    info: VideoInfo = field(default_factory=make_info)
    estimate: Estimate = field(default_factory=lambda: Estimate(5530, 180.0, 416_000_000, False))
    degradations: tuple[str, ...] = ("2 broken frames skipped",)
    absent: bool = False
    known: bool = True
    fault: BaseException | None = None
    within: tuple[float, float] | None = None
    part: Estimate | None = None
    opened: dict[str, Any] = field(default_factory=dict)
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def estimate_for(self, instruction: str, **limits: Any) -> Estimate:
        return self.part or self.estimate

    @property
    def kept(self) -> bool:
        return not self.info.live

    def ask(self, question: str, **options: Any) -> Answer:
        self._called("ask", question=question, **options)
        moments = () if self.absent else (Moment(3848.0, 3857.0, 0.91), Moment(1360.0, 1371.0, 0.34))
        return Answer(
            "At 1:04:12: the keeper\ndives left.", self.absent, moments, (KeyFrame(3852.0, 0.91, 3852),), 0.8,
            "decoder", 0.08, 3090.0, 0.3, TokenCount(11060, 1024, 128, 12, 32, 1197, 1536), FRAMES, "nano",
            self.info, self.degradations, Seconds(1.0, 2.0, 1.5, 0.1, 0.5), self.within,
        )  # fmt: skip

    def find(self, query: str, **options: Any) -> Found:
        self._called("find", query=query, **options)
        moments = () if self.absent else (Moment(3848.0, 3857.0, 0.91), Moment(2.0, 3.5, 0.34))
        return Found(
            self.absent, moments, 0.08, 3090.0, 0.3, FRAMES, "nano", self.info, self.degradations, Seconds(memory=0.2),
            self.known, self.within,
        )  # fmt: skip

    def watch(self, **options: Any) -> WatchReport:
        self._called("watch", **options)
        return WatchReport(FRAMES, self.degradations, Seconds(100.0, 170.0), 416_000_000, 256)

    def pictures(self, times_s: Sequence[float], *, max_side: int = 720) -> list[Image.Image]:
        return [Image.new("RGB", (64, 36), (200, 30, 30)) for _ in times_s]

    def sampled_s(self, times_s: Sequence[float]) -> list[float]:
        return [float(int(t)) for t in times_s]

    def _called(self, what: str, **options: Any) -> None:
        progress = options.pop("progress", None)
        self.calls.append((what, options))
        if progress:
            progress(1, 5530)
        if self.fault is not None:
            raise self.fault


@pytest.fixture
def video(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FakeVideo:
    """The video that every command opens, in an empty working folder with a file `match.mp4`."""
    fake = FakeVideo()

    def open_fake(source: str, **options: Any) -> FakeVideo:
        fake.opened = {"source": source, **options}
        return fake

    monkeypatch.setattr(rewind, "open", open_fake, raising=False)
    monkeypatch.delenv("REWIND_STORE", raising=False)
    monkeypatch.delenv("REWIND_DEBUG", raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "match.mp4").write_bytes(b"not read")
    return fake


@pytest.fixture
def run() -> Callable[..., Result]:
    """`run("ask", "match.mp4", …)` as the console script would."""

    def invoke(*args: str, **options: Any) -> Result:
        return CliRunner().invoke(app, list(args), prog_name="rewind", **options)

    return invoke
