"""The reading thread: opens the source, decides how it can be decoded, and hands out units of work in order."""

from __future__ import annotations

from contextlib import suppress
from itertools import chain

from av.packet import Packet
from av.video.stream import VideoStream

from rewind.video.plan import Order, Plan
from rewind.video.probe import demux, inspect, known, probe
from rewind.video.reader import Reader
from rewind.video.shared import Shared
from rewind.video.source import Source, Stopped, explain, label, may_pass
from rewind.video.whole import ends_early


def produce(plan: Plan, shared: Shared, order: Order) -> None:
    """Body of the reading thread. Never raises: what goes wrong stands in `order.error`."""
    try:
        info = plan.info if known(plan.info) else None
        with Source(plan.source, stall_s=plan.stall_s, stop=shared.stop.is_set) as opened:
            shared.alive()
            # What is live goes on meanwhile: a second opening would begin later.
            if info is None and not opened.live:
                info = probe(plan.source)
                shared.alive()
            packets = shared.guarded(demux(opened))
            head: list[Packet[VideoStream]] = []
            if info is None:
                info = inspect(opened, packets, head)
                opened.stream.codec_context.flush_buffers()
            order.info = info
            order.ready.set()
            reader = Reader(plan, shared, order, opened, info)
            try:
                reader.read(chain(head, packets))
                order.end = reader.end
                if early := ends_early(opened, info, reader.end):
                    shared.note(early)
            finally:
                reader.close()
    except Stopped:
        pass
    except Exception as error:
        order.error, order.may_pass = explain(error, label(plan.source)), may_pass(error)
    finally:
        shared.clock_cpu()
        order.ready.set()
        with suppress(Stopped):
            shared.put(order.units, None)
