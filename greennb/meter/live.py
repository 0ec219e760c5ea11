"""Watts for people who look on: each channel's power now, a minute's worth at most, and the last hour.

Where somebody watches, the sampler gives looks to :class:`Live` at the pace that was asked for. It only keeps them;
whoever shows them turns them into watts, on a thread of its own (:meth:`Live.drain`). Nobody watches, nothing runs.
"""

from __future__ import annotations

import math
import threading
from array import array
from collections import deque
from collections.abc import Callable, Sequence
from typing import NamedTuple

from greennb.meter.integrate import span
from greennb.meter.meter import Meter
from greennb.meter.trail import Look
from greennb.model.reading import Fault, Method
from greennb.model.units import mw_to_w, ns_to_s, s_to_ns, uj_ns_to_w
from greennb.sources.base import Channel, Sample

NOISE_REFRESHES = 10
"""A counter's slope is taken over so many of its refreshes: either end is up to one of them old, so that the slope of a
steady load is off by a tenth at most, and by 4 % as a standard deviation (triangular, 0.41 / 10)."""

BATCH_S = 0.5
"""How often looks are handed over: a page that draws ten points twice a second looks no different from one that draws
one point ten times, and each message wakes three threads."""

LONGEST_BATCH_S = 1.0
"""At two looks a second and fewer they are handed over in pairs, but never later than this: at 2 Hz with 8 GPUs that
saves a fifth of the cost (0.23 % of a core instead of 0.29 %)."""

HISTORY_S = 3600.0
HISTORY_VALUES = 120_000
"""Values kept of the last hour, four bytes each: one a second of 33 channels, one every two seconds of 64."""

_EARLY = 0.9
"""A look that comes so much of the period after the last is taken: the sampler's thread wakes a little off the time."""

_MOST_WAITING = 256
"""Looks that wait for a thread that does not come (a machine asleep); the oldest make way."""


class Power(NamedTuple):
    """Watts of one channel, None where there is no number, with their 95 % bounds where a model made them."""

    w: float | None = None
    low_w: float | None = None
    high_w: float | None = None


class Row(NamedTuple):
    """The power of every channel at one time (seconds of the monotonic clock)."""

    t_s: float
    powers: Sequence[Power]


class Live:
    """Power of a meter's channels while it is watched.

    ``ready`` is called on the sampler's thread once looks are to be drained; it must be quick.
    """

    def __init__(self, meter: Meter, ready: Callable[[], None]) -> None:
        self.meter = meter
        self._ready = ready
        self._waiting: deque[Look] = deque(maxlen=_MOST_WAITING)
        self._taken_ns = self._told_ns = 0
        self.period_s = math.inf
        self._lock = threading.Lock()
        self._curves = [Curve(channel) for channel in meter.channels]
        self._last_s: float | None = None
        self._paused = False
        self.latest: Sequence[Power] = ()
        self.joules: list[float] = [0.0] * len(meter.channels)
        self.history = History(len(meter.channels))

    def watch(self, hz: float) -> None:
        """Take ``hz`` looks a second from now on; 0 takes none, and no thread is needed."""
        with self._lock:
            watched, period_s = self.period_s < math.inf, 1 / hz if hz > 0 else math.inf
            if period_s == self.period_s:
                return
            if watched:
                self.meter.sampler.release(self)
            self.period_s = period_s
            if hz > 0:
                self.meter.sampler.watch(self)
        if hz <= 0:
            self._paused = True

    def take(self, look: Look) -> None:
        """Keep a look of the sampler's, where it is time for one: it may look more often, for somebody else."""
        now_ns = look.times_ns[-1] if look.times_ns else self.meter.clock.monotonic_ns()
        if now_ns - self._taken_ns < _EARLY * s_to_ns(self.period_s):
            return
        self._taken_ns = now_ns
        self._waiting.append(look)
        if now_ns - self._told_ns >= _EARLY * s_to_ns(min(LONGEST_BATCH_S, max(BATCH_S, 2 * self.period_s))):
            self._told_ns = now_ns
            self._ready()

    def drain(self) -> list[Row]:
        """The power at each look since the last call, oldest first. For one thread.

        Looks that say nothing yet, while a counter's first slope is being made, give no row.
        """
        if self._paused:
            self._paused = False
            self._forget()
        rows = []
        while self._waiting:
            row = self._row(self._waiting.popleft())
            if not row.powers or self.faults or any(power.w is not None for power in row.powers):
                rows.append(row)
        return rows

    @property
    def faults(self) -> list[Fault]:
        """Why the latest number of a channel is missing, each where it is."""
        return [curve.fault for curve in self._curves if curve.fault is not None]

    def _row(self, look: Look) -> Row:
        t_s = ns_to_s(look.times_ns[-1] if look.times_ns else self.meter.clock.monotonic_ns())
        powers = [
            curve.power(look.times_ns[index], look.samples[index], self._refresh_ns(index))
            for index, curve in enumerate(self._curves)
        ]
        self._count(t_s, powers)
        self.latest = powers
        self.history.add(t_s, [power.w for power in powers])
        return Row(t_s, powers)

    def _refresh_ns(self, index: int) -> float:
        """How often the counter moves: as it was learnt where its ticks are watched, else as its vendor says."""
        track = self.meter.ticker.tracks.get(index)
        if track is not None and track.period.learnt and track.period.mean_ns is not None:
            return track.period.mean_ns
        return self.meter.channels[index].refresh_ns

    def _count(self, t_s: float, powers: Sequence[Power]) -> None:
        """Add to the joules that were seen; of what was not watched nothing is known."""
        last_s, self._last_s = self._last_s, t_s
        if last_s is None:
            return
        for index, power in enumerate(powers):
            if power.w is not None:
                self.joules[index] += power.w * (t_s - last_s)

    def _forget(self) -> None:
        """What comes after a pause has nothing to do with what was before."""
        self._last_s = None
        for curve in self._curves:
            curve.forget()


