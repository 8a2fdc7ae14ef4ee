"""What is told to end ends as by Ctrl-C: temporary folders go with it, and it says what is kept."""

from __future__ import annotations

import os
import signal
import threading
from types import FrameType

INTERRUPTED = 130
_NAMES = ("SIGTERM", "SIGHUP")


class Ended(KeyboardInterrupt):
    """The operating system's word to end, by the `number` of its signal."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def exit_code(error: BaseException | None) -> int:
    """As a shell tells it: 128 and the signal's number, 143 for SIGTERM, 129 for SIGHUP, 130 for Ctrl-C."""
    return 128 + error.number if isinstance(error, Ended) else INTERRUPTED


def end_orderly() -> None:
    """From now on SIGTERM and SIGHUP raise `Ended`, once. One that is ignored, as under nohup, or that the caller has a
    use for stays as it is."""
    if threading.current_thread() is not threading.main_thread():
        return  # no other may set them
    known = [number for name in _NAMES if isinstance(number := getattr(signal, name, None), signal.Signals)]
    owner = os.getpid()

    def end(number: int, _: FrameType | None) -> None:
        if os.getpid() != owner:  # a forked process, whose parent ends it: at once
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
            return
        for one in taken:  # a terminal that closes may say so twice: what is tidied up then must not stop half-way
            signal.signal(one, signal.SIG_IGN)
        raise Ended(number)

    taken = [number for number in known if signal.getsignal(number) is signal.SIG_DFL]
    for number in taken:
        signal.signal(number, end)
