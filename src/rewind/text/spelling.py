"""Instructions as the memory reads them: codes spelled out, so that each character is a token of its own."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import replace

from rewind.text.encoder import TextEncoder, TextFeatures

_CODE = re.compile(r"\b[A-Z0-9]{2,6}\b")


def spell_codes(text: str) -> str:
    """`the sign 7KX2` → `the sign 7 K X 2`. A tokenizer of word pieces would cut a code as it pleases.

    Where all is in capitals (A RED STAR), a word of several is a code only if it holds a digit.
    """
    if not any(letter.islower() for letter in text) and len(text.split()) > 1:
        text = " ".join(word if any(c.isdigit() for c in word) else word.lower() for word in text.split())
    return _CODE.sub(lambda found: " ".join(found[0]), text)


def read_instructions(encoder: TextEncoder, texts: Sequence[str]) -> TextFeatures:
    """Features of instructions, codes spelled out and wide letters plain; `texts` of the result are those given."""
    plain = [spell_codes(unicodedata.normalize("NFKC", text)) for text in texts]
    return replace(encoder.encode(plain), texts=tuple(texts))
