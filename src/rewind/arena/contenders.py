"""Who takes part: each system by name, what it is, and whether it is trained or borrows another's weights."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from rewind.arena.bridge import Bridge
from rewind.arena.others import Bank, Independent, MovieChat, QuestionOnly, Uniform
from rewind.arena.ours import OurRecipe, Removal
from rewind.arena.recipe import Kit, Recipe
from rewind.config import Selector
from rewind.errors import ConfigError

Group = Literal["core", "full", "choices"]


@dataclass(frozen=True)
class Contender:
    """One row of the table.

    `weights_of`: it is not trained, but tested with that row's weights. `group`: all but the core are left out unless
    asked for.
    `selector`, `oracle`, `shuffled`: what is swapped at the test.
    """

    name: str
    about: str
    make: Callable[[Kit], Recipe]
    weights_of: str | None = None
    group: Group = "core"
    selector: Selector | None = None
    oracle: bool = False
    shuffled: bool = False

    @property
    def trained_as(self) -> str:
        return self.weights_of or self.name


def _ours(name: str, about: str, *, group: Group = "core", **removal: Any) -> Contender:
    made = Removal(**removal)
    return Contender(name, about, lambda kit: OurRecipe(kit, made), group=group)


def _swap(of: Contender, name: str, about: str, **swap: Any) -> Contender:
    """A trained row's weights with something else shown to them."""
    return replace(of, name=f"{of.name}-{name}", about=about, weights_of=of.name, **swap)


def _choice(name: str, about: str, **changes: Any) -> Contender:
    """ReWind with one choice that the paper leaves open made the other way."""
    return _ours(f"rewind-{name}", about, group="choices", changes=tuple(changes.items()))


_REWIND = _ours("rewind", "memory under the instruction, key frames by density peaks")
_NO_MEMORY = _ours("rewind-no-memory", "key frames only, twice as many; memory serves selection alone", memory=False)
_NO_MOMENTS = _choice("no-moments", "no list of moments in the prompt", moments=0)
_READ_DETAIL = _choice("read-detail", "each detail token reads one of a key frame's best patches", read_detail=True)
_ALL = (
    _REWIND,
    _ours("rewind-no-instruction", "memory written under a fixed generic prompt", instructed=False),
    _ours("rewind-no-read", "nothing read from memory: clips do not know what came before",
          changes=(("read_memory", False),)),
    _NO_MEMORY,
    _ours("rewind-no-selection", "memory only, twice as much", detail=False),
    _swap(_REWIND, "uniform-frames", "evenly spaced key frames", selector="uniform"),
    _swap(_REWIND, "top-k", "the best scores in place of density peaks", selector="top_k"),
    _swap(_REWIND, "random-frames", "random key frames", selector="random"),
    _swap(_REWIND, "oracle-frames", "key frames by the truth", oracle=True),
    _swap(_REWIND, "shuffled", "frames in random order", shuffled=True),
    _swap(_NO_MEMORY, "uniform-frames", "no memory, and evenly spaced key frames", selector="uniform"),
    Contender("uniform", "evenly spaced frames, pooled to 4 tokens; no memory", Uniform),
    Contender("independent", "two tokens a frame, each frame alone (LLaMA-VID's way)", Independent),
    Contender("moviechat", "FIFO, likest neighbours merged (MovieChat's way)", MovieChat),
    Contender("question-only", "no visual token", QuestionOnly),
    Contender("bank", "memory bank compressed slot by slot (MA-LMM's way)", Bank, group="full"),
    Contender("bridge", "recurrent memory bridge over scenes (VideoLLaMB's way)", Bridge, group="full"),
    _choice("own-queries", "perceiver queries of its own, added to what was read", own_perceive_queries=True),
    _choice("plain-patches", "patches do not attend to the instruction", instruct_patches=False),
    _choice("plain-queries", "perceiver queries do not attend to the instruction", instruct_queries=False),
    _choice("plain-write", "write queries do not start from the instruction", instruct_write=False),
    _choice("no-write-mean", "written tokens without the mean of the frame's queries", write_mean=False),
    _choice("clips-of-4", "clips of 4 frames", clip_frames=4),
    _choice("clips-of-16", "clips of 16 frames", clip_frames=16),
    _choice("plain-detail", "detail queries do not start from the instruction", instruct_detail=False),
    _READ_DETAIL,
    _swap(_READ_DETAIL, "uniform-frames", "the same, and evenly spaced key frames", selector="uniform"),
    _choice("pooled-detail", "detail by averaging patches", detail="pool"),
    _choice("no-scores", "memory tokens do not tell their relevance", score_in_prompt=False),
    _NO_MOMENTS,
    _swap(_NO_MOMENTS, "uniform-frames", "no list of moments, and evenly spaced key frames", selector="uniform"),
)  # fmt: skip
CONTENDERS: dict[str, Contender] = {c.name: c for c in _ALL}


def chosen(names: Sequence[str] | None = None, *, full: bool = False, choices: bool = False) -> tuple[Contender, ...]:
    """The contenders of these names; without names the core ones, with `full` and `choices` those groups too.

    Raises: ConfigError for a name that does not exist.
    """
    if not names:
        wanted = {"core", *(["full"] if full else []), *(["choices"] if choices else [])}
        return tuple(c for c in _ALL if c.group in wanted)
    unknown = [n for n in names if n not in CONTENDERS]
    if unknown:
        raise ConfigError(f"recipes {', '.join(unknown)}", allowed=", ".join(CONTENDERS))
    return tuple(c for c in _ALL if c.name in names)


def to_train(contenders: Sequence[Contender]) -> tuple[Contender, ...]:
    """The contenders whose weights are needed, each once: a swap without its own row brings the row it borrows from."""
    names = {c.trained_as for c in contenders}
    return tuple(c for c in _ALL if c.name in names)
