"""Image-text models of the Hub behind one interface, with tiny weights."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch
from transformers import SiglipConfig, SiglipModel, ViTConfig, ViTModel

from rewind.errors import ConfigError, WeightsError
from rewind.vision import load_image_text
from rewind.vision.image_text import ImageText

Draw = Callable[..., npt.NDArray[np.uint8]]
TINY = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}


@pytest.fixture(scope="module")
def model(discs_clip: Path) -> ImageText:
    return load_image_text(f"hub:{discs_clip}")


def test_features_are_of_length_one_and_know_no_neighbours(model: ImageText) -> None:
    pixels = torch.randint(0, 256, (11, 224, 224, 3), dtype=torch.uint8)
    features = model.pictures(pixels)
    assert features.shape == (11, model.width)
    assert torch.allclose(features.norm(dim=1), torch.ones(11), atol=1e-5)
    assert torch.equal(features[9:10], model.pictures(pixels[9:10]))
    texts = model.texts(["a photo of red disc", "a photo of a dog", "a photo of red disc"])
    assert torch.allclose(texts.norm(dim=1), torch.ones(3), atol=1e-5)
    assert torch.allclose(texts[0], texts[2], atol=1e-6)
    assert torch.allclose(texts[1], model.texts(["a photo of a dog"])[0], atol=1e-5)  # padding says nothing


def test_it_equals_the_model_that_transformers_runs(model: ImageText, discs_clip: Path) -> None:
    from transformers import AutoTokenizer, CLIPModel

    plain, read = CLIPModel.from_pretrained(discs_clip).eval(), AutoTokenizer.from_pretrained(discs_clip)
    pixels = torch.randint(0, 256, (8, 32, 32, 3), dtype=torch.uint8)
    with torch.no_grad():
        out = plain(pixel_values=pixels.permute(0, 3, 1, 2) / 127.5 - 1, **read(["red disc"], return_tensors="pt"))
    assert torch.allclose(model.texts(["red disc"]), out.text_embeds, atol=1e-5)
    assert (model.pictures(pixels) * out.image_embeds).sum(1).min() > 0.999  # bf16 where it is fast
    assert model.scale == pytest.approx(float(plain.logit_scale.detach().exp()))


def test_a_trained_one_tells_pictures_by_words(model: ImageText, draw: Draw, disc_names: list[str]) -> None:
    import random

    rng = random.Random(7)
    pictures = torch.from_numpy(np.stack([draw(name, rng, side=224) for name in disc_names]))
    cosines = model.pictures(pictures) @ model.texts([f"a photo of {name}" for name in disc_names]).T
    assert cosines.argmax(1).tolist() == cosines.argmax(0).tolist() == list(range(len(disc_names)))


def test_siglip_reads_whole_lines_of_padding(discs_clip: Path, tmp_path: Path) -> None:
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(discs_clip / name, tmp_path)
    words = json.loads((discs_clip / "config.json").read_text())["text_config"]["vocab_size"]
    config = SiglipConfig(
        vision_config={**TINY, "image_size": 32, "patch_size": 8},
        text_config={**TINY, "vocab_size": words, "max_position_embeddings": 16, "pad_token_id": 2},
    )
    SiglipModel(config).save_pretrained(tmp_path)
    model, plain = load_image_text(f"hub:{tmp_path}"), SiglipModel.from_pretrained(tmp_path).eval()
    spelled = json.loads((tmp_path / "tokenizer.json").read_text())["model"]["vocab"]
    ids = [1, spelled["red"], spelled["disc"], 3] + [2] * 12
    with torch.no_grad():
        expected = plain.get_text_features(input_ids=torch.tensor([ids])).pooler_output
    assert torch.allclose(model.texts(["red disc"]), expected / expected.norm(), atol=1e-5)
    assert any("mean and std 0.5" in note for note in model.degradations)


def test_the_hash_follows_weights_and_normalisation(discs_clip: Path, tmp_path: Path) -> None:
    shutil.copytree(discs_clip, tmp_path, dirs_exist_ok=True)
    first = load_image_text(f"hub:{discs_clip}").weights_hash
    assert load_image_text(f"hub:{tmp_path}").weights_hash == first
    said = {"image_mean": [0.4] * 3, "image_std": [0.3] * 3}
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(said))
    assert load_image_text(f"hub:{tmp_path}").weights_hash != first


def test_what_is_no_image_text_model_is_refused_in_one_line(discs_clip: Path, tmp_path: Path) -> None:
    for name in ("", "clip", "hub:"):
        with pytest.raises(ConfigError, match="allowed: hub:PATH_OR_ID"):
            load_image_text(name)
    with pytest.raises(WeightsError, match="allowed: a folder or a Hub id of CLIP") as nothing:
        load_image_text(f"hub:{tmp_path}")
    ViTModel(ViTConfig(**TINY, image_size=32, patch_size=8)).save_pretrained(tmp_path)
    with pytest.raises(WeightsError, match="is ViTModel") as other:
        load_image_text(f"hub:{tmp_path}")
    shutil.copytree(discs_clip, tmp_path / "mute", ignore=shutil.ignore_patterns("tokenizer*"))
    with pytest.raises(WeightsError, match="knows no word") as mute:
        load_image_text(f"hub:{tmp_path / 'mute'}")
    assert all("\n" not in str(error.value) for error in (nothing, other, mute))
