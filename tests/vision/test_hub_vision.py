"""Vision transformers of the Hub behind the encoder's interface, with tiny random weights."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from transformers import (
    BertConfig,
    BertModel,
    CLIPConfig,
    CLIPModel,
    PreTrainedModel,
    SiglipVisionConfig,
    SiglipVisionModel,
    ViTConfig,
    ViTModel,
)

from rewind.errors import ConfigError, WeightsError
from rewind.vision import VisionEncoder, load_vision

TINY = {
    "hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32,
    "image_size": 32, "patch_size": 8,
}  # fmt: skip


def tiny(kind: str) -> PreTrainedModel:
    if kind == "vit":
        return ViTModel(ViTConfig(**TINY))
    if kind == "siglip":
        return SiglipVisionModel(SiglipVisionConfig(**TINY))
    words = {**TINY, "vocab_size": 10, "max_position_embeddings": 8}
    return CLIPModel(CLIPConfig(vision_config=dict(TINY), text_config=words, projection_dim=8))


@pytest.mark.parametrize("kind", ["vit", "clip", "siglip"])
def test_patch_tokens_of_a_vision_transformer(kind: str, tmp_path: Path) -> None:
    tiny(kind).save_pretrained(tmp_path)
    encoder = load_vision(f"hub:{tmp_path}")
    assert isinstance(encoder, VisionEncoder)
    assert (encoder.input_size, encoder.deep_shape, encoder.fine_shape) == ((32, 32), (16, 16), (16, 16))
    assert (encoder.classes, encoder.views) == (0, 1)
    pixels = torch.randint(0, 256, (11, 32, 32, 3), dtype=torch.uint8)
    deep, fine, posterior = encoder.encode(pixels)
    assert deep.shape == fine.shape == (11, 16, 16)
    assert posterior.shape == (11, 1, 0)
    assert torch.equal(deep[9:10], encoder.encode(pixels[9:10])[0])
    assert any("no class posterior" in note for note in encoder.degradations)
    assert any("mean and std 0.5" in note for note in encoder.degradations)


def test_normalisation_is_the_models_own(tmp_path: Path) -> None:
    model = tiny("vit")
    model.save_pretrained(tmp_path)
    said = {"image_mean": [0.4, 0.5, 0.6], "image_std": [0.2, 0.25, 0.3]}
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(said))
    encoder = load_vision(f"hub:{tmp_path}")
    pixels = torch.randint(0, 256, (8, 32, 32, 3), dtype=torch.uint8)
    mean, std = (torch.tensor(said[k]).view(1, 3, 1, 1) for k in ("image_mean", "image_std"))
    with torch.no_grad():
        expected = model.eval()(pixel_values=(pixels.permute(0, 3, 1, 2) / 255 - mean) / std).last_hidden_state[:, 1:]
    assert torch.allclose(encoder.encode(pixels)[0], expected, atol=1e-4)
    assert len(encoder.degradations) == 1


def test_the_hash_follows_weights_and_normalisation(tmp_path: Path) -> None:
    model = tiny("vit")
    model.save_pretrained(tmp_path)
    first = load_vision(f"hub:{tmp_path}").weights_hash
    assert first == load_vision(f"hub:{tmp_path}").weights_hash
    said = {"image_mean": [0.4, 0.5, 0.6], "image_std": [0.2, 0.25, 0.3]}
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(said))
    assert first != load_vision(f"hub:{tmp_path}").weights_hash


def test_the_hash_follows_the_config(tmp_path: Path) -> None:
    """As many heads as one likes go with the same weights, and give other features."""
    tiny("vit").save_pretrained(tmp_path)
    first = load_vision(f"hub:{tmp_path}")
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps({**config, "num_attention_heads": 4}))
    other = load_vision(f"hub:{tmp_path}")
    pixels = torch.randint(0, 256, (1, 32, 32, 3), dtype=torch.uint8)
    assert not torch.equal(first.encode(pixels)[0], other.encode(pixels)[0])
    assert first.weights_hash != other.weights_hash


def test_a_damaged_model_is_one_line(tmp_path: Path) -> None:
    tiny("vit").save_pretrained(tmp_path)
    path = tmp_path / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(WeightsError, match="allowed: a folder or a Hub id of a vision model") as error:
        load_vision(f"hub:{tmp_path}")
    assert "\n" not in str(error.value)


def test_what_is_no_vision_model_is_refused_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(WeightsError) as nothing:
        load_vision(f"hub:{tmp_path}")
    config = BertConfig(vocab_size=8, hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32)
    BertModel(config).save_pretrained(tmp_path)
    with pytest.raises(WeightsError, match="BertModel") as text:
        load_vision(f"hub:{tmp_path}")
    assert "\n" not in str(nothing.value) + str(text.value)
    with pytest.raises(ConfigError):
        load_vision("hub:")
