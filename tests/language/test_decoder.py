"""The bundled decoder: cached generation equals teacher forcing, masks hide, the tokenizer is exact."""

from __future__ import annotations

import string
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from rewind.config import ReWindConfig
from rewind.errors import WeightsError
from rewind.language.decoder import BundledDecoder, prefix_mask
from rewind.language.tokenizer import BEGIN, END, AnswerTokenizer

CONFIG = replace(ReWindConfig(), decoder_width=24, decoder_heads=4, decoder_layers=2, vocabulary=210, answer_reserve=6)
TOKENIZER = AnswerTokenizer.from_words(["red", "blue", "before", "12"])


@torch.no_grad()
def test_generation_with_kept_keys_equals_teacher_forcing() -> None:
    decoder = BundledDecoder(CONFIG).eval()
    prompt = torch.randn(1, 9, 24)
    words = decoder.generate(prompt, limit=6)
    ids = [*words.ids, END][:6]
    logits = decoder(prompt, torch.ones(1, 9, dtype=torch.bool), torch.tensor([ids]))[0]
    scores = logits.log_softmax(-1)
    assert [int(i) for i in scores.argmax(-1)][: len(words.log_probabilities)] == ids[: len(words.log_probabilities)]
    for step, log_probability in enumerate(words.log_probabilities):
        assert float(scores[step, ids[step]]) == pytest.approx(log_probability, abs=1e-4)


@torch.no_grad()
def test_a_barred_beginning_leaves_the_next_best_its_share() -> None:
    decoder = BundledDecoder(CONFIG).eval()
    prompt = torch.randn(1, 9, 24)
    free = decoder.generate(prompt, limit=6)
    first = free.ids[0] if free.ids else END
    barred = decoder.generate(prompt, limit=6, barred=[first])
    logits = decoder(prompt, torch.ones(1, 9, dtype=torch.bool), torch.tensor([[first]]))[0, 0]
    logits[first] = -torch.inf
    second = int(logits.argmax())
    assert (barred.ids[0] if barred.ids else END) == second != first
    assert barred.log_probabilities[0] == pytest.approx(float(logits.log_softmax(-1)[second]), abs=1e-4)


@pytest.mark.parametrize("layers", [1, 3])
def test_logits_and_gradients_equal_those_of_all_rows_of_all_layers(layers: int) -> None:
    """The plain way: the prompt goes through the last layer too, though nobody reads what comes of it."""
    decoder = BundledDecoder(replace(CONFIG, decoder_layers=layers))
    prompt, answer = torch.randn(2, 5, 24, requires_grad=True), torch.tensor([[7, 8, END], [9, END, 0]])
    mask = torch.tensor([[1, 1, 0, 1, 1], [1, 1, 1, 1, 1]], dtype=torch.bool)
    begun = torch.cat([torch.full((2, 1), BEGIN), answer[:, :-1]], dim=1)
    x = torch.cat([prompt, decoder.words(begun) + decoder.position(torch.arange(3))], dim=1)
    for layer in decoder.layers:
        x, (key, _) = layer(x, prefix_mask(mask, 3), None)
        assert key.shape[2] == 8
    plain = decoder.out(decoder.norm(x[:, 5:]))
    logits = decoder(prompt, mask, answer)
    torch.testing.assert_close(logits, plain)
    for one, other in zip(
        torch.autograd.grad(logits.square().sum(), [prompt, *decoder.layers.parameters()]),
        torch.autograd.grad(plain.square().sum(), [prompt, *decoder.layers.parameters()]),
        strict=True,
    ):
        torch.testing.assert_close(one, other, atol=1e-4, rtol=1e-4)


@torch.no_grad()
def test_padding_in_the_prompt_changes_nothing() -> None:
    decoder = BundledDecoder(CONFIG).eval()
    prompt, answer = torch.randn(1, 5, 24), torch.tensor([[7, 8, END]])
    alone = decoder(prompt, torch.ones(1, 5, dtype=torch.bool), answer)
    padded = torch.cat([prompt[:, :3], torch.randn(1, 4, 24), prompt[:, 3:]], dim=1)
    mask = torch.tensor([[1, 1, 1, 0, 0, 0, 0, 1, 1]], dtype=torch.bool)
    torch.testing.assert_close(decoder(padded, mask, answer), alone, atol=1e-5, rtol=1e-5)


@torch.no_grad()
def test_an_answer_token_never_sees_what_comes_after() -> None:
    decoder = BundledDecoder(CONFIG).eval()
    prompt, mask = torch.randn(1, 5, 24), torch.ones(1, 5, dtype=torch.bool)
    one = decoder(prompt, mask, torch.tensor([[7, 8, 9, END]]))
    two = decoder(prompt, mask, torch.tensor([[7, 8, 99, 50]]))
    torch.testing.assert_close(one[:, :3], two[:, :3])
    assert (one[:, 3] - two[:, 3]).abs().max() > 1e-4


def test_prefix_mask_by_hand() -> None:
    mask = prefix_mask(torch.tensor([[True, False]]), 2)[0, 0].int().tolist()
    assert mask == [[1, 0, 0, 0], [1, 0, 0, 0], [1, 0, 1, 0], [1, 0, 1, 1]]


@given(st.text(alphabet=string.ascii_letters + string.digits + string.punctuation + " ", max_size=40))
def test_any_ascii_text_survives_the_round_trip(text: str) -> None:
    assert TOKENIZER.decode(TOKENIZER.encode(text)) == " ".join(text.split())


def test_known_words_are_one_token(tmp_path: Path) -> None:
    assert len(TOKENIZER.encode("red before 12")) == 4
    TOKENIZER.save(tmp_path / "tokenizer.json")
    again = AnswerTokenizer.load(tmp_path / "tokenizer.json")
    assert again.encode("red K7P") == TOKENIZER.encode("red K7P")
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(WeightsError, match=r"allowed: a tokenizer\.json"):
        AnswerTokenizer.load(tmp_path / "tokenizer.json")
