"""How heavy the load was lately, by channel: a window's edge, of which bare reads say nothing, may have as much."""

from __future__ import annotations

from collections import deque

LATELY_NS = 60_000_000_000
"""Power of more than a minute ago says little of the load that runs now."""

ENOUGH = 5
"""Stretches that must have been seen before the heaviest of them counts as heavy."""

_REFRESHES = 10
"""A stretch of so many refreshes or more has a mean power that its own edges blur by a few percent at most."""

_KEPT = 256


class Peaks:
    """Mean powers of the stretches measured in the last minute, and the heaviest among them."""

    def __init__(self) -> None:
        self._seen: dict[int, deque[tuple[int, float]]] = {}

    def add(self, index: int, t_ns: int, elapsed_ns: int, refresh_ns: float, power_w: float) -> None:
        """Channel ``index`` drew ``power_w`` on average over ``elapsed_ns`` that ended at ``t_ns``."""
        if elapsed_ns >= _REFRESHES * refresh_ns:
            self._seen.setdefault(index, deque(maxlen=_KEPT)).append((t_ns, power_w))

    def power_w(self, index: int, t_ns: int) -> float | None:
        """The heaviest mean power lately as seen from ``t_ns``, in watts; None where too little was seen."""
        lately = [power_w for seen_ns, power_w in tuple(self._seen.get(index, ())) if abs(t_ns - seen_ns) < LATELY_NS]
        return max(lately) if len(lately) >= ENOUGH else None
