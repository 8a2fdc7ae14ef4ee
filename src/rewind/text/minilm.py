"""The bundled all-MiniLM-L6-v2 in torch's own transformer layers: importing a whole model library for six layers takes
longer than most questions."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer
from torch import Tensor, nn

_WIDTH, _HEADS, _LAYERS, _INNER = 384, 12, 6, 1536
_EPSILON = 1e-12


class MiniLM(nn.Module):
    """BERT (Devlin et al. 2019) of six layers: token ids (n, S) and their mask → features (n, S, 384)."""

    def __init__(self, *, words: int, places: int, kinds: int) -> None:
        super().__init__()
        self.words, self.places = nn.Embedding(words, _WIDTH), nn.Embedding(places, _WIDTH)
        self.kinds = nn.Embedding(kinds, _WIDTH)
        self.norm = nn.LayerNorm(_WIDTH, eps=_EPSILON)
        self.layers = nn.ModuleList(
            nn.TransformerEncoderLayer(
                _WIDTH, _HEADS, _INNER, dropout=0.0, activation="gelu", layer_norm_eps=_EPSILON, batch_first=True
            )
            for _ in range(_LAYERS)
        )

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        place = torch.arange(ids.shape[1], device=ids.device)
        x: Tensor = self.norm(self.words(ids) + self.places(place) + self.kinds.weight[0])
        for layer in self.layers:
            x = layer(x, src_key_padding_mask=~mask)
        return x


def load(weights: Path) -> MiniLM:
    """From the published safetensors file, whose names are BERT's. Raises: KeyError, RuntimeError for another file."""
    kept = load_file(weights)
    model = MiniLM(
        words=len(kept["embeddings.word_embeddings.weight"]),
        places=len(kept["embeddings.position_embeddings.weight"]),
        kinds=len(kept["embeddings.token_type_embeddings.weight"]),
    )
    state = {
        "words.weight": kept["embeddings.word_embeddings.weight"],
        "places.weight": kept["embeddings.position_embeddings.weight"],
        "kinds.weight": kept["embeddings.token_type_embeddings.weight"],
        "norm.weight": kept["embeddings.LayerNorm.weight"],
        "norm.bias": kept["embeddings.LayerNorm.bias"],
    }
    names = {
        "self_attn.out_proj": "attention.output.dense", "norm1": "attention.output.LayerNorm",
        "linear1": "intermediate.dense", "linear2": "output.dense", "norm2": "output.LayerNorm",
    }  # fmt: skip
    for n in range(_LAYERS):
        theirs = f"encoder.layer.{n}."
        for kind in ("weight", "bias"):
            parts = [kept[f"{theirs}attention.self.{part}.{kind}"] for part in ("query", "key", "value")]
            state[f"layers.{n}.self_attn.in_proj_{kind}"] = torch.cat(parts)
            for ours, name in names.items():
                state[f"layers.{n}.{ours}.{kind}"] = kept[f"{theirs}{name}.{kind}"]
    model.load_state_dict(state)
    return model


class MiniLMReader:
    """The encoder and its tokenizer, from their published files."""

    width = _WIDTH
    pad = 0

    def __init__(self, weights: Path, tokenizer: Path) -> None:
        self._model = load(weights).eval().requires_grad_(False)
        self._tokenizer = Tokenizer.from_file(str(tokenizer))
        self._tokenizer.no_padding()

    def ids(self, texts: Sequence[str], limit: int | None) -> list[list[int]]:
        if limit is None:
            self._tokenizer.no_truncation()
        else:
            self._tokenizer.enable_truncation(limit)
        return [found.ids for found in self._tokenizer.encode_batch(list(texts))]

    def hidden(self, ids: Tensor, mask: Tensor) -> Tensor:
        return torch.as_tensor(self._model(ids, mask))
