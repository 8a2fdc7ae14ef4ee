"""EfficientNet-Lite0 with ImageNet weights: the network, batch norm folded into its convolutions.

Tan and Le, "EfficientNet", ICML 2019; the Lite variant has ReLU6 and no squeeze-and-excitation. The weights are those
of TensorFlow, so padding is TensorFlow's asymmetric "same" and batch norm has epsilon 1e-3.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from rewind.errors import WeightsError

BN_EPS = 1e-3
# (repeats, kernel, first stride, expansion, channels in, channels out) of each stage.
STAGES = (
    (1, 3, 1, 1, 32, 16),
    (2, 3, 2, 6, 16, 24),
    (2, 5, 2, 6, 24, 40),
    (3, 3, 2, 6, 40, 80),
    (3, 5, 1, 6, 80, 112),
    (4, 5, 2, 6, 112, 192),
    (1, 3, 1, 6, 192, 320),
)
FINEST_STAGE, FINE_STAGE = 2, 4  # the last stages at strides 8 and 16
FINE_CHANNELS, DEEP_CHANNELS, CLASSES = 112 + 4 * 40, 320, 1000


class SameConv(nn.Module):
    """Convolution with TensorFlow's "same" padding and a bias; `relu6` clamps the output to 0–6."""

    def __init__(
        self, cin: int, cout: int, kernel: int, *, stride: int = 1, groups: int = 1, relu6: bool = True
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(cout, cin // groups, kernel, kernel))
        self.bias = nn.Parameter(torch.empty(cout))
        self.kernel, self.stride, self.groups, self.relu6 = kernel, stride, groups, relu6

    def forward(self, x: Tensor) -> Tensor:
        """(n, cin, H, W) → (n, cout, ⌈H/stride⌉, ⌈W/stride⌉)."""
        padding = 0
        if self.stride == 1:
            padding = self.kernel // 2
        else:
            (top, bottom), (left, right) = (same_padding(n, self.kernel, self.stride) for n in x.shape[-2:])
            x = F.pad(x, (left, right, top, bottom))
        x = F.conv2d(x, self.weight, self.bias, self.stride, padding, 1, self.groups)
        return x.clamp_(0, 6) if self.relu6 else x


class Block(nn.Module):
    """Inverted residual: expand 1×1, depthwise k×k, project 1×1; the input is added where the shapes agree."""

    def __init__(self, cin: int, cout: int, kernel: int, *, stride: int, expansion: int) -> None:
        super().__init__()
        mid = cin * expansion
        self.expand = SameConv(cin, mid, 1) if expansion != 1 else nn.Identity()
        self.depthwise = SameConv(mid, mid, kernel, stride=stride, groups=mid)
        self.project = SameConv(mid, cout, 1, relu6=False)
        self.residual = stride == 1 and cin == cout

    def forward(self, x: Tensor) -> Tensor:
        """(n, cin, H, W) → (n, cout, ⌈H/stride⌉, ⌈W/stride⌉)."""
        y: Tensor = self.project(self.depthwise(self.expand(x)))
        return y.add_(x) if self.residual else y


class EfficientNetLite0(nn.Module):
    """Inference-only network; `load_folded` fills it."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = SameConv(3, 32, 3, stride=2)
        self.stages = nn.ModuleList()
        for repeats, kernel, stride, expansion, cin, cout in STAGES:
            first = Block(cin, cout, kernel, stride=stride, expansion=expansion)
            rest = [Block(cout, cout, kernel, stride=1, expansion=expansion) for _ in range(repeats - 1)]
            self.stages.append(nn.Sequential(first, *rest))
        self.head = SameConv(DEEP_CHANNELS, 1280, 1)
        self.classifier = nn.Linear(1280, CLASSES)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Grids of three depths; `classify` makes logits of any window of the last.

        Args:
            x: (n, 3, H, W), pixel values 0–255 less 127.5 (the division by 127.5 is folded into the stem).

        Returns:
            deep (n, 320, H/32, W/32), fine (n, 272, H/16, W/16), head (n, 1280, H/32, W/32); sides are rounded up.
            Fine patches hold the last features of stride 16 and the four of stride 8 that they cover: small characters
            are lost between the two.
        """
        x = self.stem(x)
        finest = fine = x
        for number, stage in enumerate(self.stages):
            x = stage(x)
            if number == FINEST_STAGE:
                finest = x
            elif number == FINE_STAGE:
                fine = torch.cat([x, fold_in_four(finest)], dim=1)
        return x, fine, self.head(x)

    def classify(self, window: Tensor) -> Tensor:
        """Head features of one window (n, 1280, h, w) → class logits (n, 1000), float32 as the classifier stays.

        The published network's window is the whole grid. Pooling is linear, so a part of it can be classified as well.
        """
        pooled = window.float().mean((2, 3))
        logits: Tensor = self.classifier(pooled)
        return logits


def fold_in_four(x: Tensor) -> Tensor:
    """(n, C, H, W) → (n, 4 C, ⌈H/2⌉, ⌈W/2⌉): each 2 × 2 square's channels side by side; odd sides end in zeros."""
    return F.pixel_unshuffle(F.pad(x, (0, x.shape[3] % 2, 0, x.shape[2] % 2)), 2)


def same_padding(size: int, kernel: int, stride: int) -> tuple[int, int]:
    """Zeros before and after one axis, as TensorFlow's "same" puts them: the odd one goes after."""
    total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
    return total // 2, total - total // 2


def load_folded(path: Path) -> EfficientNetLite0:
    """The network with the weights of a state dict in the reference implementation's naming, batch norm folded.

    Raises:
        WeightsError: the file does not hold exactly this network's tensors.
    """
    saved: dict[str, Tensor] = torch.load(path, map_location="cpu", weights_only=True)
    saved = {k: v for k, v in saved.items() if not k.endswith("num_batches_tracked")}
    net = EfficientNetLite0()
    used: set[str] = set()
    try:
        _fold(net.stem, saved, "_conv_stem", "_bn0", used)
        blocks = [block for stage in net.stages for block in stage]  # type: ignore[attr-defined]
        for number, block in enumerate(blocks):
            prefix = f"_blocks.{number}."
            if isinstance(block.expand, SameConv):
                _fold(block.expand, saved, prefix + "_expand_conv", prefix + "_bn0", used)
            _fold(block.depthwise, saved, prefix + "_depthwise_conv", prefix + "_bn1", used)
            _fold(block.project, saved, prefix + "_project_conv", prefix + "_bn2", used)
        _fold(net.head, saved, "_conv_head", "_bn1", used)
        net.classifier.load_state_dict({"weight": saved["_fc.weight"], "bias": saved["_fc.bias"]})
    except (KeyError, RuntimeError) as error:
        raise WeightsError(f"{path.name} does not fit EfficientNet-Lite0: {error}") from error
    left = set(saved) - used - {"_fc.weight", "_fc.bias"}
    if left:
        raise WeightsError(f"{path.name} has {len(left)} tensors that EfficientNet-Lite0 does not: {min(left)}")
    with torch.no_grad():
        net.stem.weight.div_(127.5)
    return net.eval().requires_grad_(False)


@torch.no_grad()
def _fold(conv: SameConv, saved: Mapping[str, Tensor], name: str, norm: str, used: set[str]) -> None:
    keys = [f"{name}.weight", *(f"{norm}.{k}" for k in ("weight", "bias", "running_mean", "running_var"))]
    weight, gain, shift, mean, var = (saved[k] for k in keys)
    scale = gain / torch.sqrt(var + BN_EPS)
    conv.weight.copy_(weight * scale[:, None, None, None])
    conv.bias.copy_(shift - mean * scale)
    used.update(keys)
