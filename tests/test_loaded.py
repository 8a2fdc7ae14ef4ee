"""What does not fit together is refused when it is opened, not after a video was watched."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from transformers import SiglipVisionConfig, SiglipVisionModel

import rewind
from rewind.errors import ConfigError
from rewind.loaded import check_shapes, engine
from rewind.model import ReWind
from rewind.models import load, save_pretrained
from test_video_handle import BIKES

TINY = {
    "hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32, "image_size": 32,
    "patch_size": 8,
}  # fmt: skip


def saved(folder: Path, **changes: Any) -> str:
    """The folder of an untrained model of nano's kind with other shapes."""
    nano = load("nano")
    save_pretrained(ReWind(replace(nano.config, **changes), tokenizer=nano.tokenizer), folder)
    return str(folder)


def test_a_model_for_another_vision_encoder_is_refused_when_a_video_is_opened(tmp_path: Path) -> None:
    model = saved(tmp_path / "model", vision_width=64)
    with pytest.raises(
        ConfigError, match="efficientnet-lite0 gives 49 patches of width 320 in its deep grid"
    ) as caught:
        rewind.open(BIKES, store=tmp_path / "store", model=model)
    assert "allowed: 49 patches of width 64, as the model's config says" in str(caught.value)
    assert not (tmp_path / "store").exists()


def test_a_fine_grid_counts_only_where_it_is_read() -> None:
    config = load("nano").config
    deep, fine = (49, 320), (49, 320)
    with pytest.raises(ConfigError, match="in its fine grid; allowed: 196 patches of width 272"):
        check_shapes(config, deep=deep, fine=fine)
    check_shapes(config, deep=deep, fine=(196, 272))
    check_shapes(replace(config, perceives="deep", patch_place=False), deep=deep, fine=fine)


def test_a_model_for_another_text_encoder_is_refused_before_a_frame_is_read(tmp_path: Path) -> None:
    model = saved(tmp_path / "model", text_width=24)
    with pytest.raises(ConfigError, match="all-minilm-l6-v2 gives features of width 384; allowed: 24"):
        engine(model)
    frames: list[int] = []
    video = rewind.open(BIKES, store=tmp_path / "store", model=model)
    with pytest.raises(ConfigError, match="features of width 384"):
        video.ask("Is there a dog?", progress=lambda done, _total: frames.append(done))
    assert frames == []


def test_an_image_text_model_stands_beside_the_classifier_alone(tmp_path: Path) -> None:
    SiglipVisionModel(SiglipVisionConfig(**TINY)).save_pretrained(tmp_path / "eyes")
    model = saved(
        tmp_path / "model", vision=f"hub:{tmp_path / 'eyes'}", vision_width=16, patches=16, perceives="deep",
        patch_place=False,
    )  # fmt: skip
    with pytest.raises(ConfigError, match="allowed: a model that sees by efficientnet-lite0"):
        rewind.open(BIKES, store=tmp_path / "store", model=model, image_text="hub:any")
    with pytest.raises(ConfigError, match="allowed: hub:PATH_OR_ID"):
        rewind.open(BIKES, store=tmp_path / "store", image_text="clip")
    assert not (tmp_path / "store").exists()
