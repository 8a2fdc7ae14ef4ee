"""From memory to words: within the budget at any length, places as shares, and an answer as sure as it was fitted."""

from __future__ import annotations

import math
from dataclasses import dataclass

import pytest
import torch

from rewind.language.moments import tally
from rewind.language.prompt import Prompt, PromptParts
from rewind.language.speak import Spoken
from rewind.language.tokenizer import END
from rewind.model import ReWind
from tiny import TOKENIZER, ask, text, tiny, video, watch


@dataclass(frozen=True)
class Says:
    """A decoder that is as sure of its two tokens as it is told to be."""

    each: float

    def require_room(self, question: str, *, room: int) -> None:
        assert (question, room) == ("question 0", 16)

    def speak(self, prompt: Prompt, parts: PromptParts, question: str, *, room: int, limit: int) -> Spoken:
        self.require_room(question, room=room)
        return Spoken("red", (math.log(self.each),) * 2, int(parts.text_mask.sum()), complete=limit == 6)


def saying(each: float) -> ReWind:
    model = ReWind(tiny().config, tokenizer=TOKENIZER, speaker=Says(each)).eval().requires_grad_(False)
    model.answers.fill_(1.0)
    return model


def test_confidence_is_that_of_the_whole_answer_calibrated_and_as_far_as_the_question_is_familiar() -> None:
    model = saying(0.8)
    model.answer_temperature.fill_(2.0)
    familiar = model.familiarity(text())
    assert 0 < familiar < 1
    said = ask(model, *video(20), text())
    assert said.text == "red"
    assert said.confidence == pytest.approx(0.8 * familiar, rel=1e-6), "the square root of .8 * .8"
    assert ask(model, *video(20), text(), familiarity=0.5).confidence == pytest.approx(0.4, rel=1e-6)
    model.answers.fill_(0.0)
    untrained = ask(model, *video(20), text())
    assert (untrained.text, untrained.confidence) == ("red", 0.0)
    assert any("not trained" in d for d in untrained.degradations)


def test_an_instruction_that_is_too_long_is_cut_and_says_so() -> None:
    for words in (16, 17):
        said = ask(saying(0.8), *video(20), text(words=words))
        assert said.tokens.instruction == 16
        assert ("the instruction was cut to its first 16 tokens" in said.degradations) == (words > 16)


@pytest.mark.parametrize("frames", [1, 3, 8, 200])
def test_tokens_stay_within_the_budget_at_any_length(frames: int) -> None:
    model = tiny()
    answer = ask(model, *video(frames), text())
    tokens = answer.tokens
    assert tokens.memory_stored == 2 * frames
    visual = tokens.memory_shown + tokens.moments + tokens.detail
    assert tokens.total == visual + 1 + tokens.instruction + tokens.answer_reserve
    assert tokens.total <= tokens.budget == 240
    assert 0 <= answer.confidence <= 1
    merged = [d for d in answer.degradations if "merged" in d]
    assert bool(merged) == (2 * frames > model.config.memory_budget)


@pytest.mark.slow
def test_ten_hours_stay_within_the_budget() -> None:
    model = tiny(clip_frames=8)
    frames = 36_000
    question = text()
    state = model.begin(question)
    made = torch.randn(1, frames, 2, 16, generator=torch.Generator().manual_seed(0))
    for part in made.split(4096, dim=1):
        state = state.append(part, *model.read.project(part))
    scores = model.frame_scores(state)
    picks = model.select(state, scores=scores)
    answer = model.answer(
        state, picks, text=question, patches=model.project(*video(len(picks.rows))),
        seconds=torch.arange(frames, dtype=torch.float64), scores=scores,
    )  # fmt: skip
    assert answer.tokens.memory_stored == 72_000
    assert answer.tokens.total <= 240


@torch.no_grad()
@pytest.mark.parametrize("step", [0.1, 0.5, 2.0])
def test_places_are_the_same_share_at_any_rate_and_the_last_stretch_reaches_now(
    step: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[PromptParts] = []
    model, question = tiny(), text()
    model.prompt.register_forward_pre_hook(lambda _module, args: told.append(args[0]))
    monkeypatch.setattr(model.score, "forward", lambda tokens, *_: torch.full((*tokens.shape[:2], 2), 4.0))
    deep, fine = video(12)
    state = watch(model, deep, fine, question)
    picks = model.select(state, scores=torch.ones(12))
    patches = model.project(deep[list(picks.rows)], fine[list(picks.rows)])
    for times in (torch.arange(12, dtype=torch.float64), 7.0 + step * torch.arange(12, dtype=torch.float64)):
        model.answer(state, picks, text=question, patches=patches, seconds=times, scores=torch.ones(12))
    at_one, at_other = told
    for name in ("memory_place", "detail_place"):
        torch.testing.assert_close(getattr(at_other, name)[..., 0], getattr(at_one, name)[..., 0])
    assert at_other.moments is not None
    assert tally(at_other.moments, tracks=2)[2].all()


def test_an_answer_that_the_limit_cut_says_so() -> None:
    model = tiny()
    said = "the answer was cut after 6 tokens"
    assert model.decoder is not None
    for lead, cut in ((-100.0, True), (100.0, False)):
        model.decoder.out.bias[END] = lead
        assert (said in ask(model, *video(20), text()).degradations) == cut
