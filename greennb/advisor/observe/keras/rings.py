"""Times of steps, the latest of them, in a few kilobytes however many there are."""

from __future__ import annotations

import statistics
from array import array
from time import perf_counter, thread_time

KEPT = 1024
"""Times kept of each kind: the latest. A median of more would be no better."""

FEWEST = 10
"""Below this a median says nothing."""


class Ring:
    """The latest :data:`KEPT` numbers of a stream, and how many there were."""

    __slots__ = ("_values", "count")

    def __init__(self) -> None:
        self._values = array("d")
        self.count = 0

    def add(self, value: float) -> None:
        """One more; the oldest goes."""
        if self.count < KEPT:
            self._values.append(value)
        else:
            self._values[self.count % KEPT] = value
        self.count += 1

    def latest_mean(self, count: int) -> float:
        """Mean of the latest ``count`` of what is kept; 0.0 for none."""
        count = min(count, len(self._values))
        if count == 0:
            return 0.0
        end = self.count % KEPT if self.count > KEPT else len(self._values)
        return sum(self._values[at - 1] for at in range(end, end - count, -1)) / count

    def median(self) -> float:
        """Of what is kept, 0.0 from fewer than :data:`FEWEST`."""
        return statistics.median(self._values) if self.count >= FEWEST else 0.0


class Steps:
    """Begins and ends of one call's steps. A call of :meth:`begin` or :meth:`end` takes about half a microsecond.

    Attributes:
        count: steps that have ended. ``first_s`` of the first, ``total_s`` of all.
        in_row: intervals since the last pause.
    """

    __slots__ = (
        "_begun",
        "_begun_cpu",
        "_ended",
        "count",
        "first_s",
        "gaps",
        "host",
        "in_row",
        "intervals",
        "steps",
        "total_s",
    )

    def __init__(self) -> None:
        self.steps, self.gaps, self.intervals, self.host = Ring(), Ring(), Ring(), Ring()
        self._begun = self._begun_cpu = self._ended = 0.0
        self.count = self.in_row = 0
        self.first_s = self.total_s = 0.0

    def begin(self) -> None:
        """A step begins."""
        cpu, now = thread_time(), perf_counter()
        if self._ended:
            self.in_row += 1
            self.gaps.add(now - self._ended)
            self.intervals.add(now - self._begun)
            self.host.add(cpu - self._begun_cpu)
        self._begun, self._begun_cpu = now, cpu

    def end(self) -> None:
        """It has ended."""
        now = perf_counter()
        took = now - self._begun
        self.total_s += took
        if self.count:
            self.steps.add(took)
        else:
            self.first_s = took
        self.count += 1
        # The first step compiles: an interval that begins with it says nothing of the others.
        self._ended = now if self.count > 1 else 0.0

    def pause(self) -> None:
        """What comes before the next step is none of the steps' time: an epoch's end, with its evaluation."""
        self._ended, self.in_row = 0.0, 0
