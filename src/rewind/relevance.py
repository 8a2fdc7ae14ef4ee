"""Relevance: how sure it is, frame by frame, that what an instruction asks about is on screen.

Two witnesses speak. Memory was written under the instruction, and its scores are calibrated on worlds; concepts read
the classifier's posterior, and are calibrated on real footage. Each is weighed by how much the instruction is its kind:

    relevance = f · memory + (1 − f) · concepts,   threshold = f · MEMORY_SEEN + (1 − f) · SEEN,

with f the model's familiarity with the instruction, in 0–1, and MEMORY_SEEN as it stands for the video's length
(`at_length`: memory's scores are calibrated on short videos). Only the instruction's words decide f: nothing looks at
the video to tell what kind it is.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from rewind.selection.tracks import at_length
from rewind.vision.concepts import SEEN, UNKNOWN

MEMORY_SEEN = 0.6
"""On worlds of the validation range what is there reaches it and what is absent stays under it in 308 of 308 and 110 of
112 questions at 1 minute, 181 of 181 and 59 of 59 at 10, 65 of 67 and 12 of 13 at 60."""
FAMILIAR = 0.5
"""Familiarity from which an instruction counts as one of memory's kind."""


@dataclass(frozen=True)
class Relevance:
    """`scores` (T,) in 0–1 and the `threshold` from which they count as seen; `known` says whether any witness knew the
    words of the instruction, `lack` why none did. `remembered` is memory's own best score as a share of what counts as
    seen by memory: what the decoder says of a video of which nothing was remembered is made up."""

    scores: Tensor
    threshold: float
    known: bool
    remembered: float
    lack: str = UNKNOWN

    @property
    def best(self) -> float:
        """The best score of all."""
        return float(self.scores.max())

    @property
    def degradations(self) -> tuple[str, ...]:
        """Says so where nobody knew the words: that nothing was found then tells nothing."""
        return () if self.known else (self.lack,)


def join(
    memory: Tensor, concepts: Tensor | None, *, familiarity: float, concepts_know: bool, lack: str = UNKNOWN
) -> Relevance:
    """Join the witnesses' scores, each (T,); `concepts` is None where the vision encoder has no classes."""
    seen = at_length(MEMORY_SEEN, len(memory))
    remembered = float(memory.max()) / seen
    f = familiarity
    if concepts is None:
        return Relevance(memory.float(), seen, f >= FAMILIAR, remembered, lack)
    scores = f * memory.float() + (1 - f) * concepts.float()
    threshold, known = f * seen + (1 - f) * SEEN, concepts_know or f >= FAMILIAR
    return Relevance(torch.clamp(scores, 0, 1), threshold, known, remembered, lack)
