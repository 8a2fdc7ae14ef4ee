"""Models by name or folder: the bundled nano, folders that `save_pretrained` wrote, and decoders of the Hub."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from pathlib import Path

import torch
from safetensors.torch import load_file, save

from rewind.config import ReWindConfig
from rewind.errors import WeightsError
from rewind.folders import BUNDLED, CONFIG, TOKENIZER, WEIGHTS, bundled_names, folder_of, named_models
from rewind.language.speak import HubDecoder, hub_source
from rewind.language.tokenizer import AnswerTokenizer
from rewind.model import ReWind
from rewind.store import replace_file
from rewind.weights import recipe_hash, state_sha256

_HUB_BUDGET = 1024
"""Tokens of a prompt to a decoder from the Hub, where it takes so many: nano's own can use fewer."""
_HUB_RESERVE = 128
"""Of them for the answer, where there is room: such a decoder speaks in sentences, nano's own in a word or two."""
_WALK = ("instruct", "pool", "aim", "patches", "read", "perceiver", "write")
_BEHIND_WALK = (
    "size", "selector", "candidates", "key_frames", "neighbours", "reserve", "detail", "detail_tokens",
    "instruct_detail", "read_detail", "decoder", "decoder_width", "decoder_layers", "decoder_heads", "vocabulary",
    "budget", "instruction_limit", "answer_reserve", "score_in_prompt", "words_in_prompt", "moments", "score_width",
    "score_after",
)  # fmt: skip
"""The modules that make memory, and the fields of the config that only those behind memory read."""
_SINCE = "reads."
"""What weights of earlier versions do not hold, and do without."""


@dataclass(frozen=True)
class ModelCard:
    """One model that `load` knows: its name, folder, `parameter_count` and bytes on disk."""

    name: str
    folder: Path
    parameters: int
    size_bytes: int


@dataclass(frozen=True)
class Fingerprint:
    """Hex SHA-256, each the key of what a model makes: `whole` of an answer, `walk` of memory, `patches` of what is
    projected. Models that differ only in what comes after share the rest."""

    whole: str
    walk: str
    patches: str


def available() -> tuple[ModelCard, ...]:
    """The bundled models."""
    cards = []
    for name in bundled_names():
        folder = BUNDLED / name
        count = parameter_count(cached(name))
        cards.append(ModelCard(name, folder, count, (folder / WEIGHTS).stat().st_size))
    return tuple(cards)


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
    folder = folder_of(name)
    if not (folder / CONFIG).is_file():
        raise WeightsError(f"model {name!r}", allowed=named_models(), do="see: rewind models list")
    if is_causal_language_model(folder):
        return _with_hub_decoder(f"hub:{name}", device)
    own = f"rewind-{name}" if folder.parent == BUNDLED else name
    return from_pretrained(folder, name=own).to(device)


def is_causal_language_model(folder: Path) -> bool:
    """Whether a folder holds a transformers model rather than one of ours (its config has no `clip_frames`)."""
    import json

    try:
        data = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(data, dict) and "clip_frames" not in data


def save_pretrained(model: ReWind, folder: Path, *, dtype: torch.dtype = torch.float16) -> None:
    """Write config, weights and tokenizer; a decoder from the Hub stays where it is and is named in the config."""
    folder.mkdir(parents=True, exist_ok=True)
    model.config.save(folder / CONFIG)
    state = {k: v.detach().to("cpu", dtype).contiguous() for k, v in model.state_dict().items()}
    # Not `save_file`, whose files only their owner may read.
    replace_file(folder / WEIGHTS, save(state, {"format": "pt"}))
    if model.tokenizer is not None:
        model.tokenizer.save(folder / TOKENIZER)


def from_pretrained(folder: Path, *, name: str | None = None) -> ReWind:
    """A model from a folder that `save_pretrained` wrote, in float32, ready to answer; results call it by `name`, else
    by the folder.

    Raises: WeightsError where a file is missing or does not fit the config.
    """
    config = ReWindConfig.load(folder / CONFIG)
    source = hub_source(config)
    spelled = folder / TOKENIZER
    # A decoder from elsewhere can do without.
    tokenizer = AnswerTokenizer.load(spelled) if source is None or spelled.is_file() else None
    speaker = HubDecoder(source) if source else None
    model = ReWind(config, tokenizer=tokenizer, speaker=speaker, name=name or str(folder))
    try:
        state = load_file(folder / WEIGHTS)
        # In weights from before memory was read aloud it has no say.
        new = {k: v for k, v in model.state_dict().items() if k.startswith(_SINCE)}
        model.load_state_dict({**new, **{k: v.float() for k, v in state.items()}})
    except Exception as error:  # safetensors and torch each raise their own for a damaged or foreign file
        raise WeightsError(
            f"{folder / WEIGHTS}: {error}", allowed="weights written by save_pretrained", do="fetch or train it anew"
        ) from error
    return model.eval().requires_grad_(False)


def weights_hash(model: ReWind) -> str:
    """Hex SHA-256 over config and weights: what a result kept on disk must be keyed by."""
    return fingerprint(model).whole


def fingerprint(model: ReWind) -> Fingerprint:
    """The keys of what a model makes; every weight is hashed once. Of a decoder from elsewhere its name and revision
    stand for its weights, which may be gigabytes."""
    parts = {name: state_sha256(module.state_dict()) for name, module in model.named_children()}
    alone = state_sha256({name: value for name, value in model.state_dict().items() if "." not in name})
    decoder = model.borrowed.revision if isinstance(model.borrowed, HubDecoder) else ""
    walk = {name: value for name, value in asdict(model.config).items() if name not in _BEHIND_WALK}
    return Fingerprint(
        whole=recipe_hash(repr(model.config), decoder, alone, *(f"{n} {parts[n]}" for n in sorted(parts))),
        walk=recipe_hash(repr(walk), *(f"{n} {parts[n]}" for n in _WALK if n in parts)),
        patches=recipe_hash(repr(walk), parts["patches"]),
    )


def _with_hub_decoder(name: str, device: str | torch.device) -> ReWind:
    decoder = HubDecoder(name.removeprefix("hub:"))
    nano = from_pretrained(BUNDLED / "nano")
    limit = int(getattr(decoder.model.config, "max_position_embeddings", _HUB_BUDGET) or _HUB_BUDGET)
    budget = min(_HUB_BUDGET, limit)
    # The answer takes from what the budget has over nano's: memory keeps what nano gives it.
    spare = max(0, budget - nano.config.budget)
    config = replace(
        nano.config, size="custom", decoder=name, decoder_width=decoder.width, budget=budget,
        answer_reserve=min(_HUB_RESERVE, nano.config.answer_reserve + spare),
    )  # fmt: skip
    with torch.random.fork_rng():
        torch.manual_seed(0)  # the untrained projections are the same in every run
        model = ReWind(config, tokenizer=nano.tokenizer, speaker=decoder, name=name)
    kept = {k: v for k, v in nano.state_dict().items() if not k.startswith(("prompt.", "decoder."))}
    model.load_state_dict({**kept, "answers": torch.zeros(())}, strict=False)
    return model.to(device).eval().requires_grad_(False)


@lru_cache(maxsize=4)
def cached(name: str) -> ReWind:
    """`load`, once a process."""
    return load(name)
