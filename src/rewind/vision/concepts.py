"""What is on screen, in words, and how sure: the classifier's posterior read through a vocabulary. Needs no training.

In the line of ConSE (Norouzi et al., ICLR 2014), which meets a frame in text space by its ten best classes' names.
Here a query's words choose classes instead, and a frame's evidence is the posterior's mass on them: absent things then
have little of it, where cosines of class names do not tell (docs/concepts.md has both, with numbers).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from rewind.errors import ConfigError
from rewind.text import TextEncoder
from rewind.text.spelling import spell_codes
from rewind.timeline import Timeline
from rewind.vision import naming
from rewind.vision.colours import COLOURS
from rewind.vision.efficientnet import CLASSES
from rewind.vision.readout import Readout, lean
from rewind.vision.scoring import CHUNK, certainty, colour_evidence, join_evidence, reaches, term_evidence
from rewind.vision.unseeable import unseeable
from rewind.vision.vocabulary import Term, Vocabulary, load_vocabulary
from rewind.vision.wording import colours_in, looks_in, singular
from rewind.vision.words import word_features

Floats = npt.NDArray[np.float32]
COLUMNS = CLASSES + len(COLOURS)
WINDOW_S = 5.0  # what smoothing looks at: the samples within ± 2.5 s
SEEN = 0.35  # score from which a thing counts as seen
_OR = re.compile(r"\bor\b", re.IGNORECASE)
UNKNOWN = "no word of the query is known: what it asks for may be there all the same"
STRANGE = "the query seems to be in another language than English: what it asks for may be there all the same"
UNSHOWN = "no class of the classifier shows it, only where it may be: it may be there all the same"
GUESSED = "no word of the query is known, only words that mean something like it: it may be there all the same"
PEOPLE_ALIKE = "people are not told apart, by age, sex or what they do: these are the moments of any"
NOTHING_NAMED = "the query names nothing to look for"


@dataclass(frozen=True)
class ConceptScores:
    """Per frame: `scores` (T,) float32, the probability in 0–1 that the query is on screen, and `raw` (T,), its
    evidence as a natural logarithm of posterior mass. `known` are the words that were recognised; with none of them
    the scores only rank, and `lack` says why."""

    scores: Tensor
    raw: Tensor
    known: tuple[str, ...]
    lack: str = UNKNOWN

    @property
    def degradations(self) -> tuple[str, ...]:
        """Says so where the query is outside the vocabulary."""
        return () if self.known else (self.lack,)


class Concepts:
    """Scores of any query over stored posteriors; holds no state about a video."""

    def __init__(self, text: TextEncoder, *, vocabulary: Vocabulary | None = None) -> None:
        self._text = text
        self._vocabulary = vocabulary or load_vocabulary()
        self._features: Floats | None = None
        self._readout: Readout | None = None
        # Evidence is asked for stretch by stretch, and words have to be encoded.
        self._looked_up = lru_cache(maxsize=16)(self._look_up)
        self._direction_of = lru_cache(maxsize=16)(self._direction)

    def terms(self, query: str) -> list[Term]:
        """What a query is looked for by; empty where it is outside the vocabulary."""
        return list(self._looked_up(query))

    def _look_up(self, query: str) -> list[Term]:
        query = self._vocabulary.affirmed(query)
        found = self._vocabulary.terms(query)
        if not found:
            near = self._vocabulary.nearest(query, self._text, self._word_features())
            found = [near] if near else []
        return found

    def score(self, posterior: Tensor, query: str, timeline: Timeline | None = None) -> ConceptScores:
        """How sure it is, frame by frame, that what a query names is on screen.

        Args:
            posterior: (T, V, 1011), of the bundled vision encoder: classes, then colours.
            query: a noun phrase or a question in English.
            timeline: of the T frames; None stands for one frame a second.

        Raises:
            ConfigError: an empty query, or a posterior of another encoder.
        """
        fps = float(timeline.clock.fps) if timeline is not None else 1.0
        query = self._vocabulary.affirmed(query)
        return self._judge(self._evidence(posterior, query), query, fps)

    def score_parts(self, parts: Iterable[Tensor], query: str, timeline: Timeline) -> ConceptScores:
        """`score` for a video that comes in stretches (t, V, 1011), one after another, never in memory together."""
        kept, done = torch.empty(0, 1, 2), 0
        query = self._vocabulary.affirmed(query)
        for part in parts:
            evidence = self._evidence(part, query)
            if not done:
                # One block: a small one after each stretch would keep the room of that stretch from being used again.
                kept = torch.empty(len(timeline), *evidence.shape[1:])
            kept[done : done + len(part)] = evidence
            done += len(part)
        return self._judge(kept, query, float(timeline.clock.fps))

    def _evidence(self, posterior: Tensor, query: str) -> Tensor:
        """Log evidence and readout (T, A, 2) of the A things that a query offers, unsmoothed, in (T, V, 1011)."""
        if not query.strip():
            raise ConfigError("an empty query", allowed="words for what to look for")
        if posterior.ndim != 3 or posterior.shape[2] != COLUMNS:
            shape = tuple(posterior.shape)
            raise ConfigError(f"posterior {shape}", allowed=f"(T, V, {COLUMNS}), as efficientnet-lite0 gives")
        alone = self._vocabulary.colours_alone(query)
        offered = [(self.terms(one), self._direction_of(one), one) for one in self._alternatives(query)]
        evidence = np.zeros((len(posterior), 1 if alone else len(offered), 2), np.float32)
        for start in range(0, len(posterior), CHUNK):
            chunk = posterior[start : start + CHUNK].float().numpy()
            rows = evidence[start : start + CHUNK]
            if alone:
                rows[:, 0, 0] = colour_evidence(chunk, alone, either=_OR.search(query) is not None)
                continue
            for number, (terms, direction, one) in enumerate(offered):
                rows[:, number, 0] = term_evidence(chunk, terms, one)
                if direction is not None:
                    rows[:, number, 1] = lean(chunk[:, 0, :CLASSES], direction)
        return torch.from_numpy(evidence)

    def _direction(self, query: str) -> Floats | None:
        """The readout of a query, however it is worded; None where it asks for nothing that classes could tell."""
        content = self._vocabulary.content(query)
        if not content or looks_in(query):
            return None
        if self._readout is None:
            numbers = {name.lower(): k for k, name in enumerate(self._vocabulary.classes)}
            rows = [(row, numbers[word]) for row, word in enumerate(self._vocabulary.words) if word in numbers]
            where, classes = np.array(rows).T
            self._readout = Readout(self._word_features()[where], classes)
        return self._readout.direction(self._text.encode([content]).pooled.numpy()[0])

    def _alternatives(self, query: str) -> list[str]:
        """What *a bicycle or a dog* offers: either is enough. Not *a red or blue car*, which names one thing."""
        return [*self.offered(query)] or [query]

    def offered(self, query: str) -> tuple[str, ...]:
        """The parts between which a query's *or* leaves the choice; none where it offers none, or one is not known."""
        parts = _OR.split(self._vocabulary.affirmed(query))
        if len(parts) > 1:  # a cat, a dog or a car; what is it, a dog or a car?
            parts = [part for some in parts for part in some.split(",") if self._vocabulary.names_something(part)]
        return tuple(parts) if len(parts) > 1 and all(self._vocabulary.terms(part) for part in parts) else ()

    def _judge(self, evidence: Tensor, query: str, fps: float) -> ConceptScores:
        """Scores from the evidence (T, A, 2) of all of a video's stretches, joined."""
        raw = join_evidence(evidence.numpy(), rows=max(1, round(WINDOW_S * fps)))
        alone = tuple(COLOURS[colour] for colour in self._vocabulary.colours_alone(query))
        looks = looks_in(query)
        terms, shown = self.terms(query), self._shown(query)
        foreign = self._vocabulary.is_foreign(query)
        named = [term.name for term in terms if not (term.people or term.guessed)]
        beyond = None if looks or colours_in(query) else unseeable(query, named)
        guessed = any(term.guessed for term in terms)
        lack = beyond or (STRANGE if foreign else UNSHOWN if terms and not shown else GUESSED if guessed else UNKNOWN)
        if not self._vocabulary.names_something(query):
            lack = NOTHING_NAMED
        known = () if beyond or foreign or guessed else shown
        known = known or (() if beyond else looks or alone)
        return ConceptScores(torch.from_numpy(certainty(raw)), torch.from_numpy(raw), known, lack)

    def cuts(self, query: str) -> tuple[str, ...]:
        """What of a query is too long to be read; the vocabulary reads all of it."""
        del query
        return ()

    def _shown(self, query: str) -> tuple[str, ...]:
        """What of a query can count as seen at all: its known words, where any of them has a class that shows it."""
        terms = self.terms(query)
        return tuple(term.name for term in terms) if any(reaches(term.weights, SEEN) for term in terms) else ()

    def names(self, posterior: Tensor, limit: int = 3) -> list[tuple[str, float]]:
        """The classes of most mass in some frames (n, V, 1011), in words: `naming.names`."""
        return [(name, p) for name, p, _ in naming.names(self._vocabulary, posterior, limit=limit)]

    def in_view(self, posterior: Tensor, limit: int = 3) -> list[tuple[str, float]]:
        """What some frames (n, V, 1011) surely show, in words: `naming.in_view`."""
        return naming.in_view(self._vocabulary, posterior, limit=limit)

    def kind_of(self, posterior: Tensor, asked: str) -> tuple[str, float] | None:
        """Which kind of what `asked` begins with some frames (n, V, 1011) show: `naming.kind_of`."""
        return naming.kind_of(self._vocabulary, posterior, asked)

    def names_one_thing(self, query: str) -> bool:
        """Whether a query asks for one thing of a known name, in some colour or none, or for one colour, and for no
        more."""
        return self._vocabulary.names_one_thing(query) or len(self._vocabulary.colours_alone(query)) == 1

    def affirms(self, query: str) -> bool:
        """Whether a query names something beside what it says not to be there: *a dog but no person*."""
        return self._vocabulary.affirmed(query) != query

    def names_all(self, query: str) -> bool:
        """Whether all that a query says of what may be in view is looked for: `Vocabulary.names_all`."""
        return self._vocabulary.names_all(query)

    def takes_for_anyone(self, query: str) -> bool:
        """Whether a query asks for particular people, and any are taken for them: *a child*."""
        return self._vocabulary.takes_for_anyone(query)

    def seen_as(self, query: str) -> str:
        """What the moments of a query show, in words with their verb."""
        alone = len(self.terms(query)) == 1 and self.takes_for_anyone(query)
        return "people are" if alone else "what is asked about is"

    def names_beyond(self, query: str, words: frozenset[str]) -> bool:
        """Whether a query names a known thing by a word that is not among `words`; codes name nothing."""
        forms = {form for word in words for form in singular(word)}
        return any(not forms.issuperset(name.split()) for name in self._vocabulary.known_in(spell_codes(query)))

    def _word_features(self) -> Floats:
        if self._features is None:
            self._features = word_features(self._text, self._vocabulary.words)
        return self._features
