"""Instructions → text features: token by token, and pooled to one vector of length 1."""

from __future__ import annotations

from rewind.errors import ConfigError
from rewind.text.encoder import TextEncoder, TextFeatures, load_hub_text, load_minilm

__all__ = ["TextEncoder", "TextFeatures", "available", "load_text"]

HUB = "hub:"


def available() -> tuple[str, ...]:
    """Names that `load_text` takes, beside `hub:PATH_OR_ID`."""
    return ("all-minilm-l6-v2",)


def load_text(name: str = "all-minilm-l6-v2") -> TextEncoder:
    """A frozen text encoder by name: one of `available()`, or ``hub:PATH_OR_ID`` for an encoder of the Hub.

    Raises:
        ConfigError: an unknown name.
        WeightsError: weights missing or not the expected ones.
    """
    if name == "all-minilm-l6-v2":
        return load_minilm()
    if name.startswith(HUB) and len(name) > len(HUB):
        return load_hub_text(name[len(HUB) :])
    raise ConfigError(f"text encoder {name!r}", allowed=", ".join(available()) + " or hub:PATH_OR_ID")
