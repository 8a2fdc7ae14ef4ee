"""Frames → patch features of two depths, and a class posterior that concepts are made of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rewind.errors import ConfigError
from rewind.vision.encoder import Lite0Encoder, Precision, VisionEncoder

if TYPE_CHECKING:
    from rewind.vision.image_text import ImageText

__all__ = ["Lite0Encoder", "Precision", "VisionEncoder", "available", "load_image_text", "load_vision"]

HUB = "hub:"


def available() -> tuple[str, ...]:
    """Names that `load_vision` takes, beside `hub:PATH_OR_ID`."""
    return ("efficientnet-lite0",)


def load_vision(
    name: str = "efficientnet-lite0", *, precision: Precision = "auto", device: str = "cpu"
) -> VisionEncoder:
    """A frozen vision encoder by name.

    Args:
        name: one of `available()`, or ``hub:PATH_OR_ID`` for a vision transformer of the Hugging Face Hub.
        precision: ``auto`` is bf16 where the hardware has it, else fp32. Hub models run in fp32.
        device: a torch device; CUDA only where asked for.

    Raises:
        ConfigError: an unknown name, precision or device.
        WeightsError: weights missing or not the expected ones.
    """
    if name in ("efficientnet-lite0", "nano"):
        return Lite0Encoder(precision=precision, device=device)
    if name.startswith(HUB) and len(name) > len(HUB):
        from rewind.vision.hub import HubVision

        return HubVision(name[len(HUB) :], device=device)
    raise ConfigError(f"vision encoder {name!r}", allowed=", ".join(available()) + " or hub:PATH_OR_ID")


def load_image_text(name: str, *, device: str = "cpu") -> ImageText:
    """A frozen model of pictures and texts by name: ``hub:PATH_OR_ID``.

    Raises:
        ConfigError: another name, or an unknown device.
        WeightsError: no such model there.
    """
    if not name.startswith(HUB) or len(name) == len(HUB):
        raise ConfigError(f"image-text model {name!r}", allowed="hub:PATH_OR_ID of CLIP, SigLIP or their like")
    from rewind.vision.image_text import ImageText

    return ImageText(name[len(HUB) :], device=device)
