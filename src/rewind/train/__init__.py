"""Training: align, instruct, ground, on worlds; `run` is the whole of it."""

from rewind.train.recipe import require_trainable, run

__all__ = ["require_trainable", "run"]
