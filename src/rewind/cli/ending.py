"""What is told to end ends as by Ctrl-C: temporary folders go with it, and it says what is kept."""

from __future__ import annotations

import os
import signal
import threading
import time
from types import FrameType

INTERRUPTED = 130
PATIENCE_S = 2.0
"""For which what is told to end once may take to tidy up."""
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
    """From now on SIGTERM and SIGHUP raise `Ended`, once; told again after `PATIENCE_S` a process ends at once. One
    that is ignored, as under nohup, or that the caller has a use for stays as it is."""
    if threading.current_thread() is not threading.main_thread():
        return  # no other may set them
    known = [number for name in _NAMES if isinstance(number := getattr(signal, name, None), signal.Signals)]
    owner, told_at = os.getpid(), list[float]()

    def end(number: int, _: FrameType | None) -> None:
        if os.getpid() == owner and not told_at:
            told_at.append(time.monotonic())
            raise Ended(number)
        # A terminal that closes may say so twice: what is tidied up then must not stop half-way. Who is told once more
        # after a while hangs, and a forked process has a parent that tidies up: those end at once.
        if os.getpid() != owner or time.monotonic() - told_at[0] > PATIENCE_S:
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)

    taken = [number for number in known if signal.getsignal(number) is signal.SIG_DFL]
    for number in taken:
        signal.signal(number, end)
