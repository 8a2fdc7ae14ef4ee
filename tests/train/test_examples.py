"""Training data: the bank's features are those of its scenes, examples carry the truth, test seeds are refused."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch

from rewind.config import SLOTS
from rewind.errors import TestSeedError
from rewind.language.tokenizer import AnswerTokenizer
from rewind.text import load_text
from rewind.train import run
from rewind.train.bank import Bank, OutOfTime, ProjectedBank, make_bank, project_bank
from rewind.train.examples import MIX, draw_batch, draw_example
from rewind.train.losses import aim_loss, answer_loss, draw_key_frames, relevance_loss
from rewind.vision import VisionEncoder, load_vision
from rewind.worlds import KINDS, vocabulary
from rewind.worlds.looks import MOTION_WORDS, SIZES
from rewind.worlds.scene import Scene
from rewind.worlds.splits import TEST_SEEDS, VALIDATION_SEEDS
from rewind.worlds.truth import SceneTruth


@pytest.fixture(scope="module")
def encoder() -> VisionEncoder:
    return load_vision()


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory, encoder: VisionEncoder) -> Bank:
    return make_bank(tmp_path_factory.mktemp("bank"), seed=11, scenes=10, encoder=encoder)


@pytest.fixture(scope="module")
def projected(bank: Bank) -> ProjectedBank:
    """A neck that hands on the first 16 numbers of every deep patch."""
    return project_bank(bank, lambda deep, _fine: deep[..., :16])


def test_bank_rows_are_the_scenes_own_frames(bank: Bank, encoder: VisionEncoder) -> None:
    scene = bank.scenes[4]
    frame = Scene(scene.seed, scene.number).frame(3.0)
    deep, _, _ = encoder.encode(torch.from_numpy(np.stack([frame])))
    stored = bank.deep[bank.first[4:5] + 3].float()
    near = torch.nn.functional.cosine_similarity(stored.flatten(), deep.float().flatten(), dim=0)
    far = torch.nn.functional.cosine_similarity(
        bank.deep[bank.first[5:6]].float().flatten(), deep.float().flatten(), dim=0
    )
    assert near > 0.9  # the file's compression and bf16 lie between
    assert near > far + 0.1


def test_a_bank_resumes_and_refuses_another_seed(tmp_path: Path, encoder: VisionEncoder) -> None:
    first = make_bank(tmp_path, seed=20, scenes=2, encoder=encoder)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["000000.safetensors", "bank.json"]
    again = make_bank(tmp_path, seed=20, scenes=2, encoder=encoder)
    assert torch.equal(first.deep[:], again.deep[:])
    with pytest.raises(ValueError, match="another seed"):
        make_bank(tmp_path, seed=21, scenes=2, encoder=encoder)


def test_a_bank_stopped_by_time_keeps_its_shards_and_goes_on(
    tmp_path: Path, encoder: VisionEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each call makes at least one shard; one that finds them all does not stop."""
    monkeypatch.setattr("rewind.train.bank.SHARD", 2)
    made: list[int] = []

    def noise(
        truths: Sequence[SceneTruth], _encoder: object, _pictures: object, start: int
    ) -> tuple[torch.Tensor, ...]:
        made.append(start)
        frames = sum(truth.duration_s for truth in truths)
        return torch.full((frames, 1, 2), float(start)), torch.zeros(frames, 1, 2)

    monkeypatch.setattr("rewind.train.makers.encode", noise)
    for count in (1, 2, 3):
        with pytest.raises(OutOfTime):
            make_bank(tmp_path, seed=20, scenes=5, encoder=encoder, stop_at=0.0)
        assert len(list(tmp_path.glob("*.safetensors"))) == count
    bank = make_bank(tmp_path, seed=20, scenes=5, encoder=encoder, stop_at=0.0)
    assert made == [0, 2, 4]
    assert bank.deep[bank.first[4:5]][0, 0, 0] == 4


@pytest.mark.parametrize("kind", [k for k in KINDS if k != "count"])
def test_examples_mark_the_frames_of_their_evidence(projected: ProjectedBank, kind: str) -> None:
    rng = np.random.default_rng(5)
    for _ in range(10):
        example = draw_example(projected, rng, frames=64, kind=kind)  # type: ignore[arg-type]
        assert example.rows.shape == (64,)
        assert example.relevant.shape == (64, SLOTS)
        if example.question.absent:
            assert not example.relevant.any()
        elif kind == "breakpoint":
            assert example.relevant[-1].any()
            assert example.relevant.sum() == 1
        elif example.question.moments:
            assert example.relevant.any()


def test_of_a_change_the_two_frames_beside_it_count(projected: ProjectedBank) -> None:
    """Wherever the video's ends cut its moment: the frame before shows the one colour, the frame after the other."""
    rng = np.random.default_rng(10)
    for _ in range(60):
        example = draw_example(projected, rng, frames=24, kind="state")
        shown = np.flatnonzero(example.relevant[:, 0])
        assert len(shown) == 2
        assert shown[1] == shown[0] + 1
        ((start, end),) = example.question.moments
        assert start <= shown[0]
        assert shown[1] < end
        colours = []
        for row in shown:
            scene = int(np.searchsorted(projected.first, example.rows[row], side="right")) - 1
            second = int(example.rows[row] - projected.first[scene])
            changed = [c for c in projected.scenes[scene].changes if abs(c.at_s - second) <= 1]
            colours.append({c.before if second < c.at_s else c.after for c in changed})
        assert any(example.answer in of for of in colours)


