"""Frame scores: a track for each thing named, nearness to the end where the words ask for it, one probability."""

from __future__ import annotations

from dataclasses import replace

import torch

from rewind.config import SLOTS, ReWindConfig
from rewind.selection.score import FrameScore


@torch.no_grad()
def test_each_thing_has_a_track_and_the_best_counts() -> None:
    torch.manual_seed(0)
    score = FrameScore(replace(ReWindConfig(), width=16, score_width=8))
    logits = score(torch.randn(2, 7, 2, 16), torch.randn(2, 16))
    assert logits.shape == (2, 7, SLOTS)
    score.temperature.fill_(2.0)
    score.shift.fill_(0.5)
    torch.testing.assert_close(score.probability(logits), torch.sigmoid(logits.amax(-1) / 2 + 0.5))


@torch.no_grad()
def test_the_end_counts_as_far_as_the_words_ask_for_it() -> None:
    torch.manual_seed(0)
    score = FrameScore(replace(ReWindConfig(), width=16, score_width=8))
    tokens, pooled = torch.randn(1, 1, 2, 16).expand(1, 4, 2, 16), torch.randn(1, 16)
    score.recent.weight.zero_()
    score.recent.bias.fill_(3.0)
    logits = score(tokens, pooled, torch.tensor([9.0, 5.0, 1.0, 0.0]))[0, :, 0]
    assert logits.diff().gt(0).all()
    seconds = torch.tensor([3.0, 2.0, 1.0, 0.0])
    torch.testing.assert_close(score(tokens, pooled), score(tokens, pooled, seconds))
    score.recent.bias.zero_()
    assert score(tokens, pooled)[0, :, 0].diff().abs().max() < 1e-5


@torch.no_grad()
def test_a_frame_may_hear_the_one_after_it_and_no_other() -> None:
    torch.manual_seed(0)
    config = replace(ReWindConfig(), width=16, score_width=8, score_after=True)
    score, tokens, pooled = FrameScore(config), torch.randn(1, 6, 2, 16), torch.randn(1, 16)
    untaught = score(tokens, pooled)
    assert score.after is not None
    score.after.weight.normal_()
    score.after.bias.normal_()
    taught = score(tokens, pooled)
    torch.testing.assert_close(taught[:, -1], untaught[:, -1])  # nothing comes after the last
    assert ((taught - untaught)[:, :-1].abs() > 1e-4).all()
    other = tokens.clone()
    other[:, 3] += torch.randn(2, 16)
    changed = (score(other, pooled) - taught)[0].abs().amax(-1) > 1e-6
    assert changed.tolist() == [False, False, True, True, False, False]
