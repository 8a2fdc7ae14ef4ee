"""A run's banks: the first process makes them, and where its time runs out all stop together."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from rewind.train import material
from rewind.train.bank import Bank, OutOfTime
from rewind.train.material import Banks
from rewind.train.team import Team


class _Pair(Team):
    """One of two processes: `any` hears the other say `late`."""

    late = False

    def any(self, flag: bool) -> bool:
        return flag or self.late


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch, make_card_bank: Callable[..., Bank]) -> list[float | None]:
    """The time limit of each bank that is made; one of 0.0 has passed."""
    limits: list[float | None] = []

    def make(*_: Any, stop_at: float | None, **__: Any) -> Bank:
        limits.append(stop_at)
        if stop_at is not None:
            raise OutOfTime
        return make_card_bank(cards=1, deep=2, fine=2)

    monkeypatch.setattr(material, "make_bank", make)
    monkeypatch.setattr(material, "beside", lambda folder, *_, **__: folder)
    return limits


def _banks(team: Team, stop_at: float | None, folder: Path) -> Banks:
    return Banks(
        folder, seed=0, scenes=1, cards=1, vision=None, report=lambda *_: None, team=team, pictures=(),  # type: ignore[arg-type]
        stop_at=stop_at,
    )  # fmt: skip


@pytest.mark.parametrize("rank", [0, 1])
def test_all_processes_stop_where_the_first_runs_out_of_time(
    asked: list[float | None], tmp_path: Path, rank: int
) -> None:
    team = _Pair(torch.device("cpu"), rank=rank, size=2)
    team.__class__ = type("Late", (_Pair,), {"late": rank == 1})
    with pytest.raises(OutOfTime):
        _banks(team, 0.0, tmp_path).sources(7)
    assert asked == ([0.0] if rank == 0 else [])


def test_the_others_find_what_the_first_made_whatever_the_time(asked: list[float | None], tmp_path: Path) -> None:
    banks = _banks(_Pair(torch.device("cpu"), rank=1, size=2), 0.0, tmp_path)
    assert len(banks.sources(7)) == 2
    assert asked == [None, None]
    assert banks.validation(None) is None  # type: ignore[arg-type]


def test_a_model_is_projected_as_it_runs_and_left_as_it_was(make_card_bank: Callable[..., Bank]) -> None:
    """`calibrate` asks for the validation bank: a model that came back in training mode would be calibrated so."""
    banks = Banks.__new__(Banks)

    class Model(torch.nn.Module):
        device = torch.device("cpu")

        def project(self, deep: torch.Tensor, fine: torch.Tensor) -> torch.Tensor:
            assert not self.training
            return deep

    model: Any = Model()
    for training in (True, False):
        model.train(training)
        banks._project(model, make_card_bank(cards=1, deep=2, fine=2))
        assert model.training is training
