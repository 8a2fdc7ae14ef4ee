"""What is loaded once a process and shared by all videos: frozen encoders, and what answers under a model's name."""

from __future__ import annotations

from functools import lru_cache

from rewind.answering import Engine
from rewind.models import cached, weights_hash
from rewind.text import load_text
from rewind.vision import VisionEncoder, load_vision
from rewind.vision.concepts import Concepts


@lru_cache(maxsize=4)
def vision_encoder(name: str) -> VisionEncoder:
    """A frozen vision encoder."""
    return load_vision(name)


@lru_cache(maxsize=4)
def engine(model: str) -> Engine:
    """What answers under a model's name; it keeps nothing of any video."""
    loaded = cached(model)
    text = load_text(loaded.config.text)
    concepts = Concepts(text) if loaded.config.vision == "efficientnet-lite0" else None
    return Engine(loaded, weights_hash(loaded), text, concepts)