def test_only_training_asks_with_phrases_longer_than_the_video_makes_them(projected: ProjectedBank) -> None:
    """What is measured must not depend on how training was made harder."""

    def moving(*, any_level: bool) -> int:
        rng = np.random.default_rng(6)
        drawn = [draw_example(projected, rng, frames=32, kind="exists", any_level=any_level) for _ in range(30)]
        return sum(any(words in e.question.text for words in MOTION_WORDS.values()) for e in drawn)

    assert moving(any_level=False) == 0
    assert moving(any_level=True) > 2


def test_what_a_phrase_of_hours_names_comes_back_in_training_too(projected: ProjectedBank) -> None:
    """Else a minute and a half has it once or never, and nobody learns that it may be there four times."""
    rng = np.random.default_rng(8)
    drawn = [draw_example(projected, rng, frames=96, kind="count", any_level=True).question for _ in range(40)]
    narrow = [q for q in drawn if any(words in q.text for words in MOTION_WORDS.values())]
    assert len(narrow) >= 5
    assert max(int(q.answer) for q in narrow) >= 3
    for question in narrow:
        assert int(question.answer) == len(question.moments)


def test_changes_are_asked_in_the_words_of_hours_in_training_alone(projected: ProjectedBank) -> None:
    """In an hour every such question names a size; a model that never met one told the thing, not its colour."""
    rng = np.random.default_rng(9)

    def sized(*, any_level: bool) -> int:
        drawn = [draw_example(projected, rng, frames=64, kind="state", any_level=any_level) for _ in range(40)]
        return sum(any(size in e.question.text.split() for size in SIZES) for e in drawn)

    assert sized(any_level=False) == 0
    assert 8 <= sized(any_level=True) <= 32


def test_a_kind_that_short_videos_never_hold_becomes_whether_something_exists(projected: ProjectedBank) -> None:
    """A minute drawn at random seldom holds every count from 0 to 5, and counts are asked only where it does."""
    drawn = [
        draw_batch(
            projected, np.random.default_rng(seed), size=2, frames=24, encoder=load_text(), mix={"count": 1.0},
            tokenizer=AnswerTokenizer.from_words(vocabulary()),
        )[1]
        for seed in range(2)
    ]  # fmt: skip
    assert {example.question.kind for batch in drawn for example in batch} <= {"count", "exists"}


def test_batches_repeat_by_their_seed(projected: ProjectedBank) -> None:
    tokenizer, text = AnswerTokenizer.from_words(vocabulary()), load_text()
    one, two = (
        draw_batch(projected, np.random.default_rng(3), size=4, frames=32, tokenizer=tokenizer, encoder=text)
        for _ in range(2)
    )
    assert torch.equal(one[0].answer, two[0].answer)
    assert torch.equal(one[0].patches, two[0].patches)
    for row, example in zip(one[0].answer.tolist(), one[1], strict=True):
        assert tokenizer.decode(row) == example.answer
    assert {e.question.kind for e in one[1]} <= set(MIX)


@pytest.mark.parametrize("seed", [TEST_SEEDS.start, VALIDATION_SEEDS.start])
def test_training_refuses_seeds_that_are_held_out(seed: int, tmp_path: Path) -> None:
    with pytest.raises(TestSeedError):
        run("nano", out=tmp_path / "run", seed=seed)
    assert not (tmp_path / "run").exists()


def test_key_frames_follow_the_teacher_or_the_scores() -> None:
    relevant = torch.zeros(1, 20, dtype=torch.bool)
    relevant[0, 13:15] = True
    logits = torch.zeros(1, 20)
    logits[0, 4] = 5.0
    made = torch.Generator().manual_seed(0)
    taught = draw_key_frames(logits, relevant, keep=4, teacher=1.0, generator=made)[0].tolist()
    assert {13, 14} <= set(taught)
    own = draw_key_frames(logits, relevant, keep=4, teacher=0.0, generator=made)[0].tolist()
    assert 4 in own
    assert own == sorted(own)


def test_losses_by_hand() -> None:
    logits, relevant = torch.tensor([[[0.0], [0.0]]]), torch.tensor([[[1], [0]]])
    assert float(relevance_loss(logits, relevant)) == pytest.approx(1.5 * np.log(2), abs=1e-6)
    words = torch.full((2, 2, 6), -20.0)
    words[0, 0, 4] = words[0, 1, 2] = words[1, 0, 5] = 20.0
    loss, correct = answer_loss(words, torch.tensor([[4, 2], [5, 0]]))
    assert float(loss) == pytest.approx(0.0, abs=1e-5)
    assert float(correct) == 1.0
    _, wrong = answer_loss(words, torch.tensor([[4, 2], [4, 0]]))
    assert float(wrong) == 0.5


def test_every_pair_of_patch_and_instruction_is_a_yes_or_a_no() -> None:
    fits = torch.tensor([[[1.0]], [[0.0]]])
    assert float(aim_loss(torch.tensor([[[30.0]], [[-30.0]]]), fits)) == pytest.approx(0.0, abs=1e-6)
    assert float(aim_loss(torch.zeros(2, 1, 1), fits)) == pytest.approx(2 * np.log(2), abs=1e-6)
    assert float(aim_loss(torch.tensor([[[-30.0]], [[30.0]]]), fits)) == pytest.approx(60.0, abs=1e-3)
