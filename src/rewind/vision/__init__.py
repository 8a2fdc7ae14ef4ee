"""Frames → patch features of two depths, and a class posterior that concepts are made of."""

from __future__ import annotations

from rewind.errors import ConfigError
from rewind.vision.encoder import Lite0Encoder, Precision, VisionEncoder

__all__ = ["Lite0Encoder", "Precision", "VisionEncoder", "available", "load_vision"]

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
