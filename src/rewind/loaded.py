"""What is loaded once a process and shared by all videos: frozen encoders, and what answers under a model's name."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from functools import lru_cache, partial
from pathlib import Path

import platformdirs
from torch import Tensor

from rewind.answering import Engine
from rewind.config import ReWindConfig
from rewind.errors import ConfigError
from rewind.models import cached, fingerprint
from rewind.store.tensors import keep_tensor, kept_tensor
from rewind.text import load_text
from rewind.vision import VisionEncoder, load_image_text, load_vision
from rewind.vision.beside import BesideImageText
from rewind.vision.concepts import Concepts
from rewind.vision.image_text import ImageText
from rewind.vision.matching import MatchedConcepts
from rewind.weights import recipe_hash

CLASSES_OF = "efficientnet-lite0"
"""The vision encoder whose posterior the concepts read."""


@lru_cache(maxsize=4)
def vision_encoder(name: str) -> VisionEncoder:
    """A frozen vision encoder."""
    return load_vision(name)


@lru_cache(maxsize=2)
def image_text_model(name: str) -> ImageText:
    """A frozen model of pictures and texts."""
    return load_image_text(name)


def vision_encoder_of(model: str, image_text: str | None = None) -> VisionEncoder:
    """A model's frozen vision encoder, and where it is named an image-text model beside it.

    Raises: ConfigError where its features are not those that the model reads, or are of no classifier that the words of
    an image-text model could stand beside.
    """
    config = cached(model).config
    encoder = vision_encoder(config.vision)
    check_shapes(config, deep=encoder.deep_shape, fine=encoder.fine_shape)
    if image_text is None:
        return encoder
    if config.vision != CLASSES_OF:
        raise ConfigError(
            f"image-text model {image_text} for a model that sees by {config.vision}",
            allowed=f"a model that sees by {CLASSES_OF}",
        )
    return BesideImageText(encoder, image_text_model(image_text))


def check_shapes(config: ReWindConfig, *, deep: tuple[int, int], fine: tuple[int, int]) -> None:
    """Raises: ConfigError where (patches, width) of the encoder's grids are not those that the model reads."""
    wanted = {"deep": (config.patches, config.vision_width), "fine": (config.fine_grid**2, config.fine_width)}
    given = {"deep": deep, "fine": fine}
    for name in ("deep",) if config.perceives == "deep" else ("deep", "fine"):
        if given[name] != wanted[name]:
            raise ConfigError(
                f"vision encoder {config.vision} gives {_grid(given[name])} in its {name} grid",
                allowed=f"{_grid(wanted[name])}, as the model's config says",
                do="name another encoder in config.json, or train the model anew",
            )


def _grid(shape: tuple[int, int]) -> str:
    return f"{shape[0]} patches of width {shape[1]}"


@lru_cache(maxsize=4)
def engine(model: str, image_text: str | None = None) -> Engine:
    """What answers under a model's name, by an image-text model's concepts where one is named; it keeps nothing of any
    video.

    Raises: ConfigError where its text encoder's features are not those that the model reads.
    """
    loaded = cached(model)
    text = load_text(loaded.config.text)
    if text.width != loaded.config.text_width:
        raise ConfigError(
            f"text encoder {loaded.config.text} gives features of width {text.width}",
            allowed=f"{loaded.config.text_width}, as the model's config says",
            do="name another encoder in config.json, or train the model anew",
        )
    hashes = fingerprint(loaded)
    if image_text is None:
        return Engine(loaded, hashes, text, Concepts(text) if loaded.config.vision == CLASSES_OF else None)
    joint = image_text_model(image_text)
    hashes = replace(hashes, whole=recipe_hash(hashes.whole, joint.weights_hash))
    return Engine(loaded, hashes, text, MatchedConcepts(text, joint, bank=partial(_captions, joint)), image_text)


def _captions(image_text: ImageText, texts: Sequence[str]) -> Tensor:
    """Features (n, W) of captions, kept in the user's cache folder: making them takes a large model a minute."""
    path: Path | None = None
    with suppress(RuntimeError):  # a user without a home
        folder = Path(platformdirs.user_cache_dir("rewind"))
        path = folder / f"captions-{recipe_hash(image_text.weights_hash, *texts)[:32]}.safetensors"
    kept = kept_tensor(path, "captions") if path else None
    if kept is not None and kept.shape == (len(texts), image_text.width):
        return kept
    made = image_text.texts(texts).contiguous()
    if path:
        with suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            keep_tensor(path, "captions", made)
    return made
