"""Models by name or folder: the bundled nano, folders that `save_pretrained` wrote, and decoders of the Hub."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from rewind.config import ReWindConfig
from rewind.errors import WeightsError
from rewind.language.speak import HubDecoder, hub_source
from rewind.language.tokenizer import AnswerTokenizer
from rewind.model import ReWind

BUNDLED = Path(__file__).parent / "bundled"
_HUB_BUDGET = 1024
"""Tokens of a prompt to a decoder from the Hub, where it takes so many: nano's own can use fewer."""
_WEIGHTS, _CONFIG, _TOKENIZER = "model.safetensors", "config.json", "tokenizer.json"


@dataclass(frozen=True)
class ModelCard:
    """One model that `load` knows: its name, folder, `parameter_count` and bytes on disk."""

    name: str
    folder: Path
    parameters: int
    size_bytes: int


def available() -> tuple[ModelCard, ...]:
    """The bundled models."""
    cards = []
    for name in _bundled_names():
        folder = BUNDLED / name
        count = parameter_count(cached(name))
        cards.append(ModelCard(name, folder, count, (folder / _WEIGHTS).stat().st_size))
    return tuple(cards)


def _bundled_names() -> list[str]:
    return [path.parent.name for path in sorted(BUNDLED.glob(f"*/{_CONFIG}")) if (path.parent / _WEIGHTS).is_file()]


def parameter_count(model: ReWind) -> int:
    """What training sets; the few other numbers in its weights (scales, marks) are not counted."""
    return sum(p.numel() for p in model.parameters())


def load(name: str = "nano", *, device: str | torch.device = "cpu") -> ReWind:
    """A model ready to answer.

    Args:
        name: a bundled name ("nano"), a folder written by `save_pretrained`, or "hub:NAME_OR_FOLDER": the bundled
            memory and selection with that causal language model as decoder.

    Raises:
        WeightsError: no such model, or weights that do not fit.
    """
    if name.startswith("hub:"):
        return _with_hub_decoder(name, device)
    folder = BUNDLED / name if (BUNDLED / name / _CONFIG).is_file() else Path(name)
    if not (folder / _CONFIG).is_file():
        names = ", ".join(_bundled_names()) or "none bundled"
        raise WeightsError(
            f"model {name!r}", allowed=f"{names}, a folder with {_CONFIG}, or hub:NAME", do="see: rewind models list"
        )
    if is_causal_language_model(folder):
        return _with_hub_decoder(f"hub:{name}", device)
    return from_pretrained(folder).to(device)


def is_causal_language_model(folder: Path) -> bool:
    """Whether a folder holds a transformers model rather than one of ours (its config has no `clip_frames`)."""
    import json

    try:
        data = json.loads((folder / _CONFIG).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(data, dict) and "clip_frames" not in data


def save_pretrained(model: ReWind, folder: Path, *, dtype: torch.dtype = torch.float16) -> None:
    """Write config, weights and tokenizer; a decoder from the Hub stays where it is and is named in the config."""
    folder.mkdir(parents=True, exist_ok=True)
    model.config.save(folder / _CONFIG)
    state = {k: v.detach().to("cpu", dtype).contiguous() for k, v in model.state_dict().items()}
    temporary = folder / f"{_WEIGHTS}.tmp"
    save_file(state, temporary, metadata={"format": "pt"})
    temporary.replace(folder / _WEIGHTS)
    if model.tokenizer is not None:
        model.tokenizer.save(folder / _TOKENIZER)


def from_pretrained(folder: Path, *, name: str | None = None) -> ReWind:
    """A model from a folder that `save_pretrained` wrote, in float32, ready to answer.

    Raises: WeightsError where a file is missing or does not fit the config.
    """
    config = ReWindConfig.load(folder / _CONFIG)
    source = hub_source(config)
    tokenizer = AnswerTokenizer.load(folder / _TOKENIZER) if source is None else None
    model = ReWind(config, tokenizer=tokenizer, speaker=HubDecoder(source) if source else None, name=name)
    try:
        state = load_file(folder / _WEIGHTS)
        model.load_state_dict({k: v.float() for k, v in state.items()})
    except Exception as error:  # safetensors and torch each raise their own for a damaged or foreign file
        raise WeightsError(
            f"{folder / _WEIGHTS}: {error}", allowed="weights written by save_pretrained", do="fetch or train it anew"
        ) from error
    return model.eval().requires_grad_(False)


def weights_hash(model: ReWind) -> str:
    """Hex SHA-256 over config and weights: what a result kept on disk must be keyed by. Of a decoder from elsewhere its
    name and revision stand for its weights, which may be gigabytes."""
    digest = hashlib.sha256(repr(model.config).encode())
    if isinstance(model.borrowed, HubDecoder):
        digest.update(model.borrowed.revision.encode())
    for key, value in sorted(model.state_dict().items()):
        digest.update(key.encode())
        digest.update(value.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


def _with_hub_decoder(name: str, device: str | torch.device) -> ReWind:
    decoder = HubDecoder(name.removeprefix("hub:"))
    nano = from_pretrained(BUNDLED / "nano")
    heads = next(h for h in (8, 6, 4, 3, 2, 1) if decoder.width % h == 0)
    limit = int(getattr(decoder.model.config, "max_position_embeddings", _HUB_BUDGET) or _HUB_BUDGET)
    config = replace(
        nano.config, size="custom", decoder=name, decoder_width=decoder.width, decoder_heads=heads,
        budget=min(_HUB_BUDGET, limit),
    )  # fmt: skip
    with torch.random.fork_rng():
        torch.manual_seed(0)  # the untrained projections are the same in every run
        model = ReWind(config, speaker=decoder, name=name)
    kept = {k: v for k, v in nano.state_dict().items() if not k.startswith(("prompt.", "decoder."))}
    model.load_state_dict({**kept, "answers": torch.zeros(())}, strict=False)
    return model.to(device).eval().requires_grad_(False)


@lru_cache(maxsize=4)
def cached(name: str) -> ReWind:
    """`load`, once a process."""
    return load(name)
