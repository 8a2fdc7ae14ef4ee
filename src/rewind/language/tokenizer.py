"""The bundled decoder's tokenizer: whole words of a given vocabulary, single characters for all else."""

from __future__ import annotations

import string
from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import Path

from tokenizers import Tokenizer, decoders, models, pre_tokenizers

from rewind.errors import WeightsError

PAD, BEGIN, END, UNKNOWN = 0, 1, 2, 3
_SPECIALS = ("<pad>", "<begin>", "<end>", "<unknown>")
_CHARACTERS = string.ascii_letters + string.digits + string.punctuation


class AnswerTokenizer:
    """Text ↔ token ids for short answers; any ASCII text survives the round trip up to white space.

    Args:
        tokenizer: a WordPiece tokenizer of the `tokenizers` library, as `from_words` builds it.
    """

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer

    @staticmethod
    def from_words(words: Iterable[str]) -> AnswerTokenizer:
        """A tokenizer that knows `words` whole, and every ASCII character at the start of a word and inside one."""
        pieces = [*_SPECIALS, *_CHARACTERS, *(f"##{c}" for c in _CHARACTERS)]
        pieces += sorted(set(words) - set(pieces))
        vocabulary = {piece: i for i, piece in enumerate(pieces)}
        tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="<unknown>", max_input_chars_per_word=200))  # noqa: S106
        tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
        tokenizer.decoder = decoders.WordPiece(cleanup=False)
        return AnswerTokenizer(tokenizer)

    def __len__(self) -> int:
        return int(self._tokenizer.get_vocab_size())

    @cached_property
    def words(self) -> frozenset[str]:
        """The whole words that it knows, in small letters: those that training's questions and answers are made of."""
        pieces = self._tokenizer.get_vocab()
        return frozenset(w.lower() for w in pieces if len(w) > 1 and w not in _SPECIALS and not w.startswith("##"))

    def encode(self, text: str) -> list[int]:
        """Ids of `text`, closed by END."""
        return [*self._tokenizer.encode(text, add_special_tokens=False).ids, END]

    def decode(self, ids: Sequence[int]) -> str:
        """Text of `ids` up to the first END."""
        ids = list(ids)
        if END in ids:
            ids = ids[: ids.index(END)]
        return str(self._tokenizer.decode([i for i in ids if i > UNKNOWN]))

    def save(self, path: Path) -> None:
        self._tokenizer.save(str(path))

    @staticmethod
    def load(path: Path) -> AnswerTokenizer:
        """Raises: WeightsError where the file is missing or is no tokenizer."""
        try:
            return AnswerTokenizer(Tokenizer.from_file(str(path)))
        except Exception as error:  # the library raises plain Exception for a foreign file
            raise WeightsError(f"{path}: {error}", allowed="a tokenizer.json written by save_pretrained") from error
