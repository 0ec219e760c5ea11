"""The clocks that a meter goes by; tests bring their own."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Monotonic nanoseconds for durations, UTC for humans, and a sleep that goes by the same time."""

    def monotonic_ns(self) -> int:
        """Nanoseconds that never go back."""
        ...

    def now(self) -> datetime:
        """The wall clock in UTC."""
        ...

    def sleep(self, seconds: float) -> None:
        """Return after ``seconds`` of this clock."""
        ...


class SystemClock:
    """The machine's clocks."""

    monotonic_ns = staticmethod(time.monotonic_ns)
    sleep = staticmethod(time.sleep)

    @staticmethod
    def now() -> datetime:
        """The wall clock in UTC."""
        return datetime.now(UTC)
