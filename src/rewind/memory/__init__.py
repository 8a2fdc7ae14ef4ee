"""Features + instruction → memory: read, perceive, write, and the state that the caller owns."""

from rewind.memory.aim import Aim
from rewind.memory.neck import Neck
from rewind.memory.perceiver import PatchProjection, Perceiver
from rewind.memory.read_write import Read, Write
from rewind.memory.state import MemoryState

__all__ = ["Aim", "MemoryState", "Neck", "PatchProjection", "Perceiver", "Read", "Write"]
