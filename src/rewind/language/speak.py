"""Decoders behind one call: prompt parts and a question in; text, token probabilities and token counts out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from rewind.config import ReWindConfig
from rewind.errors import BudgetError
from rewind.language.decoder import BundledDecoder
from rewind.language.presumes import NEVER, presumes
from rewind.language.prompt import Prompt, PromptParts
from rewind.language.tokenizer import AnswerTokenizer
from rewind.weights import load_tokenizer, loading_from_hub


@dataclass(frozen=True)
class Spoken:
    """Text, the natural-log probability of each generated token, and how many tokens the instruction took. `complete`:
    the decoder ended the answer itself; otherwise the limit cut it."""

    text: str
    log_probabilities: tuple[float, ...]
    instruction_tokens: int
    complete: bool


class Speaker(Protocol):
    """What an answer needs from a decoder."""

    def require_room(self, question: str, *, room: int) -> None:
        """Refuse what `speak` would, before any work. Raises: BudgetError."""
        ...

    def speak(self, prompt: Prompt, parts: PromptParts, question: str, *, room: int, limit: int) -> Spoken:
        """Answer greedily in at most `limit` tokens; the instruction may take `room` tokens.

        Raises: BudgetError where the decoder has words of its own for the instruction and they do not fit.
        """
        ...


class BundledSpeaker:
    """The bundled decoder: the instruction enters as the frozen text encoder's features, cut to fit before. Its words
    decide nothing but whether *never* can be an answer."""

    def __init__(self, decoder: BundledDecoder, tokenizer: AnswerTokenizer) -> None:
        self._decoder = decoder
        self._tokenizer = tokenizer

    def require_room(self, question: str, *, room: int) -> None:
        """There always is: what is too long is cut."""

    def speak(self, prompt: Prompt, parts: PromptParts, question: str, *, room: int, limit: int) -> Spoken:  # noqa: ARG002  (one signature for all decoders)
        embeddings, mask = prompt(parts)
        never, *rest = self._tokenizer.encode(NEVER)
        known = len(rest) == 1  # one word and the end; spelled letter by letter otherwise
        barred = [never] if known and presumes(question) else []
        words = self._decoder.generate(embeddings[:, mask[0]], limit=limit, barred=barred, heard=parts.heard)
        used = int(parts.text_mask.sum())
        return Spoken(self._tokenizer.decode(words.ids), words.log_probabilities, used, words.complete)


class HubDecoder(nn.Module):
    """Any causal language model of the Hub or of a folder (transformers), fed with embeddings.

    Its own tokenizer writes the instruction. The projections into its width come with ReWind's weights; where they
    were not trained for this decoder, the answer says so.
    """

    def __init__(self, source: str, *, dtype: torch.dtype = torch.float32) -> None:
        super().__init__()
        self.source = source
        self.model, self.tokenizer = _load(source, dtype)
        self.width = int(self.model.get_input_embeddings().embedding_dim)

    @property
    def revision(self) -> str:
        """What tells these weights from others of the same name: the Hub's commit, a folder's files and their ages."""
        path = Path(self.source)
        files = sorted(path.iterdir()) if path.is_dir() else [path] if path.is_file() else []
        ages = [f"{f.name} {f.stat().st_size} {f.stat().st_mtime_ns}" for f in files if f.is_file()]
        return "\n".join(ages) or str(getattr(self.model.config, "_commit_hash", None))

    def require_room(self, question: str, *, room: int) -> None:
        self._fitting(question, room)

    @torch.no_grad()
    def speak(self, prompt: Prompt, parts: PromptParts, question: str, *, room: int, limit: int) -> Spoken:
        ids = self._fitting(question, room)
        table = self.model.get_input_embeddings()
        embeddings, mask = prompt(parts, instruction=False)
        words = table(ids.to(table.weight.device))
        # Visual tokens enter at the scale of the model's own words: a foreign norm drowns either side.
        seen = embeddings[:, mask[0]].to(words.dtype)
        seen = seen * (words.norm(dim=-1).mean() / seen.norm(dim=-1, keepdim=True).clamp(min=1e-6))
        joined = torch.cat([seen, words], dim=1)
        out = self.model.generate(
            inputs_embeds=joined,
            attention_mask=torch.ones(joined.shape[:2], dtype=torch.long, device=joined.device),
            max_new_tokens=limit, do_sample=False, output_scores=True, return_dict_in_generate=True,
            pad_token_id=self.tokenizer.pad_token_id or self.tokenizer.eos_token_id or 0,
        )  # fmt: skip
        new = out.sequences[0, -len(out.scores) :]
        scores = tuple(float(s[0].float().log_softmax(-1)[t]) for s, t in zip(out.scores, new, strict=True))
        text = self.tokenizer.decode(new, skip_special_tokens=True).strip()
        return Spoken(text, scores, ids.shape[1], len(scores) < limit or int(new[-1]) in self._ends)

    def _fitting(self, question: str, room: int) -> Tensor:
        ids = self._words(question)
        if ids.shape[1] > room:
            raise BudgetError(f"an instruction of {ids.shape[1]} tokens", allowed=f"{room} tokens", do="ask briefly")
        return ids

    def _words(self, question: str) -> Tensor:
        if getattr(self.tokenizer, "chat_template", None):
            chat = [{"role": "user", "content": question}]
            text = self.tokenizer.apply_chat_template(chat, add_generation_prompt=True, tokenize=False)
            ids = self.tokenizer(text, add_special_tokens=False)["input_ids"]  # the template wrote its own
        else:
            ids = self.tokenizer(f"Question: {question}\nAnswer:")["input_ids"]
        return torch.tensor([ids])

    @property
    def _ends(self) -> frozenset[int]:
        """The tokens that end an answer."""
        said = self.model.generation_config.eos_token_id
        return frozenset(said if isinstance(said, list) else [] if said is None else [said])


def _load(source: str, dtype: torch.dtype) -> tuple[Any, Any]:
    from transformers import AutoModelForCausalLM

    folder, gguf = Path(source), {}
    if folder.suffix == ".gguf":
        folder, gguf = folder.parent, {"gguf_file": folder.name}
    name = str(folder) if gguf or folder.exists() else source
    allowed = "a causal language model of the Hub, its folder, or a .gguf file"
    what, do = f"decoder {source!r}", "check the name, or download it first"
    with loading_from_hub(what, allowed=allowed, do=do):
        model = AutoModelForCausalLM.from_pretrained(name, dtype=dtype, **gguf).eval().requires_grad_(False)
    return model, load_tokenizer(name, what=what, allowed=allowed, do=do, **gguf)


def hub_source(config: ReWindConfig) -> str | None:
    """The Hub name or folder of the config's decoder; None for the bundled one."""
    return config.decoder.removeprefix("hub:") if config.decoder.startswith("hub:") else None
