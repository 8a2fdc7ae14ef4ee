"""Which seeds are for what: training, validation, and a test range that training code refuses."""

from __future__ import annotations

from typing import Literal

from rewind.errors import ConfigError, TestSeedError

Split = Literal["train", "validation", "test"]

TRAIN_SEEDS = range(0, 1_000_000)
VALIDATION_SEEDS = range(1_000_000, 1_100_000)
TEST_SEEDS = range(2_000_000, 2_100_000)

_RANGES: dict[Split, range] = {"train": TRAIN_SEEDS, "validation": VALIDATION_SEEDS, "test": TEST_SEEDS}
_ALLOWED = ", ".join(f"{name} {r.start}–{r.stop - 1}" for name, r in _RANGES.items())


def split_of(seed: int) -> Split:
    """The split that `seed` belongs to. Raises: ConfigError for a seed of no range."""
    for name, seeds in _RANGES.items():
        if seed in seeds:
            return name
    raise ConfigError(f"seed {seed}", allowed=_ALLOWED)


def require_training_seed(seed: int) -> int:
    """`seed` itself where training may use it. Raises: TestSeedError for a seed that is held out, ConfigError else."""
    split = split_of(seed)
    if split != "train":
        raise TestSeedError(
            f"seed {seed} is of the {split} range",
            allowed=f"training seeds {TRAIN_SEEDS.start}–{TRAIN_SEEDS.stop - 1}",
            do="give a training seed",
        )
    return seed
