"""Where a model lies: the bundled ones under their names, others in folders. Without torch, so that a name is refused
before anything is loaded."""

from __future__ import annotations

import os
from pathlib import Path

BUNDLED = Path(__file__).parent / "bundled"
CONFIG, WEIGHTS, TOKENIZER = "config.json", "model.safetensors", "tokenizer.json"


def bundled_names() -> list[str]:
    """Those that have their weights, in order."""
    return [path.parent.name for path in sorted(BUNDLED.glob(f"*/{CONFIG}")) if (path.parent / WEIGHTS).is_file()]


def named_models() -> str:
    """What a model's name may be, for those who gave another."""
    return f"{', '.join(bundled_names()) or 'none bundled'}, a folder with {CONFIG}, or hub:NAME"


def folder_of(name: str) -> Path:
    """The folder of a bundled model, or else the one that the name is, which need not hold a model; `./nano` is one's
    own."""
    return BUNDLED / name if name in bundled_names() else from_home(name)


def from_home(path: str | os.PathLike[str]) -> Path:
    """A path with a leading `~` or `~NAME` as that home folder: a shell leaves it as it is behind a `=`. One whose home
    is not known stays as it is."""
    return Path(os.path.expanduser(path))  # Path.expanduser raises where no home is known
