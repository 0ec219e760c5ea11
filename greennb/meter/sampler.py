"""The sampler: one daemon thread a process, there only while something needs readings between a window's edges.

Who needs readings says how often (:class:`Watcher`); the fastest sets the pace. A counter that wraps
needs one reading in minutes, a device without a counter ten a second. When nobody needs any, the thread ends after
``LINGER_S``, so that a burst of short windows does not start a thread for each.
"""

from __future__ import annotations

import _thread
import threading
import time
from collections.abc import Callable
from typing import Protocol

from greennb.meter.trail import Look

LINGER_S = 1.0
"""How long the thread outlives the last watcher; also the longest time for which it sleeps."""


class Watcher(Protocol):
    """Who wants a look every ``period_s``, and takes it."""

    @property
    def period_s(self) -> float:
        """Seconds between two looks, at most."""
        ...

    def take(self, look: Look) -> None:
        """Take a look in, on the sampler's thread; must be quick, and must not raise."""
        ...


class Sampler:
    """Takes looks at the pace that is wanted and hands them round."""

    def __init__(self, look: Callable[[], Look]) -> None:
        self._look = look
        self.after_fork()

    def after_fork(self) -> None:
        """Start afresh: a forked child has no thread of its parent's."""
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._watchers: list[Watcher] = []
        self._alive = False
        self.cost_ns = 0

    @property
    def alive(self) -> bool:
        """Whether the thread is there."""
        return self._alive

    def watch(self, watcher: Watcher) -> None:
        """Give looks to ``watcher`` until it is released."""
        with self._lock:
            # The thread looks round every half LINGER_S anyway; to wake it sooner costs a window as much as its reads.
            urgent = watcher.period_s < LINGER_S / 2 and watcher.period_s < self._period_s()
            self._watchers.append(watcher)
            if not self._alive:
                self._alive = True
                # threading.Thread waits until the new thread has begun, which costs a window several times its reads.
                _thread.start_new_thread(self._run, (self._lock,))
            elif urgent:
                self._wake.set()

    def release(self, watcher: Watcher) -> None:
        """Give no more looks to ``watcher``; once this returns, none is under way."""
        with self._lock:
            if watcher in self._watchers:
                self._watchers.remove(watcher)

    def _run(self, generation: threading.Lock) -> None:
        last_s = time.monotonic()
        wanted_s = last_s
        while generation is self._lock:  # else this is a forked child, which has no such thread
            now_s = time.monotonic()
            with self._lock:
                if self._watchers:
                    wanted_s = now_s
                elif now_s - wanted_s >= LINGER_S:
                    self._alive = False
                    return
                due_s = last_s + self._period_s()
            if self._watchers and now_s >= due_s:
                self._tick()
                # Not the time that was due: after a long sleep of the machine there is nothing to catch up with.
                last_s = now_s
                continue
            self._wake.wait(min(due_s - now_s, LINGER_S / 2))
            self._wake.clear()

    def _period_s(self) -> float:
        return min((watcher.period_s for watcher in self._watchers), default=float("inf"))

    def _tick(self) -> None:
        began_ns = time.thread_time_ns()
        look = self._look()
        with self._lock:
            for watcher in self._watchers:
                watcher.take(look)
            self.cost_ns += time.thread_time_ns() - began_ns
