"""A linear readout of all classes at once: which way the classifier's log posteriors lean where a query is on screen.

What the vocabulary looks for is the mass on the few classes that show a thing. But the others speak too: an office
raises *desk*, *monitor* and *bookcase* and lowers *alp*, though nobody asked for them. How far each class speaks for a
text is learnt from the classes' own names alone, by ridge regression from text features to classes (in the manner of
Romera-Paredes and Torr, ICML 2015, whose attributes are text features here); any other text is read off the same way.
No picture is needed for it. The readout ranks moments within one query; it tells nothing of whether one query is more
likely there than another (docs/concepts.md), so that evidence takes from it only how far a frame falls behind the best.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from rewind.vision.efficientnet import CLASSES

Floats = npt.NDArray[np.float32]
RIDGE = 10.0
LEAST = 1e-6  # posteriors below it are the precision they are kept in


class Readout:
    """Directions in log-posterior space for text features of width W."""

    def __init__(self, names: Floats, classes: npt.NDArray[np.intp]) -> None:
        """
        Args:
            names: unit features (n, W) of class names.
            classes: (n,) which class each of them names.
        """
        named = np.zeros((len(names), CLASSES), np.float32)
        named[np.arange(len(names)), classes] = 1
        gram = names.T @ names + RIDGE * np.eye(names.shape[1], dtype=np.float32)
        self._weights = np.linalg.solve(gram, names.T @ named).astype(np.float32)  # (W, K)

    def direction(self, feature: Floats) -> Floats:
        """How far each class speaks for a text of that feature (W,): (K,), of mean 0 and length 1."""
        classes = feature @ self._weights
        classes -= classes.mean()
        return np.asarray(classes / max(float(np.linalg.norm(classes)), 1e-12), np.float32)


def lean(posterior: Floats, direction: Floats) -> Floats:
    """How far frames (T, K) of class posteriors lean that way: (T,), in natural logarithms."""
    return np.asarray(np.log(posterior + np.float32(LEAST)) @ direction, np.float32)
