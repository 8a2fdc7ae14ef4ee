"""Questions that walk together get what each gets alone, and what a user is told."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch

import rewind
from rewind import answering
from rewind.answering import Engine
from rewind.evaluate.together import Asked, answer_of, moments_of, project_all, recollect_all
from rewind.evaluate.watched import Watched, draw_world
from rewind.store import StoredFeatures
from rewind.worlds import Question, World


def instructions(asked: list[Question]) -> list[Asked]:
    found = [Asked(q.text, q.at_s) for q in asked]
    # Ends inside the first clip, on a clip's edge, and past the video's end.
    return [*found, Asked("a red star", 0.5), Asked("a red star", 16.0), Asked("a blue star", 500.0), Asked("x", 0.0)]


@pytest.fixture
def alone(watched: Watched, tmp_path: Path) -> Watched:
    """The same features in a store that nothing walked yet."""
    folder = Path(shutil.copytree(watched.stored.folder, tmp_path / "copy"))
    for kept in folder.glob("memory-*"):
        kept.unlink()
    return replace(watched, stored=StoredFeatures(folder, watched.stored.manifest))


def test_a_batch_remembers_what_each_question_remembers_alone(
    watched: Watched, alone: Watched, asked: list[Question]
) -> None:
    several, last = instructions(asked), len(watched.timeline)
    seen = dict(recollect_all(watched, several, batch=5))
    assert sorted(seen) == list(range(len(several)))
    for i, one in enumerate(several):
        timeline = alone.until(one.until_s)
        want = answering.recollect(alone.engine, alone.stored.stretch(0, len(timeline)), timeline, one.text)
        assert len(timeline) == (last if one.until_s is None else max(1, min(last, int(one.until_s + 0.5))))
        torch.testing.assert_close(seen[i].state.tokens(), want.state.tokens(), rtol=1e-4, atol=1e-4)
        torch.testing.assert_close(seen[i].relevance.scores, want.relevance.scores, rtol=1e-4, atol=1e-4)


def test_what_a_batch_walked_is_not_walked_again(
    watched: Watched, asked: list[Question], monkeypatch: pytest.MonkeyPatch
) -> None:
    def walks(*_: object) -> None:
        raise AssertionError("walked alone")

    monkeypatch.setattr(answering, "_walk", walks)
    several = instructions(asked)
    assert len(list(recollect_all(watched, several, patches=project_all(watched)))) == len(several)


def test_the_answers_are_those_that_a_user_gets(
    watched: Watched, film: Path, asked: list[Question], model: str, tmp_path: Path
) -> None:
    video = rewind.open(film, model=model, store=tmp_path)
    several = [Asked(q.text, q.at_s) for q in asked]
    sources = set()
    for i, seen in recollect_all(watched, several):
        given, want = answer_of(watched, several[i], seen), video.ask(several[i].text, until_s=several[i].until_s)
        sources.add(want.answer_source)
        assert (given.said.text, given.said.absent, given.said.source) == (
            want.answer, want.absent, want.answer_source,
        )  # fmt: skip
        assert [k.row for k in given.key_frames] == [k.row for k in want.key_frames]
        assert given.decoded.tokens == want.tokens
        found = video.find(several[i].text, until_s=several[i].until_s)
        spans = [(m.start_s, m.end_s) for m in found.moments]
        assert [(m.start_s, m.end_s) for m in moments_of(watched, several[i], seen)] == spans
    assert "decoder" in sources


def test_a_drawn_world_has_the_files_times_and_nearly_its_features(
    watched: Watched, world: World, speaker: Engine, tmp_path: Path
) -> None:
    seen: list[tuple[int, int | None]] = []
    seconds = world.duration_s
    drawn = draw_world(world, tmp_path / "drawn", engine=speaker, progress=lambda d, t: seen.append((d, t)))
    assert drawn.timeline.seconds.tolist() == watched.timeline.seconds.tolist()
    one, two = (torch.cat([p.float() for (p,) in v.stored.by_shard("deep")]).flatten() for v in (drawn, watched))
    assert float(torch.corrcoef(torch.stack([one, two]))[0, 1]) > 0.9
    assert seen[-1] == (seconds, seconds)
    again = draw_world(world, tmp_path / "drawn", engine=speaker, progress=lambda d, t: pytest.fail("drawn again"))
    assert len(again.stored) == seconds
