"""Models by name: the bundled nano, folders, transformers' Auto classes, a tiny random decoder of the Hub's kind."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest
import torch

from rewind import models as ours
from rewind.errors import WeightsError
from rewind.language.speak import HubDecoder
from rewind.model import ReWind
from rewind.text import load_text


def test_the_bundled_nano_is_small_and_loads() -> None:
    cards = ours.available()
    assert "nano" in [card.name for card in cards]
    assert all(card.size_bytes <= 25_000_000 for card in cards)
    model = ours.load("nano")
    assert next(card.parameters for card in cards if card.name == "nano") == ours.parameter_count(model)
    assert model.config.size == "nano"
    assert bool(model.answers)


@pytest.mark.skipif(os.name == "nt", reason="modes of files are of POSIX")
def test_what_is_saved_is_as_readable_as_other_files(tmp_path: Path) -> None:
    (tmp_path / "other").touch()
    ours.save_pretrained(ours.load("nano"), tmp_path / "model")
    modes = {path.name: path.stat().st_mode for path in (tmp_path / "model").iterdir()}
    assert set(modes) == {"config.json", "model.safetensors", "tokenizer.json"}
    assert set(modes.values()) == {(tmp_path / "other").stat().st_mode}


def test_an_unknown_model_is_one_line() -> None:
    with pytest.raises(WeightsError, match=r"model 'none-such'; allowed: nano.*see: rewind models list"):
        ours.load("none-such")


def test_a_hub_decoder_answers_from_the_same_memory(tiny_hub_decoder: Path) -> None:
    model = ours.load(f"hub:{tiny_hub_decoder}")
    question = load_text().encode(["what is there?"])
    state = model.begin(question)
    config = model.config
    deep, fine = (
        torch.randn(8, config.patches, config.vision_width),
        torch.randn(8, config.fine_grid**2, config.fine_width),
    )
    state = model.update(state, deep, fine)
    scores = model.frame_scores(state)
    picks = model.select(state, scores=scores)
    answer = model.answer(
        state, picks, text=question, patches=model.project(deep, fine)[torch.tensor(picks.rows)],
        seconds=torch.arange(8.0), scores=scores,
    )  # fmt: skip
    assert answer.confidence == 0.0
    assert any("not trained" in d for d in answer.degradations)
    assert answer.tokens.total <= answer.tokens.budget
    assert (config.budget, config.answer_reserve) == (1024, 128)
    assert answer.tokens.answer_reserve == 128
    again = ours.load(f"hub:{tiny_hub_decoder}")
    torch.testing.assert_close(again.prompt.memory.weight, model.prompt.memory.weight)


def test_a_hub_decoder_is_none_of_our_weights(tiny_hub_decoder: Path, tmp_path: Path) -> None:
    model = ours.load(f"hub:{tiny_hub_decoder}")
    theirs = model.borrowed
    assert isinstance(theirs, HubDecoder)
    assert not {k for k in model.state_dict() if k not in ReWind(model.config).state_dict()}
    ours.save_pretrained(model, tmp_path / "saved")
    again = ours.from_pretrained(tmp_path / "saved")
    assert again.borrowed is not None
    assert ours.weights_hash(again) != ours.weights_hash(ours.load("nano"))
    # Saved in half precision: once through a file, the weights stay what they are.
    ours.save_pretrained(again, tmp_path / "twice")
    kept = ours.weights_hash(ours.from_pretrained(tmp_path / "twice"))
    assert kept == ours.weights_hash(again)
    with (tiny_hub_decoder / "config.json").open("a", encoding="utf-8") as file:
        file.write("\n")
    assert ours.weights_hash(again) != kept
    assert next(theirs.parameters()).dtype == torch.float32
    assert next(model.to(torch.float64).borrowed.parameters()).dtype == torch.float64  # type: ignore[union-attr]


def test_a_decoder_that_takes_few_tokens_leaves_memory_what_nano_gives_it(
    tiny_hub_decoder: Path, tmp_path: Path
) -> None:
    nano = ours.load("nano").config
    shutil.copytree(tiny_hub_decoder, tmp_path / "short")
    path = tmp_path / "short" / "config.json"
    for most, reserve in ((nano.budget + 40, nano.answer_reserve + 40), (nano.budget, nano.answer_reserve)):
        path.write_text(json.dumps({**json.loads(path.read_text()), "max_position_embeddings": most}))
        config = ours.load(f"hub:{path.parent}").config
        assert (config.budget, config.answer_reserve) == (most, reserve)
        assert config.memory_budget == nano.memory_budget


def test_what_comes_after_memory_leaves_its_key_alone(tiny_hub_decoder: Path) -> None:
    nano, other = ours.fingerprint(ours.load("nano")), ours.fingerprint(ours.load(f"hub:{tiny_hub_decoder}"))
    assert (other.walk, other.patches) == (nano.walk, nano.patches)
    assert other.whole != nano.whole
    model = ours.load("nano")
    keys = [nano]
    for module in (model.prompt, model.score, model.write, model.patches):
        next(module.parameters()).add_(1e-3)
        keys.append(ours.fingerprint(model))
    assert len({k.whole for k in keys}) == 5
    assert [k.walk == nano.walk for k in keys] == [True, True, True, False, False]
    assert [k.patches == nano.patches for k in keys] == [True, True, True, True, False]
    model.answers.fill_(0.0)
    assert ours.fingerprint(model).whole != keys[-1].whole


def test_weights_in_any_precision_have_a_hash() -> None:
    hashes = {
        ours.weights_hash(ours.load("nano").to(dtype)) for dtype in (torch.float32, torch.float16, torch.bfloat16)
    }
    assert len(hashes) == 3


def test_results_call_a_folder_by_its_name(tmp_path: Path) -> None:
    nano = ours.load("nano")
    assert nano.name == "rewind-nano"
    ours.save_pretrained(nano, tmp_path / "mine")
    assert ours.load(str(tmp_path / "mine")).name == str(tmp_path / "mine")
    assert ours.from_pretrained(tmp_path / "mine").name == str(tmp_path / "mine")
    assert ours.from_pretrained(tmp_path / "mine", name="trial").name == "trial"


def test_a_folder_of_transformers_is_taken_for_a_decoder(tiny_hub_decoder: Path) -> None:
    assert ours.load(str(tiny_hub_decoder)).config.decoder == f"hub:{tiny_hub_decoder}"


def test_transformers_auto_classes_find_our_folders(tmp_path: Path) -> None:
    from transformers import AutoConfig, AutoModel

    import rewind.hub  # noqa: F401  (registers)

    nano = ours.load("nano")
    ours.save_pretrained(nano, tmp_path)
    config = AutoConfig.from_pretrained(tmp_path)
    assert config.to_rewind() == nano.config
    found = AutoModel.from_pretrained(tmp_path)
    assert ours.weights_hash(found.rewind) == ours.weights_hash(nano)


def test_a_decoder_that_is_not_there_is_one_line() -> None:
    with pytest.raises(WeightsError, match="allowed: a causal language model") as caught:
        ours.load("hub:/no/such/folder")
    assert "\n" not in str(caught.value)
