"""What the kernel sends of its own accord on ``greennb.stream``: cells, watts, waste, findings, settings.

One thread does it, there only while a stream is open; the sampler runs for it only while a page asks for samples.
"""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from greennb.jupyter import facts
from greennb.jupyter.post import Post
from greennb.jupyter.waste import Waste
from greennb.meter.gauges import Panel
from greennb.meter.live import Live
from greennb.model import messages
from greennb.model.errors import BadInputError
from greennb.model.units import ns_to_s
from greennb.sources.machine import MachineGauge

if TYPE_CHECKING:
    from greennb.jupyter.bridge import Bridge
    from greennb.jupyter.cells import CellRun

MOST_STREAMS = 16
"""Streams kept: a page has one, and one that vanished never says so. Those longest without a ``watch`` are closed."""

EXPIRES_S = 180.0
"""A stream whose pace nobody renewed for so long gets no more samples: a page renews it once a minute. Only time in
which the kernel idles counts, since a page cannot always be heard while a cell runs."""

SLEPT_S = 5.0
"""Two rounds further apart than this have a sleep of the machine between them, in which no page was awake either."""

FAREWELL_S = 2.0
"""How long unloading waits for what is still to be sent."""


@dataclass(slots=True, eq=False)
class Stream:
    """One page's stream: samples a second that it wants, and the idle time at which it last said so."""

    comm: Any = field(repr=False)
    hz: float = 0.0
    renewed_s: float = 0.0


