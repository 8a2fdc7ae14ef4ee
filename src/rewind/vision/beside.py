"""Two encoders of pictures as one: the model's own, and beside its posterior where an image-text model puts a frame."""

from __future__ import annotations

import torch
from torch import Tensor

from rewind.vision.encoder import VisionEncoder
from rewind.vision.image_text import ImageText
from rewind.weights import recipe_hash


class BesideImageText:
    """A vision encoder whose posterior has W more columns: the unit features of the whole frame in an image-text
    model's space, in view 0. The other views have none: zeros."""

    def __init__(self, inner: VisionEncoder, image_text: ImageText) -> None:
        self._inner, self._image_text = inner, image_text
        self.name = f"{inner.name} + {image_text.name}"
        self.weights_hash = recipe_hash(inner.weights_hash, image_text.weights_hash)
        self.input_size = inner.input_size
        self.deep_shape, self.fine_shape = inner.deep_shape, inner.fine_shape
        self.classes, self.views = inner.classes + image_text.width, inner.views
        self.precision = getattr(inner, "precision", "fp32")
        uncalibrated = f"what counts as seen by {image_text.name} is not calibrated: the classifier's line is taken"
        self.degradations = (*inner.degradations, *image_text.degradations, uncalibrated)
        self.more_work = image_text.work

    def encode(self, pixels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """See `VisionEncoder.encode`."""
        deep, fine, posterior = self._inner.encode(pixels)
        beside = torch.zeros(len(pixels), self.views, self._image_text.width)
        if len(pixels):
            beside[:, 0] = self._image_text.pictures(pixels)
        return deep, fine, torch.cat([posterior, beside], -1)
