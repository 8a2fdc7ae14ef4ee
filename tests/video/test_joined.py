"""Files joined end to end, whose times go back on the way: evidence shows what was sampled, clips are refused."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from rewind.errors import VideoError
from rewind.values import Moment
from rewind.video import cut, grab, open_frames, probe
from rewind.video.passing import times_go_back

Make = Callable[..., Path]


@pytest.fixture(scope="module")
def joined(make: Make) -> Path:
    parts = [
        make(f"part{n}.ts", frames=frames, options={"g": "25", "bf": "2", "preset": "ultrafast"}, base=Fraction(1, 25))
        for n, frames in enumerate((150, 200))
    ]
    path = parts[0].with_name("joined.ts")
    path.write_bytes(b"".join(p.read_bytes() for p in parts))
    return path


def test_evidence_of_a_joined_file_is_what_was_sampled(joined: Path) -> None:
    assert times_go_back(joined)
    info = probe(joined)
    with open_frames(joined, fps=Fraction(2), size=None, info=info) as stream:
        frames = list(stream)
        assert any("times go back" in d for d in stream.report().degradations)
    assert len(frames) > 25
    picked = frames[::-3]
    got = grab(joined, [f.pts for f in picked], info=info, max_side=4000)
    assert [np.array_equal(np.asarray(g), f.pixels) for g, f in zip(got, picked, strict=True)] == [True] * len(picked)


def test_no_clip_is_cut_where_times_go_back(joined: Path, tmp_path: Path) -> None:
    with pytest.raises(VideoError, match="go back on the way") as caught:
        cut(joined, [Moment(2.0, 3.0, 0.9)], tmp_path, info=probe(joined))
    assert "\n" not in str(caught.value)
    assert caught.value.do
    assert not list(tmp_path.iterdir())


def test_times_of_other_files_do_not_go_back(clip: Path) -> None:
    assert not times_go_back(clip)
