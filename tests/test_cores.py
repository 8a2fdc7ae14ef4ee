"""How many cores a process may use: those it is bound to, where the system tells."""

from __future__ import annotations

import os

import pytest

from rewind.cores import cores


def test_a_process_that_is_bound_has_fewer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 3, 4}, raising=False)
    assert cores() == 3


@pytest.mark.parametrize(("told", "said"), [(6, 6), (None, 1)])
def test_where_the_system_does_not_tell(told: int | None, said: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: told)
    assert cores() == said
