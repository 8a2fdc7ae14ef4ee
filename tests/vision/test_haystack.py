"""The haystack benchmark on real clips: its queries fit the corpus, and finding stays as good as it was."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def haystack() -> ModuleType:
    spec = importlib.util.spec_from_file_location("haystack", ROOT / "benchmarks" / "haystack.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_halves_share_no_clip_and_no_absent_query() -> None:
    spec = json.loads((ROOT / "benchmarks" / "haystack_queries.json").read_text())
    tuning, heldout = spec["tuning"], spec["heldout"]
    assert not set(tuning["clips"]) & set(heldout["clips"])
    assert not set(tuning["absent"]) & set(heldout["absent"])
    for half in (tuning, heldout):
        assert len(half["present"]) >= 40
        assert len(half["absent"]) >= 40
        assert all(set(item["clips"]) <= set(half["clips"]) and item["clips"] for item in half["present"])


def test_the_interval_covers_the_share(haystack: ModuleType) -> None:
    low, high = haystack.interval([True] * 30 + [False] * 10)
    assert 0.5 < low < 0.75 < high < 0.95
    assert haystack.interval([True] * 5) == (1.0, 1.0)


@pytest.mark.slow
@pytest.mark.corpus
def test_finding_on_the_tuning_half(haystack: ModuleType, corpus: Path) -> None:
    lines = haystack.run(corpus, "tuning", threshold=haystack.SEEN)
    found = {line["metric"]: line.get("value") for line in lines}
    assert found["right"] >= 0.5
    assert found["absent"] >= 0.65


@pytest.mark.corpus
def test_a_joined_film_shows_each_clip_in_its_own_seconds(haystack: ModuleType, corpus: Path, tmp_path: Path) -> None:
    """A portrait clip between two wide ones: bars there and nowhere else."""
    names = ("VideoProcessingFramework__test.mp4", "ExoPlayer__sample_with_color_info.mp4", "sam2__02_cups.mp4")
    haystack.join([corpus / "videos" / name for name in names], tmp_path / "film.mp4", seconds=4)
    with haystack.open_frames(tmp_path / "film.mp4", active=True) as stream:
        frames = list(stream)
    assert len(frames) == 12
    assert [frame.active is not None for frame in frames] == [False] * 4 + [True] * 4 + [False] * 4
