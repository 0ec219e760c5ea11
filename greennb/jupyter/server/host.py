"""The power of the server's own machine, for whoever looks on: one sampler, however many tabs, and none without them.

Nothing of it is made before somebody asks: a server that nobody watches pays nothing. It never runs on the server's
event loop: looks are the sampler's, messages are made on a thread of their own.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from greennb.jupyter import facts
from greennb.jupyter.post import Post
from greennb.meter.gauges import Panel
from greennb.meter.live import Live
from greennb.model import messages
from greennb.model.total import Total
from greennb.runtime import Runtime
from greennb.settings import Settings
from greennb.sources.machine import MachineGauge

MOST_LOOKERS = 64
"""Sockets that are served at once: a page has one."""

Tell = Callable[[dict[str, Any]], None]
"""Takes a message for one page; from any thread, quick, and it must not raise."""


class FullError(Exception):
    """Too many pages look on already."""


@dataclass(slots=True, eq=False)
class Looker:
    """One page that looks on, and how many samples a second it wants."""

    tell: Tell
    hz: float = 0.0


class Host:
    """What pages are told of the server's machine.

    Args:
        make: makes the runtime, when somebody first looks on.
    """

    def __init__(self, make: Callable[[], Runtime] | None = None) -> None:
        self._make = make or _runtime
        self._lock = threading.RLock()
        self._runtime: Runtime | None = None
        self._live: Live | None = None
        self._panel: Panel | None = None
        self._lookers: list[Looker] = []
        self._post = Post(_lost)

    @property
    def runtime(self) -> Runtime:
        """Sources and meter; looking for them takes some 100 ms the first time."""
        with self._lock:
            if self._runtime is None:
                self._runtime = self._make()
            return self._runtime

    @property
    def watched(self) -> bool:
        """Whether somebody looks on: without, there is no thread."""
        return self._post.open

    def join(self, tell: Tell) -> Looker:
        """A page looks on.

        Raises:
            FullError: there are :data:`MOST_LOOKERS` already.
        """
        with self._lock:
            if len(self._lookers) >= MOST_LOOKERS:
                raise FullError
            looker = Looker(tell)
            self._lookers.append(looker)
            return looker

    def leave(self, looker: Looker) -> None:
        """It does no more."""
        with self._lock:
            if looker in self._lookers:
                self._lookers.remove(looker)
                looker.hz = 0.0
                self._pace()

    def watch(self, looker: Looker, hz: float) -> None:
        """It wants ``hz`` samples a second from now on."""
        with self._lock:
            if looker in self._lookers:
                looker.hz = hz
                self._pace()

    def hello(self, re: str | None) -> dict[str, Any]:
        """Which machine this is, and what can be measured on it. No cell runs in a server, and none is measured."""
        return facts.greeting(self.runtime, facts.settings_of(self.runtime, measure=False, advice=False), re)

    def history(self, span_s: float, re: str) -> dict[str, Any]:
        """The watts of the last ``span_s`` seconds, an hour at most, as far as they were watched."""
        since_s = time.monotonic() - min(span_s, facts.HISTORY_S)
        t_s, w = self._watching().history.since(since_s, facts.LARGEST_WATTS)
        return messages.history(cells=[], session=messages.session_total(Total.of([]), 0), t_s=t_s, w=w, re=re)

    def close(self) -> None:
        """The server ends."""
        with self._lock:
            lookers, self._lookers = self._lookers, []
            for looker in lookers:
                looker.hz = 0.0
            self._pace()
            if self._runtime is not None:
                self._runtime.meter.close_sources()

    def _watching(self) -> Live:
        with self._lock:
            if self._live is None:
                self._live = Live(self.runtime.meter, lambda: self._post.give(self._round))
            return self._live

    def _pace(self) -> None:
        """Sample as fast as the fastest wants; where nobody does, hold no thread and no file."""
        hz = max((looker.hz for looker in self._lookers), default=0.0)
        if hz > 0:
            self._post.start()
            self._watching().watch(hz)
            return
        if self._live is not None:
            self._live.watch(0)
        self._post.stop()
        panel, self._panel = self._panel, None
        if panel is not None:
            panel.close()

    def _round(self) -> None:
        """Looks have come in: send them as watts."""
        live = self._watching()
        rows = live.drain()
        with self._lock:
            watching = [looker for looker in self._lookers if looker.hz > 0]
            if rows and watching and self._panel is None:
                self._panel = Panel(live.meter, MachineGauge())
            panel = self._panel
        if not rows or not watching or panel is None:
            return
        last = rows[-1].powers
        said = messages.samples(
            t_s=[row.t_s for row in rows], w=[[row.powers[index].w for row in rows] for index in range(len(last))],
            low_w=[power.low_w for power in last], high_w=[power.high_w for power in last],
            gauges=[messages.gauge(domain, **gauge._asdict()) for domain, gauge in panel.look()], faults=live.faults,
        )  # fmt: skip
        for looker in watching:
            looker.tell(said)


def _runtime() -> Runtime:
    """A server has no cells: it keeps no ledger."""
    return Runtime(Settings.from_environment().changed(ledger="off"))


def _lost(error: Exception) -> None:
    logging.getLogger(__name__).warning("the host's power could not be told: %s", error, exc_info=error)
