"""The list of moments: what it says as a whole."""

from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st

from rewind.language.moments import MomentParts, tally


@given(
    rows=st.lists(
        st.tuples(st.integers(0, 1), st.booleans(), st.sampled_from([0.0, 3.0]), st.booleans()), min_size=1, max_size=6
    ),
    seed=st.integers(0, 99),
)
def test_the_tally_equals_a_plain_loop(rows: list[tuple[int, bool, float, bool]], seed: int) -> None:
    """Padding stands last, as `moment_parts` pads; ranks come in any order."""
    rows = sorted(rows, key=lambda row: not row[3])
    real = [row for row in rows if row[3]]
    rank = torch.randperm(len(real), generator=torch.Generator().manual_seed(seed)).tolist()
    found = MomentParts(
        tokens=torch.zeros(1, len(rows), 2, 16), start=torch.zeros(1, len(rows), 2),
        end=torch.tensor([[[0.5, row[2]] for row in rows]]), track=torch.tensor([[row[0] for row in rows]]),
        ordinal=torch.zeros(1, len(rows), dtype=torch.long),
        rank=torch.tensor([rank + [0] * (len(rows) - len(real))]), score=torch.zeros(1, len(rows)),
        mask=torch.tensor([[row[3] for row in rows]]),
    )  # fmt: skip
    first, counts, now = tally(found, tracks=2)
    assert first.tolist() == [real[rank.index(0)][0] if real else 2]
    assert counts.tolist() == [[sum(row[0] == track for row in real) for track in (0, 1)]]
    assert now.tolist() == [[any(row[0] == track and row[2] <= 0 for row in real) for track in (0, 1)]]
