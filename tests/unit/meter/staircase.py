"""A slow counter on fake time: its energy is known exactly, it shows the energy of its last tick."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence

from greennb.meter.meter import Meter, OpenWindow
from greennb.model.reading import DomainKind, Fault
from greennb.sources.base import Sample
from greennb.testing import FakeClock, fake_channel

Energy = Callable[[float], float]
"""Joules drawn from the clock's zero to a time in seconds."""


def constant(watts: float) -> Energy:
    """The same power always."""
    return lambda t_s: watts * t_s


def square(low_w: float, high_w: float, period_s: float) -> Energy:
    """Low for half a period, then high."""

    def energy_j(t_s: float) -> float:
        whole, rest_s = divmod(t_s, period_s)
        half_s = period_s / 2
        done_j = whole * half_s * (low_w + high_w)
        return done_j + low_w * min(rest_s, half_s) + high_w * max(0.0, rest_s - half_s)

    return energy_j


def ramp(first_w: float, last_w: float, seconds: float) -> Energy:
    """From the first to the last power in so many seconds, and again."""

    def energy_j(t_s: float) -> float:
        whole, rest_s = divmod(t_s, seconds)
        slope = (last_w - first_w) / seconds
        return whole * seconds * (first_w + last_w) / 2 + first_w * rest_s + slope * rest_s**2 / 2

    return energy_j


class Staircase:
    """A source of one counter that ticks every ``refresh_s``, each tick up to ``jitter`` of a refresh late."""

    name = "staircase"

    def __init__(self, energy_j: Energy, clock: FakeClock, refresh_s: float = 0.02, jitter: float = 0.0) -> None:
        self.channels = (
            fake_channel(kind=DomainKind.GPU, refresh_ns=100_000_000, resolution_uj=1000, max_power_w=700),
        )  # fmt: skip
        self.energy_j = energy_j
        self.refresh_s = refresh_s
        self.jitter = jitter
        self.fault: Fault | None = None
        self.frozen_s = math.inf
        self.reads = 0
        self._clock = clock

    def sample(self) -> Sequence[Sample]:
        """What the counter shows now."""
        self.reads += 1
        if self.fault is not None:
            return (self.fault,)
        t_s = min(self._clock.monotonic_ns() / 1e9, self.frozen_s)
        number = math.floor(t_s / self.refresh_s)
        while self._tick_s(number) > t_s:
            number -= 1
        return (int(self.energy_j(self._tick_s(number)) * 1e3) * 1000,)

    def _tick_s(self, number: int) -> float:
        return (number + self.jitter * random.Random(number).random()) * self.refresh_s

    def after_fork(self) -> None:
        """Nothing is shared."""

    def close(self) -> None:
        """Nothing is open."""


class Bench:
    """A meter on a staircase; :meth:`sleep` lets its ticker read when it wants to, ``late_s`` late at most."""

    def __init__(self, source: Staircase, clock: FakeClock, seed: int = 1, late_s: float = 1e-4) -> None:
        self.source = source
        self.clock = clock
        self.meter = Meter([source], clock=clock)
        self.random = random.Random(seed)
        self._late_s = late_s

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        end_ns = self.clock.monotonic_ns() + round(seconds * 1e9)
        while True:
            due_ns = self.meter.ticker.next_ns()
            now_ns = self.clock.monotonic_ns()
            wanted_ns = end_ns if due_ns is None else due_ns + round(self.random.random() * self._late_s * 1e9)
            if wanted_ns >= end_ns:
                self.clock.sleep((end_ns - now_ns) / 1e9)
                return
            self.clock.sleep(max(0, wanted_ns - now_ns) / 1e9)
            self.meter.ticker.poll()

    def window(self, seconds: float) -> tuple[OpenWindow, float]:
        """A window of so many seconds, its last tick waited for, and the joules that were really drawn in it."""
        window = self.meter.open()
        first_j = self.source.energy_j(self.clock.monotonic_ns() / 1e9)
        self.sleep(seconds)
        window.close()
        truth_j = self.source.energy_j(self.clock.monotonic_ns() / 1e9) - first_j
        self.sleep(self.meter.ticker.longest_wait_ns() / 1e9)
        return window, truth_j
