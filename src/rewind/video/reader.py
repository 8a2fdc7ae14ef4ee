"""From packets to samples: whether a stream is cut into units, and who decodes them."""

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
from rewind.video.cutter import Cutter
from rewind.video.decode import Decoder, Painter, Pixels, Recipe, Timing, configure
from rewind.video.extent import Extent
from rewind.video.jump import Jumper
from rewind.video.plan import Order, Plan
from rewind.video.probe import stamped, step_of, timing_of
from rewind.video.shared import Shared
from rewind.video.source import Source, Stopped
from rewind.video.timing import Grid, Run, Sampler
from rewind.video.units import PART_BYTES, PART_PACKETS, Marker, Part, Unit, arriving, decode_parts, separable

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
        self._extent = Extent(self.grid, step=self.step, time_base=info.time_base, shared=shared)
        self._ahead = Jumper(plan.source, shared, opened)

    @property
    def end(self) -> int:
        """Where the pictures read so far end, in ticks."""
        return self._extent.end

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

        def parts() -> Iterator[Part]:
            while window := list(islice(packets, _WINDOW)):
                coded = [marker.mark(p) if marker else stamped(p, timing) for p in window]
                for place, c in enumerate(coded):
                    coded[place] = self._extent.place(c, start=c.packet.is_keyframe) if timing == "pts" else c
                    self._extent.extend(coded[place])
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

        def begin(low: int, extradata: bytes | None) -> Unit:
            unit = self._unit(low, extradata)
            self.shared.put(self.order.units, unit)
            self.shared.put(tasks, unit)
            return unit

        cutter = Cutter(
            marker, grid=self.grid, start_index=self.plan.start_index, low=self.info.start_pts,
            keys_only=self.plan.reading == "keyframes", extent=self._extent, ahead=self._ahead, shared=self.shared,
            begin=begin,
        )  # fmt: skip
        try:
            cutter.cut(packets)
        except Exception:
            if cutter.unit is not None:
                self.shared.put(cutter.unit.parts, Part([], True, None))
            raise
        finally:
            for _ in range(self.plan.threads):
                self.shared.put(tasks, None)

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

    def _unit(self, low: int, extradata: bytes | None = None) -> Unit:
        return Unit(low, queue.Queue[Run[Pixels] | None](self.depth), extradata)
