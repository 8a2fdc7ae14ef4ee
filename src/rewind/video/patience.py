"""How long a source has kept silent, by the time that this process ran."""

from __future__ import annotations

import time

TICK_S = 0.1
"""What every wait for a source lasts at most before it looks up again."""
_ASLEEP_S = 1.0


class Patience:
    """Ends after `limit_s` seconds of silence. Where one short wait took far longer than `TICK_S`, the whole process
    stood still (a stop signal, a debugger, a machine asleep), and the source cannot be blamed for that time."""

    def __init__(self, limit_s: float) -> None:
        self._limit_s = limit_s
        self._last = time.monotonic()
        self._waited = 0.0
        self._beat = 0.0

    def ended(self, beat: float = 0.0) -> bool:
        """To be asked after each wait; `beat` changes whenever something came."""
        now = time.monotonic()
        self._waited = 0.0 if beat != self._beat else self._waited + min(now - self._last, _ASLEEP_S)
        self._last, self._beat = now, beat
        return self._waited > self._limit_s
