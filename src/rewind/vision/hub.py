"""Vision transformers of the Hugging Face Hub, or of a folder, behind the vision encoder's interface.

ViT, DINOv2, CLIP, SigLIP and their like: any AutoModel with a vision tower that gives patch tokens. One grid serves as
both depths, as in the published ReWind. There is no class posterior, hence no concept evidence.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from rewind.errors import WeightsError
from rewind.vision.encoder import check_device, check_pixels
from rewind.weights import config_text, loading_from_hub, recipe_hash, state_sha256

BATCH = 8
HALF = (0.5, 0.5, 0.5)


class HubVision:
    """A frozen vision tower in float32: P patch tokens of width C, twice, and a posterior of no classes."""

    def __init__(self, source: str, *, device: str = "cpu") -> None:
        self.device = check_device(device)
        self._tower, config = load_tower(source)
        self._tower = self._tower.to(self.device)
        side = getattr(config, "image_size", None)
        patch = getattr(config, "patch_size", None)
        if not isinstance(side, int) or not isinstance(patch, int):
            raise WeightsError(
                f"{source}: a vision model of {type(config).__name__}", allowed="square patches and size"
            )
        self.name = f"hub:{source}"
        self.input_size = (side, side)
        self._patches = (side // patch) ** 2
        self.deep_shape = self.fine_shape = (self._patches, int(config.hidden_size))
        self.classes, self.views = 0, 1
        self.degradations: tuple[str, ...] = (f"{self.name} has no class posterior: nothing is found by concepts",)
        mean, std, known = normalisation(source)
        if not known:
            self.degradations += (f"{self.name} does not say how its pixels are normalised: mean and std 0.5 taken",)
        self._mean, self._std = (torch.tensor(v).view(1, 3, 1, 1).to(self.device) * 255 for v in (mean, std))
        self.weights_hash = recipe_hash(
            state_sha256(self._tower.state_dict()), config_text(config), str(side), str((mean, std))
        )
        with torch.inference_mode():
            self._check(self._run(torch.zeros(1, side, side, 3, dtype=torch.uint8)), source)

    @torch.no_grad()
    def encode(self, pixels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """See `VisionEncoder.encode`; deep and fine are the same patch tokens (n, P, C), the posterior is (n, 1, 0)."""
        check_pixels(pixels, self.input_size)
        parts = [self._run(pixels[i : i + BATCH]) for i in range(0, len(pixels), BATCH)]
        tokens = torch.cat(parts) if parts else torch.empty(0, *self.deep_shape)
        return tokens, tokens, torch.empty(len(pixels), 1, 0)

    def _run(self, chunk: Tensor) -> Tensor:
        x = chunk.to(self.device).permute(0, 3, 1, 2).float()
        if len(x) < BATCH:  # a fixed batch shape: a frame's features do not depend on how many come with it
            x = torch.cat([x, x.new_zeros(BATCH - len(x), *x.shape[1:])])
        hidden: Tensor = self._tower(pixel_values=(x - self._mean) / self._std).last_hidden_state
        return hidden[: len(chunk), -self._patches :].float().cpu()

    def _check(self, tokens: Tensor, source: str) -> None:
        found = tuple(tokens.shape[1:]) if tokens.ndim == 3 else tuple(tokens.shape)
        if found != self.deep_shape:
            raise WeightsError(f"{source}: hidden states {found}", allowed=f"patch tokens {self.deep_shape}")


def load_tower(source: str) -> tuple[Any, Any]:
    """The vision tower of an AutoModel, frozen, and its config.

    Raises:
        WeightsError: nothing there, or no vision tower in it.
    """
    from transformers import AutoModel

    with loading_from_hub(f"hub:{source}", allowed="a folder or a Hub id of a vision model"):
        model = AutoModel.from_pretrained(source, dtype=torch.float32)
    tower = getattr(model, "vision_model", model)
    config = getattr(model.config, "vision_config", model.config)
    if not hasattr(config, "patch_size"):
        raise WeightsError(
            f"hub:{source} is {type(model).__name__}", allowed="a vision transformer: ViT, DINOv2, CLIP, SigLIP"
        )
    return tower.eval().requires_grad_(False), config


def normalisation(source: str) -> tuple[tuple[float, ...], tuple[float, ...], bool]:
    """Mean and standard deviation of pixel values in 0–1 that the model was trained with; False where unknown."""
    from transformers.image_processing_base import ImageProcessingMixin

    try:
        said, _ = ImageProcessingMixin.get_image_processor_dict(source)
    except (OSError, ValueError):
        return HALF, HALF, False
    mean, std = (tuple(map(float, said.get(key) or ())) for key in ("image_mean", "image_std"))
    if len(mean) != 3 or len(std) != 3 or not all(map(math.isfinite, mean + std)) or min(std) <= 0:
        return HALF, HALF, False
    return mean, std, True
