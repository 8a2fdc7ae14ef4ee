"""A CLIP that was really trained, on pictures that are drawn: coloured discs with their names, and textures with
other words."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch
from PIL import Image, ImageDraw
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from torch.nn.functional import cross_entropy
from transformers import CLIPConfig, CLIPModel, PreTrainedTokenizerFast

from rewind.vision.vocabulary import load_vocabulary

Pixels = npt.NDArray[np.uint8]
COLOURS = {"red": (210, 30, 30), "green": (30, 170, 40), "blue": (40, 60, 220)}
SIDE, STEPS = 32, 250
TINY = {"hidden_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 96}


def draw_disc(name: str, rng: random.Random, *, side: int = SIDE) -> Pixels:
    """A picture (side, side, 3) of a coloured disc somewhere on grey: *red disc*; of *nothing* the grey alone."""
    page = Image.new("RGB", (side, side), (rng.randint(90, 200),) * 3)
    if name != "nothing":
        size = rng.uniform(0.4, 0.6) * side
        x, y = (rng.uniform(0, side - size) for _ in range(2))
        ImageDraw.Draw(page).ellipse((x, y, x + size, y + size), fill=COLOURS[name.split(maxsplit=1)[0]])
    return np.asarray(page)


@pytest.fixture(scope="session")
def disc_names() -> list[str]:
    return [f"{colour} disc" for colour in COLOURS]


@pytest.fixture(scope="session")
def draw() -> Callable[..., Pixels]:
    return draw_disc


@pytest.fixture(scope="session")
def discs_clip(tmp_path_factory: pytest.TempPathFactory, disc_names: list[str]) -> Path:
    """A folder as the Hub's are: a CLIP of two layers that tells three discs, and the words of everyday things from
    textures, in a few seconds of training."""
    folder, rng = tmp_path_factory.mktemp("clip"), random.Random(0)
    vocabulary = load_vocabulary()
    others = sorted({*vocabulary.heads, *vocabulary.everyday})
    words = sorted({w for text in (*disc_names, *others, "a photo of") for w in text.split()})
    spelled = {w: k for k, w in enumerate(["<unk>", "<s>", "<pad>", "</s>", *words])}
    tokenizer = Tokenizer(models.WordLevel(spelled, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    ends = [("<s>", 1), ("</s>", 3)]
    tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A </s>", special_tokens=ends)
    read = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, unk_token="<unk>", bos_token="<s>", eos_token="</s>", pad_token="<pad>"
    )
    read.save_pretrained(folder)
    torch.manual_seed(0)
    config = CLIPConfig(
        vision_config={**TINY, "image_size": SIDE, "patch_size": 8},
        text_config={
            **TINY, "vocab_size": len(spelled), "max_position_embeddings": 12, "bos_token_id": 1, "eos_token_id": 3,
            "pad_token_id": 2,
        },
        projection_dim=32,
    )  # fmt: skip
    model = CLIPModel(config)
    optimiser = torch.optim.AdamW(model.parameters(), lr=2e-3)
    noise = np.random.default_rng(0)
    for step in range(STEPS):
        names = [*disc_names, *rng.sample(others, 12)]
        pictures = [draw_disc(name, rng) for name in disc_names]
        pictures += [noise.integers(0, 256, (SIDE, SIDE, 3), np.uint8) for _ in range(6)]
        pictures += [draw_disc("nothing", rng) for _ in range(6)]
        pixels = torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2) / 127.5 - 1
        texts = read([f"a photo of {name}" for name in names], padding=True, return_tensors="pt")
        logits = model(**{k: texts[k] for k in ("input_ids", "attention_mask")}, pixel_values=pixels).logits_per_image
        right = torch.arange(len(names))  # which word a texture has cannot be learnt; that it is no disc can
        loss = cross_entropy(logits, right) + cross_entropy(logits.T, right)
        optimiser.param_groups[0]["lr"] = 2e-3 * min(1, (step + 1) / 40, 2 * (1 - step / STEPS))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    model.eval().save_pretrained(folder)
    (folder / "preprocessor_config.json").write_text(json.dumps({"image_mean": [0.5] * 3, "image_std": [0.5] * 3}))
    return folder
