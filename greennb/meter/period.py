"""The rhythm of an energy counter: how often it updates, how evenly, and when the next update is due.

Learnt from ticks that were seen, never assumed: cards differ (20 to 100 ms), and a vendor's word is an upper figure.
"""

from __future__ import annotations

import math
from collections import deque
from typing import NamedTuple

ENOUGH = 12
"""Intervals between neighbouring ticks after which a period counts as learnt: its mean is then known to a third of
the spread of a single interval (1 / sqrt 12), and the spread itself to about a fifth (1 / sqrt(2 * 11))."""

_KEPT = 64
"""Intervals from which the spread is worked out; older ones make way, so that a card may change its pace."""

_SIGMAS = 3.0
"""A tick is expected within three standard deviations of its time."""

_PHASE_LOST = 0.25
"""Share of a period by which the next tick may be off before there is no telling which tick it is."""


class Tick(NamedTuple):
    """An update of a counter: it happened within ``half_ns`` of ``t_ns``."""

    t_ns: float
    half_ns: float

    @property
    def latest_ns(self) -> float:
        """By then it had happened."""
        return self.t_ns + self.half_ns


class Due(NamedTuple):
    """When the next tick is expected, and how far it may be off (three standard deviations)."""

    t_ns: float
    reach_ns: float


class Period:
    """What the ticks seen so far tell of a counter's rhythm; all times in nanoseconds on the monotonic clock."""

    def __init__(self) -> None:
        self.mean_ns: float | None = None
        self._mean_unsure_ns = math.inf
        self._intervals: deque[tuple[float, float]] = deque(maxlen=_KEPT)
        self._anchor: Tick | None = None
        self._last: Tick | None = None
        self._count = 0

    @property
    def learnt(self) -> bool:
        """Whether enough intervals were seen for the mean and the spread to be relied on."""
        return len(self._intervals) >= ENOUGH

    @property
    def spread_ns(self) -> float:
        """Standard deviation of one interval: that of those seen, less what the uncertain ticks themselves add.

        A tenth of the mean until a few were seen.
        """
        if self.mean_ns is None:
            return math.inf
        if len(self._intervals) < 4:
            return self.mean_ns / 10
        mean_ns = math.fsum(length for length, _ in self._intervals) / len(self._intervals)
        seen = math.fsum((length - mean_ns) ** 2 for length, _ in self._intervals) / (len(self._intervals) - 1)
        ours = math.fsum(variance for _, variance in self._intervals) / len(self._intervals)
        return math.sqrt(max(0.0, seen - ours))

    def add(self, tick: Tick, *, follows: bool) -> None:
        """Take in a tick; ``follows`` says that it is certain to be the next one after the last that was taken in."""
        last, self._last = self._last, tick
        if last is None or self._anchor is None:
            self._anchor, self._count = tick, 0
            return
        elapsed_ns = tick.t_ns - last.t_ns
        if follows:
            # The variance of a time known to lie within +/- half is a third of its square.
            self._intervals.append((elapsed_ns, (last.half_ns**2 + tick.half_ns**2) / 3))
            self._count += 1
        else:
            periods = self._periods(elapsed_ns, last.half_ns + tick.half_ns)
            if periods is None:
                self._anchor, self._count = tick, 0
                return
            self._count += periods
        self._learn(tick)

    def due(self, after_ns: float) -> Due | None:
        """The first tick expected later than ``after_ns``; None where that cannot be told."""
        if self._last is None or self.mean_ns is None or not self.learnt:
            return None
        ahead = max(1, math.floor((after_ns - self._last.t_ns) / self.mean_ns) + 1)
        reach_ns = self._last.half_ns + self._drift_ns(ahead)
        if reach_ns > _PHASE_LOST * self.mean_ns:
            return None
        return Due(self._last.t_ns + ahead * self.mean_ns, reach_ns)

    def between(self, first_ns: float, last_ns: float) -> int | None:
        """How many ticks are expected from ``first_ns`` to ``last_ns``; None where that cannot be told."""
        due = self.due(first_ns)
        if due is None or self.mean_ns is None:
            return None
        return max(0, math.floor((last_ns - due.t_ns) / self.mean_ns) + 1)

    def _periods(self, elapsed_ns: float, half_ns: float) -> int | None:
        """How many periods ``elapsed_ns`` is; None where it may be one more or less."""
        if self.mean_ns is None or not self.learnt:
            return None
        periods = round(elapsed_ns / self.mean_ns)
        unsure_ns = half_ns + self._drift_ns(periods)
        return periods if periods > 0 and unsure_ns < _PHASE_LOST * self.mean_ns else None

    def _drift_ns(self, periods: int) -> float:
        """How far a tick may be off after so many periods: each interval errs anew, and the mean errs the same way."""
        return _SIGMAS * math.hypot(self.spread_ns * math.sqrt(periods), periods * self._mean_unsure_ns)

    def _learn(self, tick: Tick) -> None:
        """The mean over all ticks since the anchor: the further away that lies, the less a tick's own error matters."""
        assert self._anchor is not None  # add() has set it
        if self._count == 0:
            return
        unsure_ns = math.sqrt((self._anchor.half_ns**2 + tick.half_ns**2) / 3)
        self.mean_ns = (
            (tick.t_ns - self._anchor.t_ns) / self._count
            if self.mean_ns is None or not self.learnt or unsure_ns / self._count <= 2 * self._mean_unsure_ns
            else self.mean_ns
        )
        drawn_ns = math.hypot(unsure_ns, self.spread_ns * math.sqrt(self._count)) / self._count
        self._mean_unsure_ns = min(self._mean_unsure_ns, drawn_ns)
