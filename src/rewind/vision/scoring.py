"""From class posteriors to evidence: how far one frame's views say that what a query names is in them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from rewind.vision.colours import COLOURS
from rewind.vision.efficientnet import CLASSES
from rewind.vision.vocabulary import Term
from rewind.vision.wording import colours_in, large_colours, plain_colour, wants_monochrome

Floats = npt.NDArray[np.float32]
FLOOR = 0.01  # mass below which a class says nothing; keeps the logarithm finite
AFTER_FIRST = 0.5  # weight of a query's second and later terms
PEOPLE_BESIDE = 0.5  # people count less beside another term: they are in most clips
VAGUE_BESIDE = 0.2  # what no class shows counts hardly beside a term that one does
COLOUR_FULL, COLOUR_FLOOR, COLOUR_WEIGHT = 0.1, 0.003, 0.75
COLOUR_LARGE = 0.4  # share of a frame that the colour of a wall, a background or the sky has where it is seen well
# A picture of one colour counts as seen from .53 of it on where the colour is a background's (*a green screen*), from
# .97 on where it is an empty picture's: much of a street is grey, much of a night black.
PLAIN_WEIGHT, EMPTY_WEIGHT, EMPTY = 4.0, 80.0, ("any", "black", "white", "grey")
MONOCHROME, BLANK = 0.98, 0.9  # shares of colourless pixels in a black-and-white picture, of black ones in an empty one
BEHIND = 0.15  # how much evidence a frame loses that falls behind the best readout, per unit
KEPT = 0.6  # a frame's score is the mean of the best 60 % of the samples around it
CHUNK = 256  # frames at a time: peak memory does not grow with the video
# Logistic fit of "right against absent" over the best moments of the tuning clips in benchmarks/haystack_queries.json.
SLOPE, MIDDLE = 1.7, -2.2


def certainty(evidence: Floats) -> Floats:
    """The probability in 0–1 that what was looked for is on screen, from its log evidence."""
    return np.asarray(1 / (1 + np.exp(-SLOPE * (evidence - MIDDLE))), np.float32)


def mass_evidence(classes: Floats, weights: Floats) -> Floats:
    """Log evidence (T,) of a term of weights (K,) in posteriors (T, V, K); (T, n) of n terms of weights (K, n)."""
    chance = weights.sum(0) / CLASSES  # what a frame without information would give
    logs = np.log(np.maximum(classes @ weights - chance, 0) + FLOOR)
    return np.asarray(0.5 * logs.max(1) + 0.5 * logs.mean(1), np.float32)


def reaches(weights: Floats, score: float) -> bool:
    """Whether a term of weights (K,) can reach a score: not where even all of the mass on its best class does not."""
    surest = max(float(weights.max()) - float(weights.sum()) / CLASSES, 0) + FLOOR
    return bool(certainty(np.log(np.float32(surest))) >= score)


def term_evidence(posterior: Floats, terms: list[Term], query: str) -> Floats:
    """Log evidence (T,) of one query in a stretch (T, V, K), unsmoothed."""
    classes = posterior[:, :, :CLASSES]
    total, weight = np.zeros(len(posterior), np.float32), 0.0
    certain = any(term.weights.max() == 1 for term in terms)
    for number, term in enumerate(terms):
        each = mass_evidence(classes, term.weights)
        w = (AFTER_FIRST if number else 1.0) * (PEOPLE_BESIDE if term.people and len(terms) > 1 else 1.0)
        if certain and term.weights.max() < 1:
            w *= VAGUE_BESIDE
        total, weight = total + w * each, weight + w
    evidence = total / weight if weight else np.full(len(posterior), np.log(FLOOR), np.float32)
    shares = posterior[:, :, CLASSES:]
    if wants_monochrome(query):
        black = shares[:, 0, COLOURS.index("black")]
        dull = shares[:, 0, COLOURS.index("black") :].sum(1)
        grey = (dull > MONOCHROME) & (black < BLANK)
        return np.where(grey, evidence if terms else 0.0, np.log(FLOOR)).astype(np.float32)
    plain = plain_colour(query)
    if plain is not None and {term.name for term in terms} <= {"screen"}:
        whole = shares[:, 0].max(-1) if plain == "any" else shares[:, 0, COLOURS.index(plain)]
        weight = EMPTY_WEIGHT if plain in EMPTY else PLAIN_WEIGHT
        evidence = weight * np.log(np.minimum(whole + COLOUR_FLOOR, 1))
        return np.asarray(np.maximum(evidence, PLAIN_WEIGHT * np.log(COLOUR_FLOOR)), np.float32)
    large = large_colours(query)
    for colour in colours_in(query, [term.name for term in terms]):
        share = shares[:, 0, colour] if colour in large else shares[:, :, colour].max(1)
        full = COLOUR_LARGE if colour in large else COLOUR_FULL
        evidence = evidence + COLOUR_WEIGHT * np.minimum(0, np.log((share + COLOUR_FLOOR) / full))
    return evidence.astype(np.float32)


def colour_evidence(posterior: Floats, colours: list[int], *, either: bool) -> Floats:
    """Log evidence (T,) of colours alone: the share of the view that has most of each. From .07 of a view on they count
    as seen."""
    logs = np.log(posterior[:, :, [CLASSES + colour for colour in colours]].max(1) + COLOUR_FLOOR)
    return np.asarray(logs.max(1) if either else logs.min(1), np.float32)


def join_evidence(evidence: Floats, *, rows: int) -> Floats:
    """Log evidence (T,) of one query, smoothed over `rows` samples, out of that and the readout (T, A, 2) of each of
    the A things that it offers, the best of which counts. A frame loses what its readout falls behind the video's best:
    never does it gain, so that a readout alone makes nothing seen."""
    if not len(evidence):
        return np.empty(0, np.float32)
    each = []
    for mass, leaning in evidence.transpose(1, 2, 0):
        each.append(mass + BEHIND * np.minimum(0, leaning - smooth(leaning, rows=rows).max()))
    return smooth(np.max(each, axis=0).astype(np.float32), rows=rows)


def smooth(values: Floats, *, rows: int) -> Floats:
    """Mean of the best `KEPT` of the `rows` values around each one; the ends are repeated.

    Kinder than the mean: what is on screen for 3 of 5 samples keeps its full score.
    """
    if rows < 2 or not len(values):
        return values
    rows += 1 - rows % 2
    padded = np.pad(values, rows // 2, mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, rows)
    keep = max(1, round(KEPT * rows))
    best = np.empty(len(values), np.float32)
    for start in range(0, len(values), CHUNK):
        part = slice(start, start + CHUNK)
        best[part] = np.sort(windows[part], 1)[:, -keep:].mean(1)
    return best
