"""The clocks that a meter goes by; tests bring their own."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """Monotonic time for durations and wall-clock time for people, both in nanoseconds."""

    def monotonic_ns(self) -> int:
        """Nanoseconds that never go back."""
        ...

    def wall_ns(self) -> int:
        """Nanoseconds since 1970 in UTC; may be set, so never for durations."""
        ...


class SystemClock:
    """The machine's clocks."""

    monotonic_ns = staticmethod(time.monotonic_ns)
    wall_ns = staticmethod(time.time_ns)
