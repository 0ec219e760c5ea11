"""The passive baseline: what the machine drew between two windows, where nothing ran meanwhile.

It costs no thread and no reading of its own: the look that closed one window and the look that opens the next are there
anyway, and so are the marks of CPU time beside them. Only a gap that is long and quiet is kept; what it says is worked
out when somebody asks.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from greennb.meter.idle import IdlePower
from greennb.meter.integrate import span
from greennb.meter.trail import Look
from greennb.meter.uncertainty import interval_uj
from greennb.meter.work import Mark
from greennb.model.idle import FRESH, IdleBasis, IdleOrigin
from greennb.model.measurement import standard_uncertainty
from greennb.model.reading import Fault, Method
from greennb.model.units import mw_to_w, ns_to_s, s_to_ns, uj_ns_to_w
from greennb.sources.base import Channel

SHORTEST_NS = s_to_ns(2.0)
"""A gap shorter than this is not looked at: twenty refreshes of a slow counter, and twice NVML's averaging second."""

OWN_QUIET = 0.02
"""This process may have used so much of one CPU: a kernel that answers heartbeats stays well below."""

MACHINE_QUIET = 0.05
"""The machine may have used so much of its CPU time: desktops at rest use a few percent."""

MACHINE_QUIET_CPUS = 0.5
"""And never more than so many CPUs: on a machine with hundreds, five percent would be other people's work."""

KEPT = 16
"""Gaps remembered of each channel."""

_AVERAGED_S = 1.0
"""What power a sensor tells may be the mean of the last second (NVML API reference, nvmlDeviceGetPowerUsage)."""


class Gap(NamedTuple):
    """Two looks with nothing between them, when the second was taken (UTC), and how busy the machine was (0 to 1).

    ``working`` are the channels, by position, whose device says that it is at work.
    """

    first: Look
    last: Look
    ended_at: datetime
    busy: float
    working: frozenset[int] = frozenset()


def quiet(before: Mark, after: Mark, cpus: int) -> float | None:
    """How busy the machine was (0 to 1) between two marks, where that counts as nothing running; else None."""
    elapsed_ns = after.t_ns - before.t_ns
    if elapsed_ns <= 0 or before.busy_ns is None or after.busy_ns is None:
        return None
    own = (after.own_ns - before.own_ns) / elapsed_ns
    busy = max(0.0, (after.busy_ns - before.busy_ns) / elapsed_ns)
    if not 0 <= own <= OWN_QUIET or busy > min(MACHINE_QUIET * cpus, MACHINE_QUIET_CPUS):
        return None
    return busy / cpus


class PassiveBaseline:
    """What the gaps that it was given say of each channel."""

    def __init__(self, channels: Sequence[Channel]) -> None:
        self._channels = channels
        self._lock = threading.Lock()
        self._waiting: deque[Gap] = deque(maxlen=KEPT)
        self._seen: dict[int, deque[IdlePower]] = {}

    def after_fork(self) -> None:
        """Take an own lock: another thread may have held the parent's."""
        self._lock = threading.Lock()

    def give(self, gap: Gap) -> None:
        """Take a quiet gap in; what it says is worked out later."""
        self._waiting.append(gap)

    def power(self, index: int) -> IdlePower | None:
        """Idle power of the channel at ``index``; None where no gap told it.

        The lower quartile of the last hour's gaps: work that no CPU time shows (a GPU of somebody else's) only ever
        makes a gap cost more. How far it lies from their median goes into the uncertainty.
        """
        with self._lock:
            while self._waiting:
                self._digest(self._waiting.popleft())
            seen = list(self._seen.get(index, ()))
        if not seen:
            return None
        newest = max(_when(power) for power in seen)
        recent = sorted((power for power in seen if newest - _when(power) <= FRESH), key=lambda power: power.w)
        found, median = recent[(len(recent) - 1) // 4], recent[(len(recent) - 1) // 2]
        return found._replace(u_w=(found.u_w**2 + (median.w - found.w) ** 2) ** 0.5)

    def _digest(self, gap: Gap) -> None:
        for index, channel in enumerate(self._channels):
            power = None if index in gap.working else _power(channel, index, gap)
            if power is not None:
                self._seen.setdefault(index, deque(maxlen=KEPT)).append(power)


def _power(channel: Channel, index: int, gap: Gap) -> IdlePower | None:
    """What ``gap`` says of one channel; None where it says nothing."""
    first, last = gap.first.samples[index], gap.last.samples[index]
    elapsed_ns = gap.last.times_ns[index] - gap.first.times_ns[index]
    if isinstance(first, Fault) or isinstance(last, Fault) or channel.method is Method.ESTIMATED:
        return None
    if channel.method is Method.INTEGRATED:
        # Nobody sampled in between. But the sensor's own average at the end lies inside the gap, which is longer.
        watts = mw_to_w(last) if isinstance(last, int) else 0.0
        half_w = channel.accuracy * watts
        return IdlePower(watts, standard_uncertainty(-half_w, half_w), _basis(gap, _AVERAGED_S))
    piece = span(channel, gap.first.times_ns[index], first, gap.last.times_ns[index], last)
    if piece.fault is not None or piece.covered_ns <= 0:
        return None
    bracket_ns = gap.first.brackets_ns[index] + gap.last.brackets_ns[index]
    found = [uj_ns_to_w(uj, elapsed_ns) for uj in interval_uj(channel, piece, elapsed_ns, bracket_ns)]
    return IdlePower(found[0], standard_uncertainty(found[1], found[2]), _basis(gap, ns_to_s(elapsed_ns)))


def _basis(gap: Gap, over_s: float) -> IdleBasis:
    return IdleBasis(origin=IdleOrigin.LEARNT, as_of=gap.ended_at, over_s=over_s, busy=gap.busy)


def _when(power: IdlePower) -> datetime:
    return power.basis.as_of or datetime.min.replace(tzinfo=UTC)
