"""What is on screen, in any words: concepts whose evidence comes from an image-text model beside the classifier.

A frame's evidence for a query is its share of a softmax over the query and a bank of everyday words, at the scale that
the model was trained with: what explains the frame better takes the mass away, as among the classes of the classifier,
so that the logarithm of it is read by the same logistic. (To weigh a picture by a bank of other queries also keeps
pictures that are near to all texts from being found for each: Bogolin et al., CVPR 2022.) Words of the bank that tell
of the same classes as the query's are left out: a hound is no rival of a dog.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache

import torch
from torch import Tensor

from rewind.errors import ConfigError
from rewind.text import TextEncoder
from rewind.vision.concepts import COLUMNS, Concepts
from rewind.vision.image_text import ImageText
from rewind.vision.scoring import CHUNK, FLOOR
from rewind.vision.vocabulary import Vocabulary
from rewind.vision.wording import looks_in

CAPTION = "a photo of {}"


class MatchedConcepts(Concepts):
    """Concepts over posteriors (T, V, 1011 + W), whose last columns are features of an image-text model's space."""

    def __init__(
        self, text: TextEncoder, image_text: ImageText, *, bank: Callable[[Sequence[str]], Tensor] | None = None,
        vocabulary: Vocabulary | None = None,
    ) -> None:  # fmt: skip
        """
        Args:
            bank: features (n, W) of captions by `image_text`, where they need not be made anew.
        """
        super().__init__(text, vocabulary=vocabulary)
        self._image_text, self._features_of = image_text, bank or image_text.texts
        self._bank: Tensor | None = None
        self._rivals_of = lru_cache(maxsize=16)(self._rivals)

    def _evidence(self, posterior: Tensor, query: str) -> Tensor:
        """See `Concepts._evidence`; the readout of the classifier (the last axis) is left at zero. What colours alone
        tell they tell here too."""
        width = COLUMNS + self._image_text.width
        if posterior.ndim != 3 or posterior.shape[2] != width:
            raise ConfigError(f"posterior {tuple(posterior.shape)}", allowed=f"(T, V, {width})")
        if not query.strip() or self._vocabulary.colours_alone(query) or looks_in(query):
            return super()._evidence(posterior[:, :, :COLUMNS], query)
        offered = [self._rivals_of(one) for one in self._alternatives(query)]
        evidence = torch.zeros(len(posterior), len(offered), 2)
        for start in range(0, len(posterior), CHUNK):
            seen = posterior[start : start + CHUNK, 0, COLUMNS:].float()
            for number, texts in enumerate(offered):
                share = (self._image_text.scale * seen @ texts.T).softmax(-1)[:, 0]
                evidence[start : start + CHUNK, number, 0] = (share + FLOOR).log()
        return evidence

    def _rivals(self, query: str) -> Tensor:
        """Features (1 + n, W) of the query and of what else a frame might show."""
        words = self._bank_words()
        if self._bank is None:
            self._bank = self._features_of([CAPTION.format(word) for word in words])
        phrase = self._phrase(query)
        asked = self._image_text.texts([CAPTION.format(phrase)])
        own = frozenset[int]().union(*(self._vocabulary.shows(term.name) for term in self.terms(query)))
        kept = [k for k, word in enumerate(words) if word != phrase and not own & self._vocabulary.shows(word)]
        return torch.cat([asked, self._bank[kept]])

    def cuts(self, query: str) -> tuple[str, ...]:
        """See `Concepts.cuts`."""
        found = (self._image_text.cut(CAPTION.format(self._phrase(one))) for one in self._alternatives(query))
        return tuple(one for one in found if one)

    def _phrase(self, query: str) -> str:
        return self._vocabulary.phrase(query) or query.strip()

    def _bank_words(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys((*self._vocabulary.heads, *self._vocabulary.everyday)))

    def _shown(self, query: str) -> tuple[str, ...]:
        phrase = self._vocabulary.phrase(query)
        return (phrase,) if phrase else ()

    def names_all(self, query: str) -> bool:
        """See `Concepts.names_all`; any words are looked for."""
        del query
        return True

    def takes_for_anyone(self, query: str) -> bool:
        """An image-text model has seen who is called what."""
        del query
        return False

    def names_one_thing(self, query: str) -> bool:
        """See `Concepts.names_one_thing`; one word of any kind does."""
        return super().names_one_thing(query) or len(self._vocabulary.content(query).split()) == 1
