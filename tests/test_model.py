"""The joined model: any split equals one pass, instructions steer memory, files round-trip."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file

from rewind.config import SIZES, ReWindConfig
from rewind.errors import ConfigError, WeightsError
from rewind.language.aloud import SHARE
from rewind.memory import MemoryState
from rewind.model import ReWind
from rewind.models import _BEHIND_WALK, _WALK, fingerprint, from_pretrained, save_pretrained, weights_hash
from tiny import CONFIG, TOKENIZER, ask, text, tiny, video, watch


@settings(max_examples=15, deadline=None)
@given(st.integers(1, 60), st.integers(1, 60))
def test_asking_midway_changes_nothing_of_what_comes_after(frames: int, at: int) -> None:
    """A clip that is not yet full is perceived for the question and not written for good (promise 8)."""
    model, question = tiny(), text()
    deep, fine = video(frames)
    size = model.config.clip_frames
    state = model.begin(question)
    for start in range(0, frames, size):
        if start <= at < start + size and at < frames:
            asked = model.update(state, deep[start:at], fine[start:at]) if at > start else state
            assert asked.frames == at
            if at:
                alone = watch(model, deep[:at], fine[:at], question)
                torch.testing.assert_close(asked.tokens(), alone.tokens(), atol=1e-5, rtol=1e-5)
        state = model.update(state, deep[start : start + size], fine[start : start + size])
    whole = watch(model, deep, fine, question)
    torch.testing.assert_close(state.tokens(), whole.tokens(), atol=1e-5, rtol=1e-5)


def test_projecting_once_equals_projecting_clip_by_clip() -> None:
    model, question = tiny(), text()
    deep, fine = video(21)
    patches = model.project(deep, fine)
    state = model.begin(question)
    for clip in patches.split(model.config.clip_frames):
        state = model.perceive(state, clip)
    torch.testing.assert_close(state.tokens(), watch(model, deep, fine, question).tokens(), atol=1e-5, rtol=1e-5)


def test_two_videos_in_turns_answer_as_alone() -> None:
    model = tiny()
    a, b = video(19, 1), video(27, 2)
    alone = ask(model, *a, text(1)), ask(model, *b, text(2))
    states = [model.begin(text(1)), model.begin(text(2))]
    for start in range(0, 27, 8):
        for i, (deep, fine) in enumerate((a, b)):
            if start < len(deep):
                states[i] = model.update(states[i], deep[start : start + 8], fine[start : start + 8])
    for state, (deep, fine), question, want in zip(states, (a, b), (text(1), text(2)), alone, strict=True):
        scores = model.frame_scores(state)
        picks = model.select(state, scores=scores)
        got = model.answer(
            state, picks, text=question, patches=model.project(deep, fine)[torch.tensor(picks.rows)],
            seconds=torch.arange(len(deep), dtype=torch.float64), scores=scores,
        )  # fmt: skip
        assert got == want


def test_memory_follows_the_instruction_and_earlier_clips() -> None:
    model = tiny()
    deep, fine = video(16)
    one, two = (watch(model, deep, fine, text(i)).tokens() for i in (1, 2))
    assert (one - two).abs().max() > 1e-3
    other = torch.cat([video(8, 9)[0], deep[8:]]), torch.cat([video(8, 9)[1], fine[8:]])
    assert (watch(model, *other, text(1)).tokens()[:, 8:] - one[:, 8:]).abs().max() > 1e-5
    deaf = tiny(read_memory=False)
    same = watch(deaf, *other, text(1)).tokens()[:, 8:] - watch(deaf, deep, fine, text(1)).tokens()[:, 8:]
    assert same.abs().max() < 1e-5


@torch.no_grad()
@pytest.mark.parametrize("tokens", [2, 4, 64])  # fewer than there are patches, and more
def test_detail_holds_what_each_of_the_best_patches_reads(tokens: int) -> None:
    model = tiny(read_detail=True, detail_tokens=tokens, budget=2000)
    state, patches = model.begin(text()), torch.randn(1, 3, 9, model.config.width)
    assert model.aim is not None
    assert state.slots is not None
    marked, logits = model.aim.mark_patches(patches, state.slots)
    each = model.aim.read_each(patches, logits, state.pooled, most=tokens)
    found = model.look(patches, state) - 0.1 * model.detail(marked, state.pooled)
    assert found.shape == (1, 3, tokens, model.config.width)
    torch.testing.assert_close(found[:, :, :9], each)
    assert found[:, :, 9:].abs().max() < 1e-5 if tokens > 9 else each.shape[2] == tokens
    assert ask(model, *video(20), text()).tokens.detail == tokens * model.config.key_frames


def test_key_frames_hold_the_best_scores_in_time_order() -> None:
    model = tiny()
    state = watch(model, *video(40), text())
    scores = torch.rand(40, generator=torch.Generator().manual_seed(1))
    picks = model.select(state, scores=scores)
    assert list(picks.rows) == sorted(picks.rows)
    assert len(picks.rows) == 4
    assert set(scores.topk(2).indices.tolist()) <= set(picks.rows)


@torch.no_grad()
def test_what_the_decoder_is_told_of_moments_equals_a_plain_reading_of_the_scores() -> None:
    model = tiny(moments=8)
    made = torch.Generator().manual_seed(2)
    tokens, seconds = torch.randn(2, 12, 2, 16, generator=made), 40.0 + 0.5 * torch.arange(12, dtype=torch.float64)
    logits = torch.full((2, 12, 2), -4.0)
    logits[0, 2:5, 0], logits[0, 3, 0], logits[0, 9:, 0], logits[0, 1:3, 1] = 2.0, 4.0, 3.0, 2.5
    logits[1, 7, 1] = 4.0
    parts = model.moment_parts(tokens, logits, seconds, end_s=46.0)
    assert parts is not None
    # Video, track, first and last row, how-manieth of its track, how-manieth of all, best logit.
    told = [(0, 0, 2, 4, 0, 1, 4.0), (0, 0, 9, 11, 1, 2, 3.0), (0, 1, 1, 2, 0, 0, 2.5), (1, 1, 7, 7, 0, 0, 4.0)]
    assert parts.mask.tolist() == [[True] * 3, [True, False, False]]
    for at, (video_, track, first, last, ordinal, rank, logit) in zip([0, 1, 2, 0], told, strict=True):
        here = video_, at
        assert (int(parts.track[here]), int(parts.ordinal[here]), int(parts.rank[here])) == (track, ordinal, rank)
        begin, end = 40 + first / 2, 40 + (last + 1) / 2
        torch.testing.assert_close(parts.start[here], torch.tensor([(begin - 40) / 6, 46 - begin]))
        torch.testing.assert_close(parts.end[here], torch.tensor([(end - 40) / 6, 46 - end]))
        torch.testing.assert_close(parts.tokens[here], tokens[video_, first : last + 1].mean(0))
        assert float(parts.score[here]) == pytest.approx(float(torch.sigmoid(torch.tensor(logit))))
    assert tiny(moments=0).moment_parts(tokens, logits, seconds, end_s=46.0) is None


@torch.no_grad()
def test_a_video_in_which_nothing_is_found_has_no_moments() -> None:
    model = tiny()
    parts = model.moment_parts(torch.randn(1, 5, 2, 16), torch.full((1, 5, 2), -3.0), torch.arange(5.0), end_s=5.0)
    assert parts is not None
    assert parts.mask.shape == (1, 0)
    assert parts.tokens.shape == (1, 0, 2, 16)


def test_places_of_patches_need_a_neck_that_knows_them() -> None:
    with pytest.raises(ConfigError, match="allowed: perceives='neck'"):
        tiny(perceives="deep")


def test_memory_depends_on_no_field_that_its_key_leaves_out() -> None:
    changes: dict[str, object] = {
        "size": "other", "selector": "uniform", "candidates": 20, "key_frames": 3, "neighbours": 2, "reserve": 1,
        "detail": "pool", "detail_tokens": 9, "instruct_detail": False, "read_detail": True, "decoder_width": 32,
        "decoder_layers": 1, "decoder_heads": 2, "vocabulary": 300, "budget": 300, "instruction_limit": 20,
        "answer_reserve": 7, "score_in_prompt": False, "words_in_prompt": True, "moments": 0, "score_width": 4,
        "score_after": True, "decoder": "hub:none",
    }  # fmt: skip
    assert set(changes) == set(_BEHIND_WALK)
    one, other = tiny(), tiny(**changes)
    other.load_state_dict({k: v for k, v in one.state_dict().items() if k.split(".")[0] in _WALK}, strict=False)
    question = text()
    with torch.no_grad():
        tokens, same = (watch(model, *video(20), question).tokens() for model in (one, other))
    assert torch.equal(tokens, same)
    assert fingerprint(one).walk == fingerprint(other).walk
    assert fingerprint(tiny(write_mean=False)).walk != fingerprint(one).walk


def test_a_longer_clip_than_the_model_takes_is_refused() -> None:
    model = tiny()
    with pytest.raises(ConfigError, match="a clip of 9 frames; allowed: 1 to 8"):
        model.update(model.begin(text()), *video(9))


def test_weights_round_trip_and_are_named_by_their_hash(tmp_path: Path) -> None:
    model = tiny()
    save_pretrained(model, tmp_path, dtype=torch.float32)
    again = from_pretrained(tmp_path)
    assert again.config == model.config
    assert weights_hash(again) == weights_hash(model)
    assert ask(again, *video(20), text()) == ask(model, *video(20), text())
    again.read.queries.add_(1e-3)
    assert weights_hash(again) != weights_hash(model)


def test_damaged_weights_are_refused_in_one_line(tmp_path: Path) -> None:
    save_pretrained(tiny(), tmp_path)
    path = tmp_path / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(WeightsError, match="allowed: weights written by save_pretrained") as caught:
        from_pretrained(tmp_path)
    assert "\n" not in str(caught.value)


def test_a_config_of_another_version_is_refused_by_name(tmp_path: Path) -> None:
    CONFIG.save(tmp_path / "config.json")
    assert ReWindConfig.load(tmp_path / "config.json") == CONFIG
    bad = (tmp_path / "config.json").read_text().replace('"layers"', '"depth"')
    (tmp_path / "config.json").write_text(bad)
    with pytest.raises(ConfigError, match="depth"):
        ReWindConfig.load(tmp_path / "config.json")


@pytest.mark.parametrize("size", sorted(SIZES))
def test_every_size_has_the_shapes_it_says(size: str) -> None:
    config = ReWindConfig.of_size(size)
    with torch.device("meta"):
        model = ReWind(config, tokenizer=TOKENIZER)
        c = config
        state = MemoryState(torch.empty(1, 5, c.width), torch.ones(1, 5, dtype=torch.bool), torch.empty(1, c.width))
        deep = torch.empty(1, c.clip_frames, c.patches, c.vision_width)
        fine = torch.empty(1, c.clip_frames, c.fine_grid**2, c.fine_width)
        patches = model.patches(deep, fine)
        perceived = model.perceiver(model.read(state), patches, state.text, state.text_mask)
        tokens = model.write(perceived, state.pooled)
        detail = model.detail(patches, state.pooled)
    assert perceived.shape == (1, c.clip_frames, c.queries, c.width)
    assert tokens.shape == (1, c.clip_frames, 2, c.width)
    assert detail.shape == (1, c.clip_frames, c.detail_tokens, c.width)
    assert model.prompt.memory.out_features == c.decoder_width


def test_the_published_size_is_the_papers() -> None:
    config = ReWindConfig.of_size("7b")
    assert (config.width, config.heads, config.layers, config.queries) == (768, 12, 8, 32)
    assert (config.vision_width, config.patches, config.decoder_width) == (1408, 256, 4096)
    assert (config.candidates, config.key_frames, config.detail_tokens, config.write_tokens) == (64, 8, 32, 2)


def test_memory_read_aloud_is_heard_where_the_instruction_asks_for_what_a_frame_shows(tmp_path: Path) -> None:
    model, (deep, fine) = tiny(), video(20)
    plain = ask(model, deep, fine, text())
    old = {k: v for k, v in model.state_dict().items() if not k.startswith("reads.")}
    state = watch(model, deep, fine, text())
    logits = model.score(state.tokens(), state.pooled)
    assert model.hear(state.tokens(), logits, text().pooled) is None, "until it is taught"
    model.reads[1].bias.fill_(40.0)
    heard = model.hear(state.tokens(), logits, text().pooled)
    assert heard is not None
    assert float(heard.weight[0]) == pytest.approx(SHARE)
    assert ask(model, deep, fine, text()).confidence != plain.confidence
    save_pretrained(model, tmp_path / "m")
    save_file({k: v.contiguous() for k, v in old.items()}, tmp_path / "m" / "model.safetensors")
    assert ask(from_pretrained(tmp_path / "m"), deep, fine, text()) == plain, "weights of before hear nothing"
