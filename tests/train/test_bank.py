"""A bank's folder: one for several sizes, shards made anew where they are too short, other files refused."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from rewind.errors import ConfigError, RewindError
from rewind.threads import one_thread
from rewind.train import bank
from rewind.train.bank import beside, make_bank
from rewind.train.shards import holds
from rewind.vision import load_vision
from rewind.worlds.cards import plan_card
from rewind.worlds.plan import plan_scene
from rewind.worlds.truth import SceneTruth

SEED = 40


class Colours:
    """An encoder that tells a frame's mean colour, and counts the frames that it was shown."""

    weights_hash, input_size = "colours", (16, 16)

    def __init__(self) -> None:
        self.frames = 0

    def encode(self, pixels: torch.Tensor) -> tuple[torch.Tensor, ...]:
        self.frames += len(pixels)
        mean = pixels.float().mean((1, 2))[:, None]
        return mean, mean, mean


@pytest.fixture(autouse=True)
def small_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bank, "SHARD", 4)


def made(folder: Path, scenes: int, encoder: Any = None, **options: Any) -> bank.Bank:
    return make_bank(folder, seed=SEED, scenes=scenes, encoder=encoder or Colours(), **options)


def seconds(first: int, last: int) -> int:
    return sum(plan_scene(SEED + i, 0).duration_s for i in range(first, last))


def test_one_folder_serves_banks_of_several_sizes(tmp_path: Path) -> None:
    """Arenas of several lengths test on more scenes or fewer, and share a folder."""
    encoder = Colours()
    first = made(tmp_path, 7, encoder)
    assert len(first.deep) == encoder.frames == seconds(0, 7)
    fewer = made(tmp_path, 6, encoder)
    assert encoder.frames == seconds(0, 7)
    assert len(fewer.scenes) == 6
    assert torch.equal(fewer.deep[:], first.deep[: seconds(0, 6)])
    assert torch.equal(fewer.fine[:], first.fine[: seconds(0, 6)])
    more = made(tmp_path, 9, encoder)
    # The first shard was whole; the second is made anew, the third made.
    assert encoder.frames == seconds(0, 7) + seconds(4, 9)
    assert torch.equal(more.deep[: seconds(0, 4)], first.deep[: seconds(0, 4)])
    for small in (first, fewer):
        # What H.264 makes of a scene depends a little on those beside it.
        torch.testing.assert_close(more.deep[: len(small.deep)], small.deep[:], atol=6.0, rtol=0.05)
        assert more.scenes[: len(small.scenes)] == small.scenes
    again = made(tmp_path, 8, encoder)
    assert encoder.frames == seconds(0, 7) + seconds(4, 9)
    assert torch.equal(again.deep[:], more.deep[: seconds(0, 8)])


def test_a_file_that_is_no_shard_of_these_scenes_is_one_line(tmp_path: Path) -> None:
    made(tmp_path, 4)
    shard = tmp_path / "000000.safetensors"
    whole = load_file(shard)
    save_file({name: part[:-1].contiguous() for name, part in whole.items()}, shard)
    for scenes in (4, 2):
        with pytest.raises(ConfigError, match=f"holds {len(whole['deep']) - 1} frames, .*; remove it"):
            made(tmp_path, scenes)
    shard.write_bytes(b"half a shard")
    with pytest.raises(ConfigError, match=r"000000\.safetensors: .*; allowed: a shard of a scene bank; remove it"):
        made(tmp_path, 4)
    shard.unlink()
    # The H.264 encoder's rate control follows the machine's load: pictures of two writings are hardly ever other ones.
    torch.testing.assert_close(made(tmp_path, 4).deep[:], whole["deep"], atol=6.0, rtol=0.05)


def test_scenes_that_are_not_wanted_are_planned_only_for_a_longer_shard(tmp_path: Path) -> None:
    made(tmp_path, 3)

    def none() -> Iterator[SceneTruth]:
        pytest.fail("planned")
        yield

    wanted = [plan_scene(SEED + i, 0) for i in range(4)]
    assert holds(tmp_path / "000000.safetensors", wanted[:3], none())
    assert not holds(tmp_path / "000000.safetensors", wanted, none())
    assert holds(tmp_path / "000000.safetensors", wanted[:2], iter(wanted[2:]))
    assert not holds(tmp_path / "000004.safetensors", wanted, none())


def test_another_bank_is_refused_by_what_differs(tmp_path: Path) -> None:
    made(tmp_path, 2)
    with pytest.raises(ConfigError, match=r"\(plan differ\); .*; name another folder"):
        made(tmp_path, 2, plan=plan_card)
    with pytest.raises(ConfigError, match=r"\(seed differ\)"):
        make_bank(tmp_path, seed=SEED + 1, scenes=2, encoder=Colours())  # type: ignore[arg-type]


def test_scenes_beside_a_bank_have_its_name_and_older_folders_still_serve(tmp_path: Path) -> None:
    def at(name: str, of: str = "a", seed: int = SEED, **options: Any) -> str:
        return beside(tmp_path / of, name, seed=seed, encoder=Colours(), **options).name  # type: ignore[arg-type]

    assert at("cards", plan=plan_card) == "a-cards"
    assert at("validation") == "a-validation"
    made(tmp_path / "cards", 2, plan=plan_card)
    made(tmp_path / "bank-validation", 2)
    assert at("cards", plan=plan_card) == "cards"
    assert at("validation") == "bank-validation"
    # Of other scenes, or of scenes that were never kept so, they are not taken.
    assert at("cards", of="b", seed=SEED + 5, plan=plan_card) == "b-cards"
    assert at("cards") == "a-cards"
    assert at("test", of="bank") == "bank-test"
    made(tmp_path / "a-validation", 2)
    assert at("validation") == "a-validation"


def test_shards_made_side_by_side_are_those_made_one_by_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the real encoder, since a process is given it; one thread each, as here."""
    monkeypatch.setattr(bank, "SHARD", 1)
    encoder, told = load_vision(), []
    with one_thread():
        alone = make_bank(tmp_path / "a", seed=SEED, scenes=3, encoder=encoder, plan=plan_card)
    pair = make_bank(
        tmp_path / "b", seed=SEED, scenes=3, encoder=encoder, plan=plan_card, processes=2,
        progress=lambda done, total: told.append((done, total)),
    )  # fmt: skip
    assert torch.equal(pair.deep[:], alone.deep[:])
    assert torch.equal(pair.fine[:], alone.fine[:])
    assert told == sorted(told)
    assert told[-1] == (3, 3)


def test_what_fails_in_a_process_is_raised_here_and_what_was_made_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bank, "SHARD", 1)
    encoder = load_vision()
    encoder.input_size = (0, 0)  # type: ignore[misc]  # what no frame can be
    with pytest.raises(RewindError):
        make_bank(tmp_path / "a", seed=SEED, scenes=2, encoder=encoder, plan=plan_card, processes=2)
    assert not list((tmp_path / "a").glob("*.safetensors"))
