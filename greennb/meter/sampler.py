"""The sampler: one daemon thread a process, there only while something needs readings between a window's edges.

Who needs readings says how often (:meth:`Sampler.demand`); the fastest demand sets the pace. A counter that wraps
needs one reading in minutes, a device without a counter ten a second. When nobody needs any, the thread ends after
``LINGER_S``, so that a burst of short windows does not start a thread for each.
"""

from __future__ import annotations

import _thread
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from greennb.meter.trail import Look

LINGER_S = 1.0
"""How long the thread outlives the last demand; also the longest time for which it sleeps."""


@dataclass(slots=True, eq=False)
class Demand:
    """A look wanted every ``period_s``, given to ``take``."""

    period_s: float
    take: Callable[[Look], None]


class Sampler:
    """Takes looks at the pace that is demanded and hands them round."""

    def __init__(self, look: Callable[[], Look]) -> None:
        self._look = look
        self.after_fork()

    def after_fork(self) -> None:
        """Start afresh: a forked child has no thread of its parent's."""
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._demands: list[Demand] = []
        self._alive = False
        self.cost_ns = 0

    @property
    def alive(self) -> bool:
        """Whether the thread is there."""
        return self._alive

    def demand(self, demand: Demand) -> None:
        """Take looks for ``demand`` until it is released."""
        with self._lock:
            faster = demand.period_s < self._period_s()
            self._demands.append(demand)
            if not self._alive:
                self._alive = True
                # threading.Thread waits until the new thread has begun, which costs a window several times its reads.
                _thread.start_new_thread(self._run, (self._lock,))
            elif faster:
                self._wake.set()

    def release(self, demand: Demand) -> None:
        """Take a demand back; its ``take`` is not called any more once this returns."""
        with self._lock:
            if demand in self._demands:
                self._demands.remove(demand)

    def _run(self, generation: threading.Lock) -> None:
        last_s = time.monotonic()
        wanted_s = last_s
        while generation is self._lock:  # else this is a forked child, which has no such thread
            now_s = time.monotonic()
            with self._lock:
                if self._demands:
                    wanted_s = now_s
                elif now_s - wanted_s >= LINGER_S:
                    self._alive = False
                    return
                due_s = last_s + self._period_s()
            if self._demands and now_s >= due_s:
                self._tick()
                # Not the time that was due: after a long sleep of the machine there is nothing to catch up with.
                last_s = now_s
                continue
            self._wake.wait(min(due_s - now_s, LINGER_S / 2))
            self._wake.clear()

    def _period_s(self) -> float:
        return min((demand.period_s for demand in self._demands), default=float("inf"))

    def _tick(self) -> None:
        began_ns = time.thread_time_ns()
        look = self._look()
        with self._lock:
            for demand in self._demands:
                demand.take(look)
            self.cost_ns += time.thread_time_ns() - began_ns
