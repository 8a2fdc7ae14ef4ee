"""Decoders from elsewhere: words as the model's own template has them, answers cut by the limit, damaged models."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from rewind.errors import BudgetError, WeightsError
from rewind.language.speak import HubDecoder, Spoken


def speak(decoder: HubDecoder, question: str, *, room: int = 20, limit: int = 4) -> Spoken:
    """What it says on a prompt of three visual tokens."""

    def prompt(parts: object, *, instruction: bool) -> tuple[torch.Tensor, torch.Tensor]:
        seen = torch.randn(1, 3, decoder.width, generator=torch.Generator().manual_seed(1))
        return seen, torch.ones(1, 3, dtype=torch.bool)

    parts: Any = None
    asks: Any = prompt
    return decoder.speak(asks, parts, question, room=room, limit=limit)


@pytest.fixture
def decoder(tiny_hub_decoder: Path) -> HubDecoder:
    return HubDecoder(str(tiny_hub_decoder))


def test_a_text_begins_once_with_a_template_and_without(decoder: HubDecoder, monkeypatch: pytest.MonkeyPatch) -> None:
    tokens: list[list[int]] = []
    table = decoder.model.get_input_embeddings()
    table.register_forward_pre_hook(lambda _module, args: tokens.append(args[0][0].tolist()))
    assert speak(decoder, "what is there").instruction_tokens == 6
    assert tokens[0] == [1, 3, 5, 6, 7, 4]
    tokens.clear()
    monkeypatch.setattr(decoder.tokenizer, "chat_template", None)
    assert speak(decoder, "what is there").instruction_tokens == 8
    assert tokens[0] == [1, 3, 8, 5, 6, 7, 4, 8]
    with pytest.raises(BudgetError, match="an instruction of 8 tokens; allowed: 7 tokens"):
        speak(decoder, "what is there", room=7)


def test_an_answer_says_whether_the_decoder_ended_it(decoder: HubDecoder) -> None:
    said = decoder.model.generation_config
    said.eos_token_id = None
    cut = speak(decoder, "what is there")
    assert (len(cut.log_probabilities), cut.complete) == (4, False)
    first = next(t for t in range(13) if decoder.tokenizer.decode([t]) == cut.text.split()[0])
    for ends in (first, [12, first]):
        said.eos_token_id = ends
        for limit in (1, 4):
            whole = speak(decoder, "what is there", limit=limit)
            assert (len(whole.log_probabilities), whole.complete) == (1, True)


@pytest.mark.parametrize("harm", ["cut", "narrow", "gguf", "tokenizer", "heads"])
def test_a_damaged_decoder_is_one_line(tiny_hub_decoder: Path, tmp_path: Path, harm: str) -> None:
    folder = tmp_path / "decoder"
    shutil.copytree(tiny_hub_decoder, folder)
    source = folder
    if harm == "cut":
        path = folder / "model.safetensors"
        path.write_bytes(path.read_bytes()[:-1000])
    elif harm == "narrow":
        said = json.loads((folder / "config.json").read_text())
        (folder / "config.json").write_text(json.dumps({**said, "hidden_size": 64}))
    elif harm == "heads":
        said = json.loads((folder / "config.json").read_text())
        (folder / "config.json").write_text(json.dumps({**said, "num_attention_heads": 0}))
    elif harm == "gguf":
        source = tmp_path / "x.gguf"
        source.write_bytes(b"GGUF" + bytes(200))
    else:
        rules = json.loads((folder / "tokenizer.json").read_text())
        (folder / "tokenizer.json").write_text(json.dumps({**rules, "model": {}}))
    with pytest.raises(WeightsError, match="allowed: a causal language model of the Hub") as caught:
        HubDecoder(str(source))
    assert len(str(caught.value)) < 500
    assert "\n" not in str(caught.value)
    assert harm != "narrow" or "its weights do not fit its config" in str(caught.value)
