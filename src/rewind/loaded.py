"""What is loaded once a process and shared by all videos: frozen encoders, and what answers under a model's name."""

from __future__ import annotations

from functools import lru_cache

from rewind.answering import Engine
from rewind.config import ReWindConfig
from rewind.errors import ConfigError
from rewind.models import cached, fingerprint
from rewind.text import load_text
from rewind.vision import VisionEncoder, load_vision
from rewind.vision.concepts import Concepts


@lru_cache(maxsize=4)
def vision_encoder(name: str) -> VisionEncoder:
    """A frozen vision encoder."""
    return load_vision(name)


def vision_encoder_of(model: str) -> VisionEncoder:
    """A model's frozen vision encoder. Raises: ConfigError where its features are not those that the model reads."""
    config = cached(model).config
    encoder = vision_encoder(config.vision)
    check_shapes(config, deep=encoder.deep_shape, fine=encoder.fine_shape)
    return encoder


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
def engine(model: str) -> Engine:
    """What answers under a model's name; it keeps nothing of any video.

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
    concepts = Concepts(text) if loaded.config.vision == "efficientnet-lite0" else None
    return Engine(loaded, fingerprint(loaded), text, concepts)
