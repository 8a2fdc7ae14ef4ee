"""Collects a stream's packets into units that threads decode apart, and goes ahead where no sample falls between."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from av.packet import Packet
from av.video.stream import VideoStream

from rewind.video.decode import Coded
from rewind.video.extent import Extent
from rewind.video.jump import Jumper
from rewind.video.shared import Shared
from rewind.video.timing import Grid
from rewind.video.units import PART_BYTES, PART_PACKETS, Marker, Part, Unit, new_extradata

_UNIT_PACKETS = 48


class Cutter:
    """One pass over the packets of one stream.

    A clean start is held until the first packet that does not lead it, because leading pictures (shown before it, coded
    after it) still belong to the unit before.
    """

    def __init__(
        self, marker: Marker, *, grid: Grid, start_index: int, low: int, keys_only: bool, extent: Extent,
        ahead: Jumper, shared: Shared, begin: Callable[[int, bytes | None], Unit],
    ) -> None:  # fmt: skip
        """
        Args:
            start_index: samples before this one are not asked for.
            low: PTS from which pictures are shown.
            begin: makes a unit that shows pictures from a PTS on, decoded with parameter sets sent on the way (None:
                those of the file), and hands it to whoever decodes it.
        """
        self.unit: Unit | None = None
        """The unit whose packets are being collected; whoever decodes it waits for its end."""
        self._marker, self._grid, self._start_index, self._keys_only = marker, grid, start_index, keys_only
        self._extent, self._ahead, self._shared, self._begin = extent, ahead, shared, begin
        self._low = low
        self._current: list[Coded] = []
        self._held: list[Coded] = []
        self._weight = 0
        self._extradata: bytes | None = None
        self._leads = False  # after a jump: what leads the first packet belongs to a unit that was left out

    def cut(self, packets: Iterator[Packet[VideoStream]]) -> None:
        """Reads to the end of the stream."""
        while (packet := next(packets, None)) is not None:
            packets = self._take(packet) or packets
        if self._held:
            self._resolve()
        self._hand_out(Part(self._current, True, self._extent.end))

    def _take(self, packet: Packet[VideoStream]) -> Iterator[Packet[VideoStream]] | None:
        """Takes in one packet. Returns where to go on from, where that is not behind it."""
        coded = self._marker.mark(packet, keys_only=self._keys_only)
        changed = new_extradata(packet)
        coded = self._extent.place(coded, start=coded.start)
        if self._leads and coded.pts is not None and not coded.start:
            if coded.pts < self._low:
                return None
            self._leads = False
        self._extent.extend(coded)
        if self._held:
            first = self._held[0]
            if not coded.start and coded.pts is not None and first.pts is not None and coded.pts < first.pts:
                self._held.append(coded)
                return None
            if (elsewhere := self._resolve()) is not None:
                return elsewhere
        if changed is not None:
            self._change(coded, changed)
        elif coded.start and self._current:
            self._held = [coded]
        else:
            self._current.append(coded)
            self._weight += packet.size
            if len(self._current) >= PART_PACKETS or self._weight >= PART_BYTES:
                self._hand_out(Part(self._current, False, None))
                self._current, self._weight = [], 0
        return None

    def _change(self, coded: Coded, extradata: bytes) -> None:
        """Ends the unit before a packet with other parameter sets, and begins one that is decoded with those."""
        if self._current:
            begin = coded.pts if coded.pts is not None else self._extent.end
            self._hand_out(Part(self._current, True, begin))
            self._low = begin
        self._current, self._weight, self._extradata = [coded._replace(start=True)], coded.packet.size, extradata

    def _resolve(self) -> Iterator[Packet[VideoStream]] | None:
        """Ends the unit before the packet held, or takes it in. Returns packets of a place far ahead to go on at."""
        first, leading = self._held[0], self._held[1:]
        self._held = []
        if len(self._current) < _UNIT_PACKETS and self.unit is None:
            self._current += [first._replace(start=not leading), *leading]
            return None
        begin = self._extent.end if first.pts is None else first.pts
        # What leads it refers to the end of this unit, which so is one group with it: none of that is left out.
        carried = [first._replace(start=False), *leading] if leading else []
        self._hand_out(Part([*self._current, *carried], True, begin))
        length = begin - self._low
        self._current, self._low, self._weight = [first], begin, first.packet.size
        if self._extent.moved:
            return None
        wanted = self._grid.pts_limit(max(self._grid.first_at(begin), self._start_index))
        far = self._ahead.jump(self._marker, begin, wanted, least=2 * length)
        if far is None:
            return None
        packets, landed = far
        self._extent.extend(landed)
        self._current, self._low, self._leads = [landed], landed.pts or begin, True
        self._extradata = new_extradata(landed.packet) or self._extradata
        return packets

    def _hand_out(self, part: Part) -> None:
        if self.unit is None:
            stop = self._grid.first_at(part.end) if part.end is not None else None
            if stop is not None and stop <= max(self._grid.first_at(self._low), self._start_index):
                return  # no sample falls into it
            self.unit = self._begin(self._low, self._extradata)
        self._shared.put(self.unit.parts, part)
        if part.last:
            self.unit = None
