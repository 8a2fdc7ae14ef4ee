"""From packets to units: where a stream may be cut so that threads decode its parts apart, and who decodes them."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain, islice

from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from rewind.timeline import Clock
from rewind.values import VideoInfo
from rewind.video.bitstream import FAMILIES, Family
from rewind.video.decode import Coded, Decoder, Painter, Pixels, Recipe, Timing, configure
from rewind.video.jump import Jumper
from rewind.video.plan import Order, Plan
from rewind.video.probe import stamped, step_of, timing_of
from rewind.video.shared import Shared
from rewind.video.source import Source, Stopped
from rewind.video.timing import Grid, Reach, Rise, Run, Sampler
from rewind.video.units import (
    PART_BYTES,
    PART_PACKETS,
    Marker,
    Part,
    Unit,
    arriving,
    decode_parts,
    new_extradata,
    separable,
)

_UNIT_PACKETS = 48
_LOOK_AHEAD_BYTES = 24_000_000
_WINDOW = 64
_GIVEN_UP = {
    "fast": "fast reading: pictures that no other refers to are left out, the loop filter is off",
    "keyframes": "key frames only: each sample shows the last key frame before it",
}


class Reader:
    """One reading of one open source."""

    def __init__(self, plan: Plan, shared: Shared, order: Order, opened: Source, info: VideoInfo) -> None:
        self.plan, self.shared, self.order, self.opened, self.info = plan, shared, order, opened, info
        self.grid = Grid.of(Clock(info.start_pts, info.time_base, plan.fps))
        self.step = step_of(opened)
        self.recipe = Recipe.of(opened.stream, plan.reading)
        height, width = plan.size or (info.height, info.width)
        share = _LOOK_AHEAD_BYTES // (plan.threads + 2) // max(1, 3 * height * width)
        self.depth = min(512, max(2, share))
        self._reach = Reach(self.grid, self.step)
        self._unfinished: Unit | None = None
        self._ahead = Jumper(plan.source, shared, opened)

    @property
    def end(self) -> int:
        """Where the pictures read so far end, in ticks."""
        return self._reach.end

    def close(self) -> None:
        """Gives back what was opened on the way."""
        self._ahead.close()

    def read(self, packets: Iterator[Packet[VideoStream]]) -> None:
        """Chooses between units in threads and one decoder with FFmpeg's own threads, and reads."""
        head = list(islice(packets, _WINDOW))
        packets = chain(head, packets)
        timing = timing_of(self.opened, head)
        if timing != "pts":
            self.shared.note(
                "the file stores no times for display: pictures are taken to come at its regular rate"
                if timing == "counted"
                else "the file stores no times for display: pictures take the packets' times in order"
            )
        if self.plan.reading != "exact" and timing != "pts":  # what is left out would move the times of all the rest
            self.shared.note(f"reading {self.plan.reading!r} needs times for display: read as 'exact'")
            self.plan = replace(self.plan, reading="exact")
        if self.plan.reading != "exact":
            self.shared.note(_GIVEN_UP[self.plan.reading])
        family = FAMILIES.get(self.opened.stream.codec_context.codec.canonical_name)
        apart = family is not None and timing == "pts" and separable(head, family, self.recipe, self.info.start_pts)
        if apart and family is not None:
            marker = Marker(family, self.recipe.extradata)
            begun, short = self._until_second_group(packets, Marker(family, self.recipe.extradata))
            packets = chain(begun, packets)
            if short:
                self._in_units(packets, marker)
            else:
                self._in_one(packets, timing, marker)
            return
        self._in_one(packets, timing, None)

    def _until_second_group(
        self, packets: Iterator[Packet[VideoStream]], marker: Marker
    ) -> tuple[list[Packet[VideoStream]], bool]:
        """Packets up to the second clean start, and whether there was one in reach: else no unit would end."""
        head: list[Packet[VideoStream]] = []
        total = 0
        for packet in packets:
            head.append(packet)
            total += packet.size
            if marker.mark(packet).start and len(head) > 1:
                return head, True
            if len(head) >= (PART_PACKETS if not self.opened.live else PART_PACKETS // 4) or total >= PART_BYTES:
                return head, False
        return head, False

    def _in_one(self, packets: Iterator[Packet[VideoStream]], timing: Timing, marker: Marker | None) -> None:
        unit = self._unit(self.info.start_pts)
        self.shared.put(self.order.units, unit)
        ctx = self.opened.stream.codec_context
        if not ctx.is_open:
            ctx.thread_count = self.plan.threads
            ctx.thread_type = "AUTO" if timing == "pts" else "SLICE"
            configure(ctx, self.plan.reading)
        start = self.info.start_pts if timing == "counted" else 0
        family = marker.family if marker is not None else "whole"
        rise = Rise(self.info.time_base)

        def parts() -> Iterator[Part]:
            while window := list(islice(packets, _WINDOW)):
                coded = [marker.mark(p) if marker else stamped(p, timing) for p in window]
                for place, c in enumerate(coded):
                    coded[place] = self._placed(c, rise, start=c.packet.is_keyframe) if timing == "pts" else c
                    self._extend(coded[place])
                self.shared.clock_cpu()
                yield Part(coded, False, None)
            yield Part([], True, self.end if timing == "pts" else None)

        decoder = Decoder(ctx, timing=timing, start=start, step=self.step)
        self._decode(unit, parts(), decoder, family=family, tail=False)

    def _in_units(self, packets: Iterator[Packet[VideoStream]], marker: Marker) -> None:
        tasks: queue.Queue[Unit | None] = queue.Queue(1)
        for number in range(self.plan.threads):
            worker = threading.Thread(
                target=self._work, args=(tasks, marker.family), name=f"decoder-{number}", daemon=True
            )
            self.order.threads.append(worker)
            worker.start()
        try:
            self._cut(packets, marker, tasks)
        except Exception:
            if self._unfinished is not None:  # whoever decodes it waits for its end
                self.shared.put(self._unfinished.parts, Part([], True, None))
            raise
        finally:
            for _ in range(self.plan.threads):
                self.shared.put(tasks, None)

    def _cut(self, packets: Iterator[Packet[VideoStream]], marker: Marker, tasks: queue.Queue[Unit | None]) -> None:
        """Collects packets into units. A clean start is held until the first packet that does not lead it, because
        leading pictures (shown before it, coded after it) still belong to the unit before."""
        unit: Unit | None = None
        low = self.info.start_pts
        rise = Rise(self.info.time_base)
        current: list[Coded] = []
        held: list[Coded] = []
        weight = 0
        extradata: bytes | None = None
        leads = False  # after a jump: what leads the first packet belongs to a unit that was left out

        def hand_out(part: Part) -> None:
            nonlocal unit
            if unit is None:
                stop = self.grid.first_at(part.end) if part.end is not None else None
                if stop is not None and stop <= max(self.grid.first_at(low), self.plan.start_index):
                    return  # no sample falls into it
                unit = self._unit(low)
                unit.extradata = extradata
                self.shared.put(self.order.units, unit)
                self.shared.put(tasks, unit)
            self.shared.put(unit.parts, part)
            if part.last:
                unit = None
            self._unfinished = unit

        def resolve() -> bool:
            """Ends the unit before the packet held, or takes it in; True where reading went on far ahead instead."""
            nonlocal current, held, low, weight, packets, leads, extradata
            first, leading = held[0], held[1:]
            begin = self.end if first.pts is None else first.pts
            if len(current) >= _UNIT_PACKETS or unit is not None:
                # What leads it refers to the end of this unit, which so is one group with it: none of that is left out.
                carried = [first._replace(start=False), *leading] if leading else []
                hand_out(Part([*current, *carried], True, begin))
                length = begin - low
                current, low, weight = [first], begin, first.packet.size
                wanted = self.grid.pts_limit(max(self.grid.first_at(begin), self.plan.start_index))
                far = None if rise.moved else self._ahead.jump(marker, begin, wanted, least=2 * length)
                if far is not None:
                    packets, landed = far
                    self._extend(landed)
                    current, low, held, leads = [landed], landed.pts or begin, [], True
                    extradata = new_extradata(landed.packet) or extradata
                    return True
            else:
                current += [first._replace(start=not leading), *leading]
            held = []
            return False

        while (packet := next(packets, None)) is not None:
            coded = marker.mark(packet, keys_only=self.plan.reading == "keyframes")
            changed = new_extradata(packet)
            coded = self._placed(coded, rise, start=coded.start)
            if leads and coded.pts is not None and not coded.start:
                if coded.pts < low:
                    continue
                leads = False
            self._extend(coded)
            if held:
                first = held[0]
                if not coded.start and coded.pts is not None and first.pts is not None and coded.pts < first.pts:
                    held.append(coded)
                    continue
                if resolve():
                    continue
            if changed is not None:
                if current:
                    hand_out(Part(current, True, coded.pts if coded.pts is not None else self.end))
                    low = coded.pts if coded.pts is not None else self.end
                current, weight, extradata = [coded._replace(start=True)], packet.size, changed
                continue
            if coded.start and current:
                held = [coded]
                continue
            current.append(coded)
            weight += packet.size
            if len(current) >= PART_PACKETS or weight >= PART_BYTES:
                hand_out(Part(current, False, None))
                current, weight = [], 0
        if held:
            resolve()
        hand_out(Part(current, True, self.end))

    def _work(self, tasks: queue.Queue[Unit | None], family: Family) -> None:
        """Body of a decoding thread."""
        decoder: Decoder | None = None
        made_with: bytes | None = None
        try:
            while (unit := self.shared.get(tasks)) is not None:
                if decoder is None or made_with is not unit.extradata:
                    made_with = unit.extradata
                    # Not so H.264, where a packet may hold one of a picture's two fields, also from some place on.
                    every = family == "hevc" and self.plan.reading == "exact"
                    decoder = Decoder(self.recipe.make(made_with), every=every)
                self._decode(unit, arriving(unit, self.shared), decoder, family=family, tail=True)
        except Stopped:
            pass
        finally:
            self.shared.clock_cpu()

    def _decode(self, unit: Unit, parts: Iterator[Part], decoder: Decoder, *, family: Family, tail: bool) -> None:
        reading = self.plan.reading
        if family == "intra" and reading == "fast":
            reading = "exact"  # every picture stands alone: nothing is saved by showing another one
        sampler: Sampler[VideoFrame] = Sampler(self.grid, floor=self.plan.start_index, low=unit.low)
        try:
            decode_parts(
                parts,
                decoder=decoder,
                sampler=sampler,
                painter=Painter(self.plan.size, self.info),
                active=self.plan.active,
                reading=reading,
                droppable=family != "whole",
                tail=tail,
                shared=self.shared,
                step=self.step,
                emit=lambda run: self.shared.put(unit.out, run),
            )
        finally:
            self.shared.clock_cpu()
            self.shared.put(unit.out, None)

    def _unit(self, low: int) -> Unit:
        return Unit(low, queue.Queue[Run[Pixels] | None](self.depth))

    def _placed(self, coded: Coded, rise: Rise, *, start: bool) -> Coded:
        """A packet with its time counted on, where times have gone back."""
        if coded.pts is None:
            return coded
        moved = rise.moved
        coded.packet.pts = rise.place(coded.pts, start=start, end=self.end)
        if rise.moved != moved:
            self.shared.note("times go back on the way: counted on from where they did")
        return coded._replace(pts=coded.packet.pts)

    def _extend(self, coded: Coded) -> None:
        """Moves the end of the video."""
        if coded.pts is not None and coded.displayed:
            self._reach.extend(coded.pts, coded.packet.duration or 0)
