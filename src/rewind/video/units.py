"""Cuts a stream of packets into units that can be decoded apart from each other, and decodes one unit.

A unit begins at a packet before which nothing is needed (an IDR or IRAP picture, a key frame) and carries everything
that its samples need, the leading pictures after the next unit's first packet included, so that decoding units in
several threads gives the very pictures of decoding the whole in one.
"""

from __future__ import annotations

import queue
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import NamedTuple

from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from rewind.sampling import Reading
from rewind.video.bitstream import Family, nature, prefix_size
from rewind.video.decode import Coded, Decoded, Decoder, Painter, Pixels, Recipe, choose
from rewind.video.shared import Shared
from rewind.video.timing import Grid, Run, Sampler, shown

PART_PACKETS = 1500
PART_BYTES = 24_000_000
_SURVEYED = 24


class Part(NamedTuple):
    """Packets in coding order. `last`: the unit ends with them, at PTS `end` (exclusive)."""

    coded: list[Coded]
    last: bool
    end: int | None


@dataclass(eq=False)
class Unit:
    """A stretch of video on its way: packets go into `parts`, runs of samples come out of `out` (None: done)."""

    low: int
    out: queue.Queue[Run[Pixels] | None]
    extradata: bytes | None = None
    parts: queue.Queue[Part] = field(default_factory=lambda: queue.Queue(1))


class Marker:
    """Says of each packet whether a group of pictures can begin at it. Remembers parameter sets sent on the way:
    once they are, only a packet with its own can begin a group."""

    def __init__(self, family: Family, extradata: bytes | None) -> None:
        self.family = family
        self._prefix = prefix_size(family, extradata)
        self._sent = False

    def mark(self, packet: Packet[VideoStream], *, keys_only: bool = False) -> Coded:
        """The packet with its place in the stream; `start` where decoding may begin. `keys_only`: a packet that is
        not a key frame will not be decoded, and is not looked into."""
        if keys_only and not packet.is_keyframe:
            return Coded(packet, packet.pts, False, -1, not packet.is_discard and packet.pts is not None)
        said = nature(memoryview(packet), self.family, self._prefix, key=packet.is_keyframe)
        clean = said.clean and packet.is_keyframe and packet.pts is not None and not packet.is_discard
        clean = clean and (said.parameters or not self._sent)
        self._sent = self._sent or said.parameters
        return Coded(packet, packet.pts, clean, said.layer, not packet.is_discard and packet.pts is not None)


def separable(head: list[Packet[VideoStream]], family: Family, recipe: Recipe, start: int) -> bool:
    """Whether the first packets behave as a stream must whose units are decoded apart: a clean start, a time on
    every packet and no two alike, one picture for each packet, no error."""
    if not head or any(p.pts is None for p in head) or len({p.pts for p in head}) != len(head):
        return False
    marker = Marker(family, recipe.extradata)
    surveyed = 1 if recipe.reading == "keyframes" else _SURVEYED
    coded = [marker.mark(p) for p in head[:surveyed]]
    shown_times = {c.pts for c in coded if c.displayed}
    if not coded[0].start or min((t for t in shown_times if t is not None), default=start) != start:
        return False
    decoder = Decoder(replace(recipe, reading="exact").make())
    got = [d for c in coded for d in decoder.feed(c)] + decoder.drain()
    times = [d.pts for d in got if d.frame is not None]
    if decoder.errors or times != sorted(times):
        return False
    if family == "whole":
        return bool(times) and set(times) <= shown_times and times[0] == start
    return set(times) == shown_times


def decode_parts(
    parts: Iterable[Part],
    *,
    decoder: Decoder,
    sampler: Sampler[VideoFrame],
    painter: Painter,
    active: bool,
    reading: Reading,
    droppable: bool,
    tail: bool,
    shared: Shared,
    step: Fraction,
    emit: Callable[[Run[Pixels]], None],
) -> None:
    """Decodes one unit, part by part, and emits its samples in order, what was lost before them told first.

    Args:
        active: give the active picture beside each one that has black bars.
        droppable: pictures that nothing refers to may be left out where no sample shows them.
        tail: what follows the last sample of a group of pictures may be left out.
    """
    grid, seen = sampler.grid, _Seen(sampler.grid)
    end: int | None = None
    keys = reading == "keyframes"
    whole = False  # of a group whose key frame is not displayed (an edit begins behind it) all is decoded

    def show(runs: list[Run[VideoFrame]]) -> None:
        for run in runs:
            try:
                pixels = painter.paint(run.picture)
                inner = painter.active(run.picture, pixels) if active else None
            except (ValueError, OSError, MemoryError):
                continue  # its samples are missed, as those of a broken picture
            early = seen.compare(run) if reading != "exact" else (None, 0)
            emit(Run(run.first, run.stop, run.pts, pixels, *early, inner))

    def take(ready: list[Decoded]) -> None:
        at = sampler.at
        runs: list[Run[VideoFrame]] = []
        for pts, frame in ready:
            if end is not None and pts >= end:
                continue
            if frame is None:
                sampler.hole(pts)
            else:
                runs += sampler.push(pts, frame)
        shared.lose(sampler, decoder, at)
        show(runs)

    for part in parts:
        end = part.end if part.last else None
        times = [c.pts for c in part.coded if c.displayed and c.pts is not None]
        seen.add(times)
        wanted = shown(times, grid, end)
        exact = reading == "exact"
        chosen = part.coded
        if not keys:
            chosen = choose(chosen, wanted, exact=exact, last=part.last, droppable=droppable, tail=tail)
        for coded in chosen:
            shared.alive()
            if keys and coded.packet.is_keyframe:
                take(decoder.drain() if whole else [])
                whole = not coded.displayed
            elif keys and not whole:
                continue
            ready = decoder.feed(coded)
            if keys and not whole:  # each on its own: a decoder that misses pictures may hold some back for good
                ready += decoder.drain()
            take(ready)
        if part.last:
            break
    take(decoder.drain())
    end = sampler.latest + max(1, int(step)) if end is None else end
    runs = sampler.finish(end)
    shared.lose(sampler, decoder, sampler.at)
    shared.reach(grid.first_at(end))
    show(runs)


class _Seen:
    """The times of all packets, also of those left out, to measure how early a shown picture is."""

    def __init__(self, grid: Grid) -> None:
        self._grid, self._times = grid, list[int]()

    def add(self, times: list[int]) -> None:
        self._times = sorted([*self._times[-2 * PART_PACKETS :], *times])

    def compare(self, run: Run[VideoFrame]) -> tuple[int | None, int]:
        """From which sample of a run on an exact reading would show a later picture, and by how many ticks at most."""
        at = bisect_right(self._times, run.pts)
        if at == len(self._times):
            return None, 0
        first = max(run.first, self._grid.first_at(self._times[at]))
        if first >= run.stop:
            return None, 0
        true = self._times[bisect_right(self._times, self._grid.pts_limit(run.stop - 1)) - 1]
        return first, true - run.pts


def arriving(unit: Unit, shared: Shared) -> Iterator[Part]:
    """The parts of a unit as they come, to the last."""
    while True:
        part = shared.get(unit.parts)
        yield part
        if part.last:
            return


def new_extradata(packet: Packet[VideoStream]) -> bytes | None:
    """Codec parameters that begin to hold with this packet."""
    if packet.is_keyframe and packet.has_sidedata("new_extradata"):
        return bytes(packet.get_sidedata("new_extradata"))
    return None
