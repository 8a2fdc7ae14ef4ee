"""A file to be asked many questions: its features are the user's own, or kept for the run where the disk takes none."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from rewind.answering import Engine
from rewind.evaluate.together import Asked, answer_of, recollect_all
from rewind.evaluate.watched import Watched, watch_file


def test_a_store_that_takes_nothing_costs_the_keeping_not_the_answers(
    watched: Watched, film: Path, speaker: Engine, model: str, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("no folder")
    kept_nowhere = watch_file(film, engine=speaker, model=model, store=tmp_path / "file" / "store")
    assert any("cannot be written to" in d for d in kept_nowhere.degradations)
    asked = [Asked("When does a red star appear?")]
    ((_, there),) = recollect_all(kept_nowhere, asked)
    ((_, here),) = recollect_all(watched, asked)
    assert torch.equal(there.relevance.scores, here.relevance.scores)
    assert answer_of(kept_nowhere, asked[0], there).moments == answer_of(watched, asked[0], here).moments


@pytest.mark.parametrize("until_s", [0.0, 0.4, 7.0, 7.5, 1000.0, None])
def test_a_video_that_ends_earlier_has_fewer_rows_but_one(watched: Watched, until_s: float | None) -> None:
    seconds = watched.timeline.seconds
    want = len(seconds) if until_s is None else max(1, int((seconds < until_s).sum()))
    assert len(watched.until(until_s)) == want


def test_the_start_is_the_first_instant_of_the_files_own_time(watched: Watched) -> None:
    later = replace(watched, info=replace(watched.info, start_pts=90, time_base=watched.info.time_base / 10))
    assert later.start_s == float(90 * later.info.time_base)
