"""The memory of one video under one instruction: a value that the caller owns, in the manner of a KV cache."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from rewind.memory.aim import Handed

CHUNK_FRAMES = 1024


@dataclass
class _Chunk:
    """Room for some frames' tokens, keys and values. `filled` frames are taken; states that share it never clash."""

    tokens: Tensor  # (B, n, W, D)
    key: Tensor  # (B, heads, n·W, D / heads)
    value: Tensor
    filled: int


@dataclass(frozen=True)
class MemoryState:
    """Memory after some frames: tokens M (B, T, 2, D) with the keys and values that read needs, each projected once.

    `text` I (B, S, D), `text_mask` (B, S), `pooled` Ī (B, D); `slots`, `thoughts` and `words` (B, S, SLOTS) what `Aim`
    made of the instruction; `handed` what the last clip hands on to the next. A state is never changed: `append`
    gives a new one that shares the old one's chunks. Several states may grow out of one (a question's partial clip,
    say): the first to write takes the free room of the last chunk, the next ones copy that chunk.
    """

    text: Tensor
    text_mask: Tensor
    pooled: Tensor
    slots: Tensor | None = None
    thoughts: Tensor | None = None
    words: Tensor | None = None
    handed: Handed | None = None
    frames: int = 0
    chunks: tuple[_Chunk, ...] = field(default=(), repr=False)

    def append(self, tokens: Tensor, key: Tensor, value: Tensor) -> MemoryState:
        """A state that holds f more frames: tokens (B, f, W, D), key and value (B, heads, f·W, D / heads)."""
        f = tokens.shape[1]
        if torch.is_grad_enabled() and tokens.requires_grad:
            # Training keeps every clip apart: writing into shared room would cut the gradient. What was written there
            # before, without one, is cut to its frames: behind them lies nothing.
            chunk = _Chunk(tokens, key, value, f)
            return replace(self, frames=self.frames + f, chunks=(*(_cut(c, n) for c, n in self._extents()), chunk))
        chunks, used = self.chunks, self._used_in_last()
        while f > 0:
            if not chunks or used >= CHUNK_FRAMES:
                chunks, used = (*chunks, _room(tokens, key)), 0
            last = chunks[-1]
            if last.filled != used or last.tokens.shape[1] != CHUNK_FRAMES:
                last = _copy(last, used)
                chunks = (*chunks[:-1], last)
            take = min(f, CHUNK_FRAMES - used)
            w = tokens.shape[2]
            last.tokens[:, used : used + take] = tokens[:, :take]
            last.key[:, :, used * w : (used + take) * w] = key[:, :, : take * w]
            last.value[:, :, used * w : (used + take) * w] = value[:, :, : take * w]
            last.filled = used = used + take
            tokens, key, value = tokens[:, take:], key[:, :, take * w :], value[:, :, take * w :]
            f -= take
        return replace(self, frames=self.frames + _added(self, chunks, used), chunks=chunks)

    def closed(self) -> MemoryState:
        """The same memory as tokens alone, in one piece: once all is written nothing is read from it any more, and keys
        and values take twice the room of the tokens."""
        return self.holding(self.tokens())

    def holding(self, tokens: Tensor) -> MemoryState:
        """A closed memory of tokens (B, T, W, D) under the same instruction."""
        nothing = tokens.new_empty(0)
        chunk = _Chunk(tokens, nothing, nothing, tokens.shape[1])
        return replace(self, frames=tokens.shape[1], chunks=(chunk,), handed=None)

    def tokens(self) -> Tensor:
        """All memory tokens (B, T, W, D), in time order."""
        parts = [chunk.tokens[:, :n] for chunk, n in self._extents()]
        if not parts:
            raise ValueError("an empty memory has no tokens")
        return parts[0] if len(parts) == 1 else torch.cat(parts, dim=1)

    def keys_values(self) -> list[tuple[Tensor, Tensor]]:
        """Keys and values chunk by chunk, each (B, heads, n·W, D / heads).

        Raises: ValueError for a closed memory.
        """
        out = []
        for chunk, n in self._extents():
            if chunk.key.ndim < 4:
                raise ValueError("a closed memory has no keys and values")
            part = _cut(chunk, n)
            out.append((part.key, part.value))
        return out

    def _extents(self) -> list[tuple[_Chunk, int]]:
        left, out = self.frames, []
        for chunk in self.chunks:
            n = min(left, chunk.tokens.shape[1])
            out.append((chunk, n))
            left -= n
        return out

    def _used_in_last(self) -> int:
        return self._extents()[-1][1] if self.chunks else 0


def _added(state: MemoryState, chunks: tuple[_Chunk, ...], used: int) -> int:
    before = sum(chunk.tokens.shape[1] for chunk in chunks[:-1])
    return before + used - state.frames


def _room(tokens: Tensor, key: Tensor) -> _Chunk:
    b, _, w, d = tokens.shape
    kv = (b, key.shape[1], CHUNK_FRAMES * w, key.shape[3])
    return _Chunk(tokens.new_empty(b, CHUNK_FRAMES, w, d), key.new_empty(kv), key.new_empty(kv), 0)


def _cut(chunk: _Chunk, used: int) -> _Chunk:
    """Its first frames, seen in place."""
    w = chunk.tokens.shape[2]
    return _Chunk(chunk.tokens[:, :used], chunk.key[:, :, : used * w], chunk.value[:, :, : used * w], used)


def _copy(chunk: _Chunk, used: int) -> _Chunk:
    room, part = _room(chunk.tokens, chunk.key), _cut(chunk, used)
    into = _cut(room, used)
    into.tokens[:], into.key[:], into.value[:] = part.tokens, part.key, part.value
    room.filled = used
    return room
