"""Text features of the vocabulary's words, which unknown words are compared with: shipped, for making them takes time.

After a change of the vocabulary make them anew:

    python -m rewind.vision.words
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import as_file, files

import numpy as np
import numpy.typing as npt
from safetensors import safe_open
from safetensors.numpy import save_file

from rewind.text import TextEncoder
from rewind.weights import recipe_hash

FILE = "words.safetensors"
Floats = npt.NDArray[np.float32]


def word_features(text: TextEncoder, words: Sequence[str]) -> Floats:
    """Pooled features (words, W) by `text`: the shipped ones where they are of these words and this encoder."""
    kept = shipped_features(text, words)
    return text.encode(words).pooled.numpy() if kept is None else kept


def shipped_features(text: TextEncoder, words: Sequence[str]) -> Floats | None:
    """The shipped features (words, W); None where they were made from other words or by another encoder."""
    with as_file(files("rewind.vision").joinpath(FILE)) as path:
        if not path.is_file():
            return None
        with safe_open(path, framework="numpy") as file:
            features: Floats = file.get_tensor("words").astype(np.float32)
            same = (file.metadata() or {}).get("recipe") == _recipe(text, words)
    return features if same else None


def _recipe(text: TextEncoder, words: Sequence[str]) -> str:
    return recipe_hash(text.weights_hash, *words)


def _main() -> None:
    from rewind.text import load_text
    from rewind.vision.vocabulary import load_vocabulary

    text, words = load_text(), load_vocabulary().words
    features = text.encode(words).pooled.numpy().astype(np.float16)
    with as_file(files("rewind.vision").joinpath(FILE)) as path:
        save_file({"words": features}, path, metadata={"recipe": _recipe(text, words)})


if __name__ == "__main__":
    _main()
