"""Words → classes: which columns of the classifier's posterior say that a thing of this name is in view.

Three sources, first hit first: associations written by hand for what is no class (people, sky, a slide), the nouns of
WordNet with the classes below them, and, where a query has neither, the known words nearest to it in text space.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np
import numpy.typing as npt

from rewind.text import TextEncoder
from rewind.vision.colours import COLOURS
from rewind.vision.efficientnet import CLASSES
from rewind.vision.wording import (
    HUES_TOO,
    colours_in,
    owner,
    plain_colour,
    singular,
    wants_monochrome,
    without_denied,
    words_in,
)

# How much a class counts that shows a thing, that only often comes with it, that tells where to look for it at best.
GRADES = (1.0, 0.2, 0.06)
SPECIFIC = 6  # a noun over at most this many classes adds them to its association; wider nouns would blur it
LONGEST = 4  # words in the longest known phrase
NEAR = 0.65  # least cosine at which a known word stands for an unknown query
NEAR_WIDTH, NEAR_MOST, NEAR_ZERO, NEAR_FULL = 0.08, 5, 0.6, 0.85
# Small words of other languages that are none of English, nor part of many names.
FOREIGN = frozenset((
    "un", "una", "unos", "uno", "el", "hay", "donde", "cuando", "quien", "der", "das", "ein", "eine", "einen", "einem",
    "keine", "ist", "sind", "und", "nicht", "wann", "gibt", "sieht", "il", "gli", "est", "sont", "les", "une", "quand",
    "sur", "uma", "onde", "quem", "een", "het", "zijn", "wie", "hoeveel", "ett", "finns", "och", "det", "apakah", "ada",
))  # fmt: skip
ANYONE = frozenset(("person", "people", "human", "someone", "somebody"))
"""Words for people that say nothing of who they are."""
SURE = 0.3  # posterior mass from which a single class is named


@dataclass(frozen=True)
class Term:
    """A known word of a query: `weights` (K,) in 0–1, how far each class says that the thing is there. `guessed` where
    it stands for a word that is not known and means something else: *night snake* for the night."""

    name: str
    weights: npt.NDArray[np.float32]
    people: bool = False
    guessed: bool = False


class Vocabulary:
    """The shipped words for the 1,000 classes of ImageNet."""

    def __init__(self) -> None:
        self.classes = tuple(_lines("imagenet_classes.txt"))
        self._class_number = {name.lower(): k for k, name in enumerate(self.classes)}
        self._stop = frozenset(w for line in _lines("stop_words.txt") for w in line.split())
        self._homonyms = frozenset(w for line in _lines("homonyms.txt") for w in line.split())
        self._nouns: dict[str, tuple[int, ...]] = {}
        for line in _lines("wordnet_nouns.txt"):
            words, _, ranges = line.partition(" : ")
            for word in words.split(", "):
                self._nouns[word] = tuple(_numbers(ranges))
        said = [w.strip() for line in _lines("everyday_nouns.txt") for w in line.split(",")]
        self._everyday = {noun: self._nouns[noun] for noun in said}
        self._associations: dict[str, tuple[int, tuple[tuple[int, ...], ...]]] = {}
        for row, line in enumerate(_lines("associations.txt")):
            words, _, shown = line.partition(" : ")
            graded = tuple(tuple(self._named(part)) for part in shown.split(";"))
            for word in words.split(","):
                self._associations.setdefault(word.strip(), (row, graded))
        self.everyday = tuple(self._everyday)
        self.words = (*self._associations, *(w for w in self._nouns if w not in self._associations))
        self._misleading = [k for k, word in enumerate(self.words) if word in self._homonyms]
        firsts = {row: word for word, (row, graded) in reversed(self._associations.items()) if graded[0]}
        self.heads = tuple(firsts[row] for row in sorted(firsts))
        """The word that stands for each association of which some class is certain."""

    def _named(self, names: str) -> Iterator[int]:
        """Numbers of the classes that a list names; @word stands for what shows another word for certain."""
        for name in (n.strip().lower() for n in names.split(",") if n.strip()):
            if not name.startswith("@"):
                yield self._class_number[name]
            elif name[1:] in self._associations:
                yield from self._associations[name[1:]][1][0]
            else:
                yield from self._nouns[name[1:]]

    def __contains__(self, word: str) -> bool:
        return word in self._associations or word in self._nouns

    def term(self, word: str) -> Term:
        """The term of a known word (KeyError for an unknown one)."""
        weights = np.zeros(CLASSES, np.float32)
        if word not in self._associations:
            weights[list(self._nouns[word])] = 1
            return Term(word, weights)
        row, graded = self._associations[word]
        nouns = self._nouns.get(word, ())
        for classes, grade in reversed(list(zip(graded, GRADES, strict=False))):
            weights[list(classes)] = grade
        if row and len(nouns) <= SPECIFIC:
            weights[list(nouns)] = 1
        return Term(word, weights, people=row == 0)

    def shows(self, word: str) -> frozenset[int]:
        """The classes that show a known word's thing for certain."""
        return frozenset(np.flatnonzero(self.term(word).weights == 1).tolist())

    def terms(self, query: str) -> list[Term]:
        """The known words of a query from left to right, the longest phrase first where several fit."""
        return [self.term(known) for known in self.known_in(query)]

    def _phrases(self, words: Sequence[str]) -> Iterator[tuple[str, str]]:
        """Words cut into known phrases, ("fire truck", ""), and what is left between them, ("", "big")."""
        at = 0
        while at < len(words):
            for length in range(min(LONGEST, len(words) - at), 0, -1):
                head, last = words[at : at + length - 1], words[at + length - 1]
                known = next((w for s in singular(last) if (w := " ".join([*head, s])) in self), None)
                if known and not (length == 1 and self._says_nothing({known, last})):
                    yield known, ""
                    at += length
                    break
            else:
                yield "", words[at]
                at += 1

    def _says_nothing(self, words: set[str]) -> bool:
        """Whether a word, by one of its forms, is no name of a thing when it stands alone."""
        return not words.isdisjoint(self._stop) or not words.isdisjoint(self._homonyms)

    def affirmed(self, query: str) -> str:
        """A query without what it says not to be there, where it names something else: *a dog but no person* asks for a
        dog, *no person* can only be looked for by the person."""
        rest = without_denied(query)
        return rest if self.known_in(rest) else query

    def known_in(self, query: str) -> list[str]:
        """The known phrases of a query from left to right, as the vocabulary spells them. Whose a thing is need not be
        in view: an owner is known only where nothing else is."""
        words = words_in(query)
        found = [known for known, _ in self._phrases(words) if known]
        return found or [known for known, _ in self._phrases([owner(word) for word in words]) if known]

    def kinds(self, phrase: str) -> tuple[int, ...]:
        """Classes below the noun that a phrase begins with; none where it begins with none, or that is no noun of
        WordNet (*person*: a suit is no kind of one)."""
        known, _ = next(self._phrases(words_in(phrase)), ("", ""))
        return self._nouns.get(known, ())

    def names_one_thing(self, query: str) -> bool:
        """Whether a query holds one known phrase, which a class shows for certain, and else but colours and words that
        say nothing of what is in view. A child is not known for certain: see `takes_for_anyone`."""
        phrases = list(self._phrases(words_in(query)))
        known = [phrase for phrase, _ in phrases if phrase]
        others = (word for _, word in phrases if word)
        plain = all(word in self._stop or word in COLOURS for word in others)
        certain = plain and len(known) == 1 and bool(self.term(known[0]).weights.max() == 1)
        return certain and not self.takes_for_anyone(query)

    def takes_for_anyone(self, query: str) -> bool:
        """Whether a query asks for people of whom it says more than that: *a child*, *a crowd*, *dancing*. The classes
        tell that people are there, by what they wear, and not one from another."""
        return any(term.people and term.name not in ANYONE for term in self.terms(query))

    def names_all(self, query: str) -> bool:
        """Whether all words of a query that say what may be in view are known: of *When does the dog leave?* the dog
        alone is."""
        return all(known or word in self._stop or word in COLOURS for known, word in self._phrases(words_in(query)))

    def is_foreign(self, query: str) -> bool:
        """Whether a query's words are of another language, as far as can be told: small words of one are among them,
        and most of what may be in view is unknown. What is known then is likely to be chance: *Hay un coche?*"""
        phrases = list(self._phrases(words_in(query)))
        if not re.search("[¿¡]", query) and all(word not in FOREIGN for _, word in phrases):
            return False
        strange = sum(bool(word) and word not in COLOURS and word not in HUES_TOO for _, word in phrases)
        return strange > sum(bool(known) for known, _ in phrases) > 0

    def names_something(self, query: str) -> bool:
        """Whether a query has a word for what may be in view, known or not, other scripts and pictograms included:
        *what happens?* has none."""
        foreign = any(not c.isascii() and (c.isalpha() or unicodedata.category(c) == "So") for c in query)
        return foreign or any(word not in self._stop for word in words_in(query))

    def colours_alone(self, query: str) -> list[int]:
        """Numbers of the colours of a query that asks for nothing else: *anything red*."""
        plain = all(word in self._stop or word in COLOURS or word in HUES_TOO for word in words_in(query))
        return colours_in(query) if plain and plain_colour(query) is None and not wants_monochrome(query) else []

    def name_of(self, top: int, mass: npt.NDArray[np.float32], *, sure: float = SURE) -> tuple[str, tuple[int, ...]]:
        """A word for class `top`, and the classes it covers: the class itself where it has `sure` of the mass (K,),
        else the narrowest everyday noun over it that has, and at least twice as much as the class alone."""
        if mass[top] < sure:
            wider = self._narrowest(top, mass, need=max(sure, 2 * float(mass[top])))
            if wider:
                return wider
        return self.classes[top], (top,)

    def kind_of(
        self, kinds: Sequence[int], mass: npt.NDArray[np.float32], *, share: float
    ) -> tuple[str, tuple[int, ...]] | None:
        """A word for what a thing is, and the classes it covers: the surest of its kinds where that has `share` of
        their mass, else the narrowest everyday noun over it that has; None where only a word for all kinds would do."""
        inside = np.zeros_like(mass)
        inside[list(kinds)] = mass[list(kinds)]
        top, need = int(inside.argmax()), share * float(inside.sum())
        if inside[top] >= need:
            return self.classes[top], (top,)
        found = self._narrowest(top, inside, need=need)
        return found if found and len(found[1]) < len(kinds) else None

    def _narrowest(self, top: int, mass: npt.NDArray[np.float32], *, need: float) -> tuple[str, tuple[int, ...]] | None:
        """The narrowest everyday noun over class `top` whose classes have at least `need` of the mass."""
        nouns = ((w, c) for w, c in self._everyday.items() if top in c and mass[list(c)].sum() >= need)
        return min(nouns, key=lambda noun: len(noun[1]), default=None)

    def content(self, query: str) -> str:
        """The words of a query that say what may be in view: without colours, which the classifier does not tell."""
        return " ".join(w for w in words_in(query) if w not in self._stop and w not in COLOURS)

    def phrase(self, query: str) -> str:
        """The words of a query from the first to the last that say what may be in view, with all that stands between
        them: *man in an orange hoodie*."""
        words = words_in(query)
        said = [k for k, word in enumerate(words) if word not in self._stop]
        return " ".join(words[said[0] : said[-1] + 1]) if said else ""

    def nearest(self, query: str, text: TextEncoder, features: npt.NDArray[np.float32]) -> Term | None:
        """One term blended of the known words nearest to a query; None where none is near.

        Args:
            features: pooled features (words, W) of `self.words` by the same `text`.
        """
        content = self.content(query)
        if not content:
            return None
        cosine = features @ text.encode([content]).pooled.numpy()[0]
        cosine[self._misleading] = -1
        best = float(cosine.max())
        if best < NEAR:
            return None
        rows = [int(i) for i in np.argsort(-cosine, kind="stable")[:NEAR_MOST]]
        rows = [i for i in rows if cosine[i] >= max(NEAR, best - NEAR_WIDTH)]
        share = np.array([cosine[i] - NEAR_ZERO for i in rows], np.float32)
        weights = np.stack([self.term(self.words[i]).weights for i in rows])
        sure = min(1.0, (best - NEAR_ZERO) / (NEAR_FULL - NEAR_ZERO))
        blend = (share[:, None] * weights).sum(0) / share.sum() * np.float32(sure)
        return Term(self.words[rows[0]], blend.astype(np.float32), guessed=sure < 1)


@cache
def load_vocabulary() -> Vocabulary:
    """The shipped vocabulary, read once."""
    return Vocabulary()


def _lines(name: str) -> Iterator[str]:
    text = files("rewind.vision").joinpath(name).read_text(encoding="utf-8")
    return (line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#"))


def _numbers(ranges: str) -> Iterator[int]:
    for part in ranges.split(","):
        first, _, last = part.partition("-")
        yield from range(int(first), int(last or first) + 1)
