"""Concepts by an image-text model: the right moment of a real file, absent things, and what stays the classifier's."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
import pytest
import torch
from torch import Tensor

import rewind
from rewind.errors import ConfigError
from rewind.text import load_text
from rewind.vision import load_image_text, load_vision
from rewind.vision.beside import BesideImageText
from rewind.vision.concepts import COLUMNS, SEEN, Concepts
from rewind.vision.image_text import ImageText
from rewind.vision.matching import CAPTION, MatchedConcepts
from rewind.vision.scoring import FLOOR

Draw = Callable[..., npt.NDArray[np.uint8]]
SHOWN = ["nothing"] * 8 + ["green disc"] * 6 + ["nothing"] * 8 + ["red disc"] * 8


@pytest.fixture(scope="module")
def model(discs_clip: Path) -> ImageText:
    return load_image_text(f"hub:{discs_clip}")


@pytest.fixture(scope="module")
def concepts(model: ImageText) -> MatchedConcepts:
    return MatchedConcepts(load_text(), model)


@pytest.fixture(scope="module")
def film(draw: Draw, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Thirty seconds: nothing, a green disc at 8 – 14 s, nothing, a red one from 22 s on."""
    path, rng = tmp_path_factory.mktemp("film") / "discs.mp4", random.Random(3)
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=1)
        stream.width = stream.height = 224
        stream.pix_fmt = "yuv444p"
        for name in SHOWN:
            out.mux(stream.encode(av.VideoFrame.from_ndarray(draw(name, rng, side=224), format="rgb24")))
        out.mux(stream.encode(None))
    return path


@pytest.fixture(scope="module")
def posterior(model: ImageText, draw: Draw) -> Tensor:
    """(T, 5, 1011 + W) of a picture a second, the classifier's part of it flat."""
    rng = random.Random(4)
    pictures = torch.from_numpy(np.stack([draw(name, rng, side=224) for name in SHOWN]))
    flat = torch.full((len(SHOWN), 5, COLUMNS + model.width), 1e-3)
    flat[:, 0, COLUMNS:] = model.pictures(pictures)
    return flat


def test_find_by_words_that_the_classifier_lacks(film: Path, discs_clip: Path, tmp_path: Path) -> None:
    video = rewind.open(film, image_text=f"hub:{discs_clip}", store=tmp_path)
    found = video.find("a green disc")
    assert not found.absent
    assert found.known
    (moment,) = found.moments
    assert (moment.start_s, moment.end_s) == pytest.approx((8, 14), abs=1)  # smoothing may add a sample on each side
    assert video.find("a blue disc").absent
    assert video.find("a red disc").moments[0].start_s == pytest.approx(22, abs=1)
    cut = video.find("a green disc " + "on a sofa " * 20)
    assert f"hub:{discs_clip} read the first 12 of 67 tokens" in cut.degradations
    assert not any("tokens" in line for line in found.degradations)
    answer = video.ask("Is there a green disc?")
    assert answer.answer_source == "concepts"
    assert answer.moments == found.moments
    assert f"hub:{discs_clip}" in answer.model
    plain = rewind.open(film, store=tmp_path)
    assert plain.find("a green disc").video == found.video  # its own features, beside the other's
    assert "hub:" not in plain.find("a green disc").model


def test_evidence_is_the_share_of_a_softmax(concepts: MatchedConcepts, model: ImageText, posterior: Tensor) -> None:
    """A plain reference: cosines at the model's scale, over the query and the words that do not tell of its classes."""
    vocabulary = concepts._vocabulary
    own = vocabulary.shows("dog") | vocabulary.shows("sofa")
    rivals = [w for w in concepts._bank_words() if w not in ("dog", "sofa") and not own & vocabulary.shows(w)]
    assert "hound" not in rivals
    assert "car" in rivals
    texts = model.texts([CAPTION.format(word) for word in ("dog on a sofa", *rivals)])
    odds = np.exp(model.scale * posterior[:, 0, COLUMNS:].numpy() @ texts.numpy().T)
    expected = np.log(odds[:, 0] / odds.sum(1) + FLOOR)
    given = concepts._evidence(posterior, "Is there a dog on a sofa?")[:, 0, 0]
    assert np.allclose(given.numpy(), expected, atol=1e-4)


def test_either_of_two_things_is_enough(concepts: MatchedConcepts, posterior: Tensor) -> None:
    """Of known words only, as everywhere: of others the phrase is asked whole."""
    each = [concepts.score(posterior, f"{word}").scores for word in ("a dog", "a car")]
    both = concepts.score(posterior, "a dog or a car").scores
    assert torch.allclose(both, torch.maximum(*each), atol=1e-3)


def test_words_of_any_kind_are_known_but_not_sounds(concepts: MatchedConcepts, posterior: Tensor) -> None:
    assert concepts.score(posterior, "Is there a zorb in a hovel?").known == ("zorb in a hovel",)
    assert not concepts.score(posterior, "Is there music?").known
    assert not concepts.score(posterior, "Hay un coche?").known
    assert not concepts.score(posterior, "what happens?").known


def test_colours_alone_and_names_stay_the_classifiers(concepts: MatchedConcepts, model: ImageText, film: Path) -> None:
    encoder = BesideImageText(load_vision(), model)
    from rewind.video import open_frames

    with open_frames(film, size=encoder.input_size) as stream:
        pixels = torch.stack([torch.from_numpy(frame.pixels) for frame in stream])
    deep, fine, posterior = encoder.encode(pixels)
    plain = load_vision().encode(pixels)
    assert torch.equal(deep, plain[0])
    assert torch.equal(fine, plain[1])
    assert torch.equal(posterior[:, :, :COLUMNS], plain[2])
    assert posterior.shape[1:] == (encoder.views, encoder.classes)
    assert not posterior[:, 1:, COLUMNS:].any()
    classifier = Concepts(load_text())
    assert torch.equal(
        concepts.score(posterior, "anything red").scores, classifier.score(plain[2], "anything red").scores
    )
    assert float(concepts.score(posterior, "anything red").scores.max()) >= SEEN
    assert concepts.names(posterior[22:]) == classifier.names(plain[2][22:])
    assert classifier.takes_for_anyone("a child")
    assert not concepts.takes_for_anyone("a child")


def test_a_posterior_of_another_encoder_is_refused(concepts: MatchedConcepts) -> None:
    with pytest.raises(ConfigError, match="posterior"):
        concepts.score(torch.zeros(3, 5, COLUMNS), "a dog")
    with pytest.raises(ConfigError, match="empty query"):
        concepts.score(torch.zeros(3, 5, COLUMNS + 32), "  ")
