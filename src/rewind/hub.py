"""ReWind under transformers' Auto classes: importing this registers `AutoConfig` and `AutoModel` for our folders."""

from __future__ import annotations

import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

from transformers import AutoConfig, AutoModel, PreTrainedConfig, PreTrainedModel

from rewind.config import ReWindConfig
from rewind.errors import WeightsError
from rewind.model import ReWind
from rewind.models import from_pretrained, save_pretrained


class ReWindAutoConfig(PreTrainedConfig):  # type: ignore[misc]
    """The fields of `ReWindConfig` as transformers carries a config."""

    model_type = "rewind"

    def __init__(self, **fields: Any) -> None:
        known = set(asdict(ReWindConfig()))
        self.rewind = {k: fields.pop(k) for k in list(fields) if k in known}
        super().__init__(**fields)

    def to_rewind(self) -> ReWindConfig:
        return ReWindConfig(**self.rewind)


class ReWindAutoModel(PreTrainedModel):  # type: ignore[misc]
    """A `ReWind` in `.rewind`, found by `AutoModel.from_pretrained(folder)`; ask through `rewind.open`."""

    config_class = ReWindAutoConfig
    base_model_prefix = "rewind"

    def __init__(self, config: ReWindAutoConfig, *, rewind: ReWind | None = None) -> None:
        super().__init__(config)
        self.rewind = rewind if rewind is not None else ReWind(config.to_rewind())

    @classmethod
    def from_pretrained(cls, folder: str | os.PathLike[str], *args: Any, **kwargs: Any) -> ReWindAutoModel:  # noqa: ARG003
        """Read a folder that `save_pretrained` wrote. Raises: WeightsError for anything else."""
        path = Path(folder)
        if not path.is_dir():
            raise WeightsError(f"{folder}: no such folder", allowed="a folder written by save_pretrained")
        model = from_pretrained(path)
        return cls(ReWindAutoConfig(**asdict(model.config)), rewind=model)

    def save_pretrained(self, folder: str | os.PathLike[str], **kwargs: Any) -> None:  # noqa: ARG002
        save_pretrained(self.rewind, Path(folder))


AutoConfig.register("rewind", ReWindAutoConfig, exist_ok=True)
AutoModel.register(ReWindAutoConfig, ReWindAutoModel, exist_ok=True)