class Curve:
    """One channel's samples of late, and the slope that they make."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._samples: deque[tuple[int, Sample]] = deque()
        self.fault: Fault | None = None

    def forget(self) -> None:
        """Begin anew with the next sample."""
        self._samples.clear()
        self.fault = None

    def power(self, t_ns: int, sample: Sample, refresh_ns: float) -> Power:
        """The power at ``t_ns``; no number where the sample is a fault or too few came since the last one."""
        if isinstance(sample, Fault):
            self._samples.clear()
            self.fault = sample
            return Power()
        if self._channel.method is Method.INTEGRATED and isinstance(sample, int):
            self.fault = None
            return Power(mw_to_w(sample))
        first = self._first(t_ns, NOISE_REFRESHES * refresh_ns)
        self._samples.append((t_ns, sample))
        return Power() if first is None else self._slope(first, t_ns, sample)

    def _first(self, t_ns: int, span_ns: float) -> tuple[int, Sample] | None:
        """The latest sample that is ``span_ns`` old; none older is kept."""
        while len(self._samples) > 1 and t_ns - self._samples[1][0] >= span_ns:
            self._samples.popleft()
        if not self._samples or t_ns - self._samples[0][0] < max(1.0, span_ns):
            return None
        return self._samples[0]

    def _slope(self, first: tuple[int, Sample], t_ns: int, sample: Sample) -> Power:
        piece = span(self._channel, first[0], first[1], t_ns, sample)
        self.fault = piece.fault
        if piece.fault is not None:
            # What was before a reset says nothing of what comes; one that stands still is given a fresh start too.
            self._samples.clear()
            self._samples.append((t_ns, sample))
            return Power()
        watts = uj_ns_to_w(piece.uj, piece.covered_ns)
        if self._channel.method is not Method.ESTIMATED:
            return Power(watts)
        return Power(watts, uj_ns_to_w(piece.low_uj, piece.covered_ns), uj_ns_to_w(piece.high_uj, piece.covered_ns))


class History:
    """The last hour of every channel, as means over a second or more; memory that does not grow."""

    def __init__(self, channels: int) -> None:
        self._rows = int(min(HISTORY_S, HISTORY_VALUES // max(1, channels)))
        self._bin_s = HISTORY_S / self._rows
        self._lock = threading.Lock()
        self._times = array("d")
        self._values = [array("f") for _ in range(channels)]
        self._next = 0
        self._began_s: float | None = None
        self._sums = [0.0] * channels
        self._counts = [0] * channels

    def add(self, t_s: float, watts: Sequence[float | None]) -> None:
        """Take in the power at ``t_s``."""
        if self._began_s is None or not 0 <= t_s - self._began_s < self._bin_s:
            self._finish()
            self._began_s = t_s
        for index, value in enumerate(watts):
            if value is not None:
                self._sums[index] += value
                self._counts[index] += 1

    def since(self, t_s: float, most_values: int) -> tuple[list[float], list[list[float | None]]]:
        """Times from ``t_s`` on, ascending, and each channel's watts then: every n-th, so that they are no more values
        in all than ``most_values``.
        """
        with self._lock:
            order = [*range(self._next, len(self._times)), *range(self._next)]
            kept = [place for place in order if self._times[place] >= t_s]
            step = max(1, math.ceil(len(kept) / max(1, most_values // max(1, len(self._values)))))
            kept = kept[::-step][::-1]
            times = [self._times[place] for place in kept]
            return times, [[_or_none(values[place]) for place in kept] for values in self._values]

    def _finish(self) -> None:
        """Keep the bin that is full."""
        if self._began_s is None:
            return
        means = [total / count if count else math.nan for total, count in zip(self._sums, self._counts, strict=True)]
        with self._lock:
            full = len(self._times) == self._rows
            for kept, value in ((self._times, self._began_s), *zip(self._values, means, strict=True)):
                if full:
                    kept[self._next] = value
                else:
                    kept.append(value)
            if full:
                self._next = (self._next + 1) % self._rows
        self._sums = [0.0] * len(self._sums)
        self._counts = [0] * len(self._counts)


def _or_none(value: float) -> float | None:
    return None if math.isnan(value) else value
