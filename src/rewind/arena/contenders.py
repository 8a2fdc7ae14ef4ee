"""Who takes part: each system by name, what it is, and whether it is trained or borrows another's weights."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rewind.arena.bridge import Bridge
from rewind.arena.others import Bank, Independent, MovieChat, QuestionOnly, Uniform
from rewind.arena.ours import OurRecipe, Removal
from rewind.arena.recipe import Kit, Recipe
from rewind.config import Selector
from rewind.errors import ConfigError


@dataclass(frozen=True)
class Contender:
    """One row of the table.

    `weights_of`: it is not trained, but tested with that row's weights. `full`: left out unless asked for.
    `selector`, `oracle`, `shuffled`: what is swapped at the test.
    """

    name: str
    about: str
    make: Callable[[Kit], Recipe]
    weights_of: str | None = None
    full: bool = False
    selector: Selector | None = None
    oracle: bool = False
    shuffled: bool = False

    @property
    def trained_as(self) -> str:
        return self.weights_of or self.name


def _ours(name: str, about: str, **removal: object) -> Contender:
    made = Removal(**removal)  # type: ignore[arg-type]
    return Contender(name, about, lambda kit: OurRecipe(kit, made))


def _swap(name: str, about: str, **swap: object) -> Contender:
    return Contender(f"rewind-{name}", about, OurRecipe, weights_of="rewind", **swap)  # type: ignore[arg-type]


_ALL = (
    _ours("rewind", "memory under the instruction, key frames by density peaks"),
    _ours("rewind-no-instruction", "memory written under a fixed generic prompt", instructed=False),
    _ours("rewind-no-read", "nothing read from memory: clips do not know what came before",
          changes=(("read_memory", False),)),
    _ours("rewind-no-memory", "key frames only, twice as many; memory serves selection alone", memory=False),
    _ours("rewind-no-selection", "memory only, twice as much", detail=False),
    _swap("uniform-frames", "evenly spaced key frames", selector="uniform"),
    _swap("top-k", "the best scores in place of density peaks", selector="top_k"),
    _swap("random-frames", "random key frames", selector="random"),
    _swap("oracle-frames", "key frames by the truth", oracle=True),
    _swap("shuffled", "frames in random order", shuffled=True),
    Contender("uniform", "evenly spaced frames, pooled to 4 tokens; no memory", Uniform),
    Contender("independent", "two tokens a frame, each frame alone (LLaMA-VID's way)", Independent),
    Contender("moviechat", "FIFO, likest neighbours merged (MovieChat's way)", MovieChat),
    Contender("question-only", "no visual token", QuestionOnly),
    Contender("bank", "memory bank compressed slot by slot (MA-LMM's way)", Bank, full=True),
    Contender("bridge", "recurrent memory bridge over scenes (VideoLLaMB's way)", Bridge, full=True),
)  # fmt: skip
CONTENDERS: dict[str, Contender] = {c.name: c for c in _ALL}


def chosen(names: Sequence[str] | None = None, *, full: bool = False) -> tuple[Contender, ...]:
    """The contenders of these names; without names the core ones, with `full` all.

    Raises: ConfigError for a name that does not exist.
    """
    if not names:
        return tuple(c for c in _ALL if full or not c.full)
    unknown = [n for n in names if n not in CONTENDERS]
    if unknown:
        raise ConfigError(f"recipes {', '.join(unknown)}", allowed=", ".join(CONTENDERS))
    return tuple(c for c in _ALL if c.name in names)


def to_train(contenders: Sequence[Contender]) -> tuple[Contender, ...]:
    """The contenders whose weights are needed, each once: a swap without its own row brings the row it borrows from."""
    names = {c.trained_as for c in contenders}
    return tuple(c for c in _ALL if c.name in names)
