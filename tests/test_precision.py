"""Mixed precision where bf16 is fast, fp32 where it is emulated: training runs on either kind of machine."""

from __future__ import annotations

import pytest
import torch

from rewind import precision

CPU = torch.device("cpu")


@pytest.mark.parametrize(("fast", "dtype"), [(True, torch.bfloat16), (False, torch.float32)])
def test_a_product_is_in_bf16_where_that_is_fast_alone(
    fast: bool, dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(precision, "bf16_is_fast", lambda device: fast)
    kept = torch.ones(2, 4, dtype=torch.bfloat16)
    with precision.mixed("cpu"):
        made = torch.nn.Linear(4, 3)(kept.to(precision.kept_as("cpu")))
    assert made.dtype == dtype
    assert precision.kept_as(CPU) == dtype


def test_a_device_without_a_probe_has_no_fast_bf16() -> None:
    assert not precision.bf16_is_fast(torch.device("meta"))


def test_the_processor_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    for probe in ("_is_avx512_bf16_supported", "_is_amx_tile_supported"):
        monkeypatch.setattr(torch.cpu, probe, lambda: False, raising=False)
    assert not precision.bf16_is_fast(CPU)
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: True, raising=False)
    assert precision.bf16_is_fast(CPU)
