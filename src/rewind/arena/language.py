"""The language that all recipes begin with: a trained decoder, and what the prompt knows of words, times and lists.

Systems of this kind are built on language models that were trained before. Begun from nothing, every recipe would spend
its steps on learning to spell and to compare times, and the table would say little of memory. Nothing that has seen a
picture is taken: what projects memory and detail into the decoder starts anew for each recipe.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from rewind.arena.recipe import Recipe
from rewind.config import ReWindConfig
from rewind.errors import WeightsError
from rewind.language.tokenizer import AnswerTokenizer
from rewind.models import load
from rewind.weights import state_sha256

KNOWN = (
    "text.", "text_norm.", "text_place", "of_slot", "place.", "kind", "tau", "score", "moments.end.", "moments.track.",
    "moments.ordinal.", "moments.rank.", "moments.score", "moments.first.", "moments.counts.", "moments.now.",
)  # fmt: skip
"""Parts of `Prompt` that see no visual token."""
FROM_SCRATCH = "none"


@dataclass(frozen=True)
class Language:
    """State of a `decoder` and of `KNOWN` parts of a `prompt`, the tokenizer that they speak, and a hash of it all."""

    name: str
    decoder: Mapping[str, Tensor]
    prompt: Mapping[str, Tensor]
    tokenizer: AnswerTokenizer
    fingerprint: str

    def teach(self, recipe: Recipe) -> None:
        """Put it into a recipe that has taken no step yet."""
        recipe.decoder.load_state_dict(self.decoder)
        off = _switched_off(recipe.kit_config)
        known = {name: value for name, value in self.prompt.items() if not name.startswith(off)}
        strange = recipe.prompt.load_state_dict(known, strict=False).unexpected_keys
        if strange:
            raise WeightsError(f"decoder {self.name!r} with {', '.join(strange)}", allowed="one of the same sizes")


def _switched_off(config: ReWindConfig) -> tuple[str, ...]:
    """Parts of `KNOWN` that a recipe's own config does without."""
    on = {"moments.": bool(config.moments), "score": config.score_in_prompt, "of_slot": config.words_in_prompt}
    return tuple(part for part, used in on.items() if not used)


def load_language(name: str) -> Language | None:
    """The language of a bundled model or of a model's folder; None for "none": the decoder starts from nothing.

    Raises: WeightsError where there is no such model, or it has no decoder of its own.
    """
    if name == FROM_SCRATCH:
        return None
    model = load(name)
    if model.decoder is None or model.tokenizer is None:
        raise WeightsError(f"decoder {name!r}", allowed="a model with a bundled decoder, or none: from scratch")
    decoder = {k: v.float() for k, v in model.decoder.state_dict().items()}
    prompt = {k: v.float() for k, v in model.prompt.state_dict().items() if k.startswith(KNOWN)}
    taken = {**{f"decoder.{k}": v for k, v in decoder.items()}, **{f"prompt.{k}": v for k, v in prompt.items()}}
    return Language(Path(name).name, decoder, prompt, model.tokenizer, state_sha256(taken))