class Feed:
    """Sends to every open stream of ``bridge``. ``expires_s`` is :data:`EXPIRES_S`, for tests."""

    expires_s = EXPIRES_S

    def __init__(self, bridge: Bridge) -> None:
        self._bridge = bridge
        self._session = bridge.session
        self._streams: dict[str, Stream] = {}
        self._lock = threading.RLock()
        self._post = Post(self._lost)
        self._live = Live(self._session.runtime.meter, self._ready)
        self._panel: Panel | None = None
        self._idle_s = 0.0
        self.before = 0
        self._round_s: float | None = None
        self.waste = Waste(lambda: self._session.shell.user_ns)

    @property
    def open(self) -> bool:
        """Whether a page listens."""
        return self._post.open

    @property
    def live(self) -> Live:
        """The watts, now and of the last hour."""
        return self._live

    # Called by the kernel's threads: quick, and whatever is to be sent is handed over.

    def add(self, comm: Any) -> None:
        """A page has opened a stream."""
        stream = Stream(comm, renewed_s=self._idle_s)
        comm.on_close(lambda _message: self._remove(stream))
        with self._lock:
            self._streams[comm.comm_id] = stream
            stale = sorted(self._streams.values(), key=lambda each: each.renewed_s)[: len(self._streams) - MOST_STREAMS]
            if not self._post.open:
                self._post.start()
                # What was before, a page asks for; what ends from now on it is told of, however long this takes.
                self.before = self._bridge.tally.added
                self._post.give(self._bridge.tally.settle, self.before)
        for each in stale:
            if each is not stream:
                self._dismiss(each, "Too many pages have a stream open; this one was silent the longest.")
        self._post.give(self._greet, stream)

    def watch(self, comm_id: str, hz: float) -> None:
        """The page with this stream wants ``hz`` samples a second from now on.

        Raises:
            BadInputError: there is no such stream.
        """
        with self._lock:
            stream = self._streams.get(comm_id)
            if stream is None:
                raise BadInputError("This stream is not open in the kernel any more: open greennb.stream again.")
            woken = stream.hz == 0 and hz > 0
            stream.hz, stream.renewed_s = hz, self._idle_s
            self._pace()
        if woken:
            self._post.give(self._greet, stream)

    def began(self, run: CellRun) -> None:
        """A cell's window has been opened."""
        self._post.give(self._send_began, run)

    def ended(self) -> None:
        """A cell has been measured."""
        self._post.give(self._send_ended)

    def findings(self) -> None:
        """The advisor's findings have changed."""
        self._post.give(self._send_findings)

    def trial(self, said: dict[str, Any]) -> None:
        """A trial is so far, or has ended."""
        self._post.give(self._send, said)

    def advice_changed(self) -> None:
        """The advisor's findings may have changed."""
        self._post.give(self._send_advice)

    def settings_changed(self) -> None:
        """Settings have changed, perhaps the sources with them."""
        with self._lock:
            meter = self._session.runtime.meter
            other = meter is not self._live.meter
            if other:
                self._live.watch(0)
                self._live = Live(meter, self._ready)
                self._rest()
                self._pace()
        self._post.give(self._send_hello if other else self._send_settings)

    def close(self, reason: str) -> None:
        """Say ``reason`` on every stream, and stop."""
        self._live.watch(0)
        self._post.stop(FAREWELL_S)
        with self._lock:
            streams, self._streams = list(self._streams.values()), {}
            self._rest()
        for stream in streams:
            self._dismiss(stream, reason)

    # Called by the feed's own thread.

    def _greet(self, stream: Stream) -> None:
        """What a page that comes now would otherwise not know."""
        running = self._bridge.running
        if running is not None:
            self._send(_began(running), [stream])
        if self._bridge.ask_advisor():
            self._send_findings()
        elif self._bridge.found:
            self._send_findings([stream])
        if (tried := self._bridge.tried) is not None:
            self._send(tried, [stream])
        if self.waste.items:
            self._send(messages.waste(self.waste.items), [stream])

    def _send_began(self, run: CellRun) -> None:
        self._send(_began(run))
        if self.waste.over():
            self._send(messages.waste([]))

    def _send_ended(self) -> None:
        while (settled := self._bridge.tally.settled()) is not None:
            run, session = settled
            self._send(messages.ended(run.measurement, source=facts.source(run), session=session))

    def _send_advice(self) -> None:
        if self._bridge.ask_advisor():
            self._send_findings()

    def _send_findings(self, to: list[Stream] | None = None) -> None:
        self._send(messages.findings(self._bridge.found, can_try=self._session.can_try), to)

    def _send_settings(self) -> None:
        self._send(messages.settings(facts.in_force(self._session)))

    def _send_hello(self) -> None:
        self._send(facts.hello(self._session))

    def _round(self) -> None:
        """Looks have come in: send them as watts, and see to what goes by time."""
        self._grow_old()
        live = self._live
        rows = live.drain()
        watching = [stream for stream in self._all() if stream.hz > 0]
        if not watching:
            return
        if rows:
            last = rows[-1].powers
            said = messages.samples(
                t_s=[row.t_s for row in rows],
                w=[[row.powers[index].w for row in rows] for index in range(len(last))],
                low_w=[power.low_w for power in last],
                high_w=[power.high_w for power in last],
                gauges=self._look_at_gauges(),
                faults=live.faults,
            )
            self._send(said, watching)
        busy = self._session.busy
        panel = self._panel
        if panel is not None and self.waste.look(live, panel, idle_since_ns=None if busy else self._idle_since_ns()):
            self._send(messages.waste(self.waste.items))

    def _idle_since_ns(self) -> int:
        return self._bridge.idle_since_ns

    def _look_at_gauges(self) -> list[dict[str, Any]]:
        if self._panel is None:
            self._panel = Panel(self._live.meter, MachineGauge())
        return [messages.gauge(domain, **gauge._asdict()) for domain, gauge in self._panel.look()]

    def _grow_old(self) -> None:
        """Count idle time, and forget the pace of pages that have not been heard of for long."""
        now_s, last_s = time.monotonic(), self._round_s
        self._round_s = now_s
        if last_s is None or self._session.busy:
            return
        self._idle_s += now_s - last_s if now_s - last_s <= SLEPT_S else 0.0
        with self._lock:
            old = [s for s in self._streams.values() if s.hz > 0 and self._idle_s - s.renewed_s > self.expires_s]
            for stream in old:
                stream.hz = 0.0
            if old:
                self._pace()

    def _send(self, said: dict[str, Any], to: list[Stream] | None = None) -> None:
        for stream in self._all() if to is None else to:
            try:
                stream.comm.send(said)
            except Exception as error:  # noqa: BLE001  # one page's trouble is not the others'
                self._lost(error)

    # Either.

    def _ready(self) -> None:
        self._post.give(self._round)

    def _all(self) -> list[Stream]:
        with self._lock:
            return list(self._streams.values())

    def _pace(self) -> None:
        """Sample as fast as the fastest page wants."""
        hz = max((stream.hz for stream in self._streams.values()), default=0.0)
        if hz == 0:
            self._round_s = None  # until somebody watches again no round is due, and no page is silent
        self._live.watch(hz)

    def _remove(self, stream: Stream) -> None:
        with self._lock:
            self._streams.pop(stream.comm.comm_id, None)
            self._pace()
            if not self._streams:
                self._post.stop()
                self._rest()

    def _dismiss(self, stream: Stream, reason: str) -> None:
        self._send(messages.bye(reason), [stream])
        self._remove(stream)
        try:
            stream.comm.close()
        except Exception as error:  # noqa: BLE001  # the kernel is going down
            self._lost(error)

    def _rest(self) -> None:
        """Hold no file open for pages that are gone."""
        panel, self._panel = self._panel, None
        if panel is not None:
            panel.close()

    def _lost(self, error: Exception) -> None:
        """A message could not be sent. The page cannot be told, and the user's output is no place for it."""
        logging.getLogger(__name__).debug("a message to the page was lost", exc_info=error)


def _began(run: CellRun) -> dict[str, Any]:
    window = run.window
    return messages.began(
        window=window.id, cell_id=window.cell_id, t_s=ns_to_s(window.t0_ns), label=window.label, count=run.count
    )
