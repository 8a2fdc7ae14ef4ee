"""The arena: memory systems side by side, on the same encoder, decoder, data, steps and language-model tokens."""

from rewind.arena.contenders import CONTENDERS, Contender, chosen
from rewind.arena.plan import ArenaPlan
from rewind.arena.run import run_arena

__all__ = ["CONTENDERS", "ArenaPlan", "Contender", "chosen", "run_arena"]
