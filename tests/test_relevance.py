"""Two witnesses joined: weighed by familiarity, and the threshold as the video's length asks."""

from __future__ import annotations

import pytest
import torch

from rewind.relevance import MEMORY_SEEN, join
from rewind.selection.tracks import TRAINED_FRAMES, at_length
from rewind.vision.concepts import SEEN


def test_scores_and_threshold_are_weighed_alike() -> None:
    memory, concepts = torch.tensor([0.9, 0.1]), torch.tensor([0.2, 0.4])
    joined = join(memory, concepts, familiarity=0.25, concepts_know=False)
    torch.testing.assert_close(joined.scores, 0.25 * memory + 0.75 * concepts)
    assert joined.threshold == pytest.approx(0.25 * MEMORY_SEEN + 0.75 * SEEN)
    assert not joined.known
    assert "no word of the query is known" in joined.degradations[0]
    assert join(memory, concepts, familiarity=0.5, concepts_know=False).known
    assert join(memory, concepts, familiarity=0.25, concepts_know=True).degradations == ()


def test_memory_alone_knows_what_is_familiar_and_nothing_else() -> None:
    """Of a vision encoder without classes: nobody else could know the words."""
    memory = torch.tensor([0.9, 0.1])
    strange, familiar = (join(memory, None, familiarity=f, concepts_know=False) for f in (0.49, 0.5))
    for alone in (strange, familiar):
        assert torch.equal(alone.scores, memory)
        assert alone.threshold == pytest.approx(MEMORY_SEEN)
    assert (strange.known, familiar.known) == (False, True)
    assert "no word of the query is known" in strange.degradations[0]
    assert familiar.degradations == ()


@pytest.mark.parametrize("familiarity", [0.0, 0.5, 1.0])
def test_memory_must_be_surer_in_a_long_video_and_concepts_need_not(familiarity: float) -> None:
    long = 40 * TRAINED_FRAMES
    joined = join(torch.zeros(long), torch.zeros(long), familiarity=familiarity, concepts_know=True)
    assert joined.threshold == pytest.approx(familiarity * at_length(MEMORY_SEEN, long) + (1 - familiarity) * SEEN)
    assert at_length(MEMORY_SEEN, long) == pytest.approx(60 / 61)
