"""bf16 where the hardware reckons in it. Elsewhere it is emulated: there, a training step in fp32 is the faster one."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

import torch


def bf16_is_fast(device: torch.device) -> bool:
    """Whether bf16 has arithmetic of its own there; elsewhere it is emulated and slower than fp32."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported())
    if device.type != "cpu":
        return False
    probes = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    return any(bool(getattr(torch.cpu, probe, lambda: False)()) for probe in probes)


def mixed(device: torch.device | str) -> torch.autocast:
    """Mixed precision for training and its tests: matrix products in bf16 where that is fast, all in fp32 elsewhere."""
    device = torch.device(device)
    return torch.autocast(device.type, torch.bfloat16, enabled=bf16_is_fast(device))


def unmixed_on_cpu(device: torch.device) -> AbstractContextManager[object]:
    """Within `mixed`, for an operation that processors are slower at in bf16."""
    return torch.autocast("cpu", enabled=False) if device.type == "cpu" else nullcontext()


def kept_as(device: torch.device | str) -> torch.dtype:
    """What patches kept as bf16 must become for a model under `mixed`: where that is off, nothing else casts them."""
    return torch.bfloat16 if bf16_is_fast(torch.device(device)) else torch.float32
