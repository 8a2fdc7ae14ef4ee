"""The folded network against the published one written in the plainest way: convolution, batch norm, ReLU6."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional as F

from rewind.errors import WeightsError
from rewind.vision.efficientnet import STAGES, load_folded, same_padding
from rewind.vision.encoder import LITE0_FILE, LITE0_PACKAGE, LITE0_SHA256
from rewind.weights import packaged_file


@pytest.fixture(scope="module")
def weights() -> Path:
    return packaged_file(LITE0_PACKAGE, LITE0_FILE, sha256=LITE0_SHA256)


def plain(saved: dict[str, Tensor], x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Deep grid, fine grid and logits of EfficientNet-Lite0, unfolded; x in −1–1."""

    def unit(y: Tensor, conv: str, norm: str, *, stride: int = 1, groups: int = 1, relu: bool = True) -> Tensor:
        weight = saved[f"{conv}.weight"]
        kernel = weight.shape[-1]
        (top, bottom), (left, right) = (same_padding(n, kernel, stride) for n in y.shape[-2:])
        y = F.conv2d(F.pad(y, (left, right, top, bottom)), weight, stride=stride, groups=groups)
        mean, var, gain, bias = (saved[f"{norm}.{k}"] for k in ("running_mean", "running_var", "weight", "bias"))
        y = F.batch_norm(y, mean, var, gain, bias, eps=1e-3)
        return F.relu6(y) if relu else y

    x = unit(x, "_conv_stem", "_bn0", stride=2)
    block, fine, finest = 0, x, x
    for number, (repeats, _, first, expansion, _, _) in enumerate(STAGES):
        for repeat in range(repeats):
            name, stride = f"_blocks.{block}.", first if repeat == 0 else 1
            y = unit(x, name + "_expand_conv", name + "_bn0") if expansion != 1 else x
            y = unit(y, name + "_depthwise_conv", name + "_bn1", stride=stride, groups=y.shape[1])
            y = unit(y, name + "_project_conv", name + "_bn2", relu=False)
            x = x + y if stride == 1 and x.shape == y.shape else y
            block += 1
        finest = x if number == 2 else finest
        fine = x if number == 4 else fine
    odd = F.pad(finest, (0, 1, 0, 1))
    rows, columns = fine.shape[-2:]
    square = [odd[:, :, i::2, j::2][:, :, :rows, :columns] for i in (0, 1) for j in (0, 1)]
    fine = torch.cat([fine, torch.stack(square, dim=2).flatten(1, 2)], dim=1)
    head = unit(x, "_conv_head", "_bn1")
    return x, fine, F.linear(head.mean((2, 3)), saved["_fc.weight"], saved["_fc.bias"])


@pytest.mark.parametrize("size", [(224, 224), (97, 130)])
@torch.no_grad()
def test_folded_network_equals_the_plain_one(weights: Path, size: tuple[int, int]) -> None:
    pixels = torch.randint(0, 256, (2, 3, *size)).float()
    deep, fine, logits = plain(torch.load(weights, weights_only=True), pixels / 127.5 - 1)
    net = load_folded(weights)
    found_deep, found_fine, head = net(pixels - 127.5)
    assert torch.allclose(found_deep, deep, atol=1e-3)
    assert torch.allclose(found_fine, fine, atol=1e-3)
    assert torch.allclose(net.classify(head), logits, atol=1e-3)


@given(size=st.integers(1, 400), kernel=st.sampled_from([1, 3, 5]), stride=st.sampled_from([1, 2]))
def test_same_padding_keeps_the_size_and_puts_the_odd_zero_after(size: int, kernel: int, stride: int) -> None:
    before, after = same_padding(size, kernel, stride)
    assert after - before in (0, 1)
    assert (max(size + before + after, kernel) - kernel) // stride + 1 == -(-size // stride)


def test_foreign_tensors_are_refused_in_one_line(weights: Path, tmp_path: Path) -> None:
    saved = torch.load(weights, weights_only=True)
    missing = {k: v for k, v in saved.items() if k != "_blocks.3._bn1.bias"}
    for state, said in ((missing, "_blocks.3._bn1.bias"), ({**saved, "extra": torch.zeros(1)}, "extra")):
        torch.save(state, tmp_path / "x.pth")
        with pytest.raises(WeightsError, match=said) as error:
            load_folded(tmp_path / "x.pth")
        assert "\n" not in str(error.value)
