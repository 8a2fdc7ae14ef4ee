"""Training: align, instruct, ground, on worlds; `run` is the whole of it."""

from rewind.train.recipe import run

__all__ = ["run"]
