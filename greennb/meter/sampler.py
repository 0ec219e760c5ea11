"""The sampler: one daemon thread a process, there only while something needs readings between a window's edges.

Who needs readings says how often (:class:`Watcher`); the fastest sets the pace. A counter that wraps
needs one reading in minutes, a device without a counter ten a second. Beside them the :class:`Poller` says from read
to read when the next one is due: it looks for the ticks of slow counters. When nobody needs any, the thread ends after
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
"""How long the thread outlives the last watcher."""

NAP_S = 0.25
"""The longest time for which the thread sleeps: who needs a look no sooner than that need not wake it."""


class Watcher(Protocol):
    """Who wants a look every ``period_s``, and takes it."""

    @property
    def period_s(self) -> float:
        """Seconds between two looks, at most."""
        ...

    def take(self, look: Look) -> None:
        """Take a look in, on the sampler's thread; must be quick, and must not raise."""
        ...


class Poller(Protocol):
    """Reads by itself, when it says."""

    def next_ns(self) -> int | None:
        """The monotonic time of its next read; None where it needs none."""
        ...

    def poll(self) -> None:
        """Read what is due, on the sampler's thread; must be quick, and must not raise."""
        ...


class Sampler:
    """Takes looks at the pace that is wanted and hands them round; lets ``poller`` read when it is due."""

    def __init__(self, look: Callable[[], Look], poller: Poller | None = None) -> None:
        self._look = look
        self._poller = poller
        self.after_fork()

    def after_fork(self) -> None:
        """Start afresh: a forked child has no thread of its parent's."""
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._watchers: list[Watcher] = []
        self._alive = False
        self._sleeps_until_s = 0.0
        self.cost_ns = 0

    @property
    def alive(self) -> bool:
        """Whether the thread is there."""
        return self._alive

    def watch(self, watcher: Watcher) -> None:
        """Give looks to ``watcher`` until it is released."""
        with self._lock:
            # The thread looks round every NAP_S anyway; to wake it sooner costs a window as much as its reads.
            urgent = watcher.period_s < NAP_S and watcher.period_s < self._period_s()
            self._watchers.append(watcher)
            if not self._begun() and urgent:
                self._wake.set()

    def nudge(self, within_s: float) -> None:
        """The poller has something to read ``within_s`` seconds: see to it that the thread is up by then."""
        if self._alive and self._sleeps_until_s - time.monotonic() <= within_s:
            return
        with self._lock:
            if not self._begun():
                self._wake.set()

    def _begun(self) -> bool:
        """Start the thread; False where it is there already."""
        if self._alive:
            return False
        self._alive = True
        # threading.Thread waits until the new thread has begun, which costs a window several times its reads.
        _thread.start_new_thread(self._run, (self._lock,))
        return True

    def release(self, watcher: Watcher) -> None:
        """Give no more looks to ``watcher``; once this returns, none is under way."""
        with self._lock:
            if watcher in self._watchers:
                self._watchers.remove(watcher)

    def _run(self, generation: threading.Lock) -> None:
        last_s = time.monotonic()
        wanted_s = last_s
        while generation is self._lock:  # else this is a forked child, which has no such thread
            self._sleeps_until_s = float("inf")  # whoever nudges from now on is heard
            poll_s = self._polled()
            now_s = time.monotonic()
            with self._lock:
                if self._watchers or poll_s is not None:
                    wanted_s = now_s
                elif now_s - wanted_s >= LINGER_S:
                    self._alive = False
                    # In this order: who nudges sees that the thread is gone, or the thread sees what there is to do.
                    if self._poller is None or self._poller.next_ns() is None:
                        return
                    self._alive = True
                due_s = last_s + self._period_s()
            if self._watchers and now_s >= due_s:
                self._tick()
                # Not the time that was due: after a long sleep of the machine there is nothing to catch up with.
                last_s = now_s
                continue
            wait_s = min(due_s - now_s, NAP_S, NAP_S if poll_s is None else poll_s)
            self._sleeps_until_s = now_s + wait_s
            self._wake.wait(wait_s)
            self._wake.clear()

    def _polled(self) -> float | None:
        """Let the poller read what is due; seconds until it wants to read again, None where it does not."""
        if self._poller is None:
            return None
        due_ns = self._poller.next_ns()
        if due_ns is None:
            return None
        if due_ns <= time.monotonic_ns():
            began_ns = time.thread_time_ns()
            self._poller.poll()
            with self._lock:
                self.cost_ns += time.thread_time_ns() - began_ns
            due_ns = self._poller.next_ns()
        return None if due_ns is None else max(0.0, (due_ns - time.monotonic_ns()) / 1e9)

    def _period_s(self) -> float:
        return min((watcher.period_s for watcher in self._watchers), default=float("inf"))

    def _tick(self) -> None:
        began_ns = time.thread_time_ns()
        look = self._look()
        with self._lock:
            for watcher in self._watchers:
                watcher.take(look)
            self.cost_ns += time.thread_time_ns() - began_ns
