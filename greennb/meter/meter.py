"""The meter: opens and closes windows, and makes measurements of what the sources said at their edges.

A window costs two looks at the sources and a handful of assignments; everything else waits until somebody asks for
the result. See ``docs/adr/0005``.
"""

from __future__ import annotations

import itertools
import math
import os
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime

from greennb.meter.accounts import Accounts
from greennb.meter.attribution import busy_share
from greennb.meter.clock import Clock, SystemClock
from greennb.meter.energies import energies
from greennb.meter.idle import Baseline
from greennb.meter.integrate import longest_safe_ns
from greennb.meter.lines import LineSampler, Name
from greennb.meter.peaks import Peaks
from greennb.meter.sampler import Sampler
from greennb.meter.sync import wait_for_devices
from greennb.meter.ticker import Edge, Ticker
from greennb.meter.ticks import GAP_NS
from greennb.meter.trail import Look, Trail
from greennb.meter.work import Mark, SystemWork, Work
from greennb.model.footprint import Footprint
from greennb.model.measurement import DomainEnergy, Measurement, Status, Window
from greennb.model.reading import DomainKind, Fault, Method, Reading
from greennb.model.units import ns_to_s
from greennb.sources.base import Channel, Sample, Source, reading

INTEGRATION_PERIOD_S = 0.1
"""How often power is read where there is no energy counter. NVML's own averages move no faster than this."""

LOOK_PERIOD_S = 0.25
"""How often a counter is looked at within a window: whoever looks at its edges alone takes a counter that stood still,
failed or was reset in between for one that was well."""

_GAP_S = ns_to_s(GAP_NS)

_LABEL_LENGTH = 200
"""A label is a name, not a text: what is longer is cut, everywhere alike."""


_RawLook = tuple[list[int], list[Sequence[Sample]]]
"""What a look gives before anybody needs it: a time before the first source and after each, and their samples."""


class OpenWindow:
    """A window that has been opened; close it, then ask for its ``result``."""

    # Defaults of the class, not of each instance: what a window never sets costs it nothing to open.
    cell_id: str | None = None
    execution_count: int | None = None
    status: Status = Status.OPEN
    t0_ns: int = 0
    t1_ns: int = 0
    overhead_ns: int = 0
    _trail: Trail | None = None
    _opening_edge: Edge | None = None
    _closing_edge: Edge | None = None
    _opening_mark: Mark | None = None
    _closing_mark: Mark | None = None
    _closing: _RawLook | None = None
    _lines: LineSampler | None = None
    _result: Measurement | None = None
    _faults: tuple[Fault, ...] = ()
    _elsewhere: tuple[DomainEnergy, ...] = ()
    _opening: _RawLook
    _wall_ns: int

    def __init__(self, meter: Meter, number: int, label: str, parent: OpenWindow | None) -> None:
        self._meter = meter
        self._prefix = meter.prefix
        self._number = number
        self.label = label
        self.parent = parent

    @property
    def id(self) -> str:
        """A name that no other window has, on any machine."""
        return f"{self._prefix}-{self._number}"

    @property
    def closed(self) -> bool:
        """Whether the window has been closed."""
        return self._closing is not None

    @property
    def channels(self) -> tuple[Channel, ...]:
        """What is read in it."""
        return self._meter.channels

    @property
    def host(self) -> str:
        """What the machine is called that it is measured on."""
        return self._meter.host

    @property
    def inherited(self) -> bool:
        """Whether a forked child has this window from its parent, to whom it belongs."""
        return self._prefix != self._meter.prefix

    def close(self, status: Status = Status.OK) -> None:
        """Take the last look. A second close changes nothing."""
        self._meter.close(self, status)

    @property
    def period_s(self) -> float:
        """How often the sampler must look into this window."""
        return self._meter.period_s or math.inf

    def take(self, look: Look) -> None:
        """Take in a look of the sampler's; most windows are closed before there is one."""
        if self._trail is None:
            self._trail = self._meter.trail(self)
        self._trail.fold(look)

    def by_line(self, name: Name) -> None:
        """Follow this thread's lines until the close; ``name`` says which files are the notebook's cells."""
        self._lines = LineSampler(name, self._meter.channels)
        self._lines.start(self._meter.look())
        self._meter.sampler.watch(self._lines)

    def add(self, energies: Sequence[DomainEnergy], faults: Sequence[Fault] = ()) -> None:
        """What other machines took in this window, or why that is not known; before anybody asks for the result."""
        self._elsewhere += tuple(energies)
        self._faults += tuple(faults)

    @property
    def started_at(self) -> datetime:
        """When the window was opened, in UTC."""
        return datetime.fromtimestamp(ns_to_s(self._wall_ns), UTC)

    @property
    def result(self) -> Measurement:
        """What the window cost; of an open window, what it has cost up to now (status "open")."""
        if self._result is not None:
            return self._result
        measurement = self._meter.measurement(self)
        if self.closed:
            self._result = measurement
        return measurement


class Meter:
    """Measures windows with the sources that it is given.

    Time and hardware are arguments: ``Meter([FakeSource(40, clock=clock)], clock=clock)``. ``faults`` are devices
    that are there but could not be opened: they make every total partial. ``synchronise`` waits for devices and
    answers None or a sentence on what could not be waited for. ``footprint`` gives a total its grams. ``work`` tells
    CPU times, from which come own shares and the passive baseline: the system's, unless the clock is not.
    """

    def __init__(
        self,
        sources: Sequence[Source],
        *,
        clock: Clock | None = None,
        host: str = "",
        faults: Sequence[Fault] = (),
        synchronise: Callable[[], str | None] = wait_for_devices,
        footprint: Callable[[float], Footprint | None] = lambda _energy_j: None,
        work: Work | None = None,
    ) -> None:
        self.sources = tuple(sources)
        self.clock: Clock = clock or SystemClock()
        self.host = host
        self.faults = tuple(faults)
        self.baseline: Baseline | None = None
        self.footprint = footprint
        self.channels: tuple[Channel, ...] = tuple(c for source in self.sources for c in source.channels)
        self.prefix = os.urandom(8).hex()
        self._numbers = itertools.count(1)
        self._now_ns = self.clock.monotonic_ns
        self._wall_ns = self.clock.wall_ns
        self._samplings = tuple(source.sample for source in self.sources)
        self.ticker = Ticker(self.sources, self._now_ns)
        self._ticking = bool(self.ticker.tracks)
        # On a clock that stands still until told otherwise no thread can wait for a tick: whoever moves it polls.
        self._waits = self._ticking and isinstance(self.clock, SystemClock)
        self.sampler = Sampler(self.look, self.ticker if self._waits else None)
        self.period_s = _needed_period_s(self.channels)
        asynchronous = any(c.domain.kind in (DomainKind.GPU, DomainKind.SOC) for c in self.channels)
        self._synchronise = synchronise if asynchronous else None
        self.peaks = Peaks()
        self.accounts = Accounts(
            self.sources, SystemWork() if work is None and isinstance(self.clock, SystemClock) else work
        )
        _METERS.add(self)

    def open(self, label: str = "", *, parent: OpenWindow | None = None) -> OpenWindow:
        """Open a window. Windows may nest, overlap and be closed from any thread."""
        window = OpenWindow(self, next(self._numbers), label[:_LABEL_LENGTH], parent)
        if self._synchronise is not None:
            self._wait(window)
        began_ns = self._now_ns()
        window._wall_ns = self._wall_ns()
        window._opening_mark, gap = self.accounts.opened(window._number)
        window._opening = self._raw_look()
        if gap is not None:
            self.accounts.learn(gap, self._timed, window._opening, window._wall_ns)
        if self._ticking:
            raw = window._opening
            window._opening_edge = self.ticker.opened(window._number, raw[0][0], lambda: self._timed(raw))
            self._look_for_ticks()
        if self.period_s is not None:
            self.sampler.watch(window)
        window.t0_ns = now_ns = self._now_ns()
        window.overhead_ns = now_ns - began_ns - self.sampler.cost_ns
        return window

    def close(self, window: OpenWindow, status: Status = Status.OK) -> None:
        """Close ``window``; closing it again changes nothing."""
        if window._closing is not None:
            return
        if self._synchronise is not None:
            self._wait(window)
        window.t1_ns = self._now_ns()
        if self.period_s is not None:
            # Before the look: a tick between the two would fold a later time first.
            self.sampler.release(window)
        window._closing = raw = self._raw_look()
        window._closing_mark = self.accounts.closed(window._number, raw)
        if window._lines is not None:
            self.sampler.release(window._lines)
            window._lines.stop()
            window._lines.take(self._timed(raw))
        if self._ticking:
            window._closing_edge = self.ticker.closed(window._number, lambda: self._timed(raw))
            self._look_for_ticks()
        window.status = status
        window.overhead_ns += self._now_ns() - window.t1_ns + self.sampler.cost_ns

    @contextmanager
    def measure(self, label: str = "", *, parent: OpenWindow | None = None) -> Iterator[OpenWindow]:
        """A window around a block; it closes however the block ends."""
        window = self.open(label, parent=parent)
        status = Status.INTERRUPTED
        try:
            yield window
            status = Status.OK
        except Exception:
            status = Status.ERROR
            raise
        finally:
            window.close(status)

    def measurement(self, window: OpenWindow) -> Measurement:
        """What ``window`` cost; what it has cost up to now, where it is open."""
        held_ns = self._settle(window)
        opening, closing = self._timed(window._opening), self._timed(window._closing or self._raw_look())
        trail = self.trail(window) if window._trail is None else window._trail.copy()
        trail.fold(closing, last=True)
        t1_ns = window.t1_ns if window.closed else closing.times_ns[-1] if closing.times_ns else self._now_ns()
        duration_s = ns_to_s(t1_ns - window.t0_ns)
        found = energies(
            self.channels, trail, opening, closing, t0_ns=window.t0_ns, t1_ns=t1_ns,
            edges=(window._opening_edge, window._closing_edge), ticker=self.ticker, peaks=self.peaks,
        )  # fmt: skip
        found = self.accounts.settled(
            self.channels, found, began_at=window.started_at, duration_s=duration_s, late_ns=self._now_ns() - t1_ns,
            marks=(window._opening_mark, window._closing_mark if window.closed else self.accounts.mark()),
            baseline=self.baseline, wall_ns=window._wall_ns,
        )  # fmt: skip
        measurement = Measurement(
            window=Window(
                id=window.id,
                label=window.label,
                cell_id=window.cell_id,
                execution_count=window.execution_count,
                parent_id=None if window.parent is None else window.parent.id,
                t0_ns=window.t0_ns,
                t1_ns=t1_ns,
                started_at=window.started_at,
                status=window.status,
            ),
            energies=found + window._elsewhere,
            faults=self.faults
            + trail.faults
            + window._faults
            + self.ticker.faults((window._opening_edge, window._closing_edge)),
            host=self.host,
            overhead_s=max(0.0, ns_to_s(window.overhead_ns + held_ns)),
        )
        if window._lines is not None:
            measurement = replace(measurement, lines=window._lines.lines(measurement))
        total_j = measurement.total_j
        return measurement if total_j is None else replace(measurement, footprint=self.footprint(total_j))

    def baseline_of(self, window: OpenWindow) -> Baseline:
        """The idle baseline that a closed ``window`` gives, in which nothing should have run, and how quiet it was."""
        work = self.accounts.work
        marks = (window._opening_mark, window._closing_mark)
        return Baseline.of(window.result, None if work is None else busy_share(*marks, work.cpus))

    def trail(self, window: OpenWindow) -> Trail:
        """The running sums of ``window`` as it was opened."""
        return Trail(self.channels, self._timed(window._opening))

    def _look_for_ticks(self) -> None:
        if self._waits and not self.ticker.looking:
            self.sampler.nudge(_GAP_S)

    def _settle(self, window: OpenWindow) -> int:
        """Wait for the ticks after the window's close, one refresh at most; the nanoseconds that this took."""
        edge = window._closing_edge
        if edge is None or edge.settled or not self._waits:
            return 0
        began_ns = self._now_ns()
        edge.settle(ns_to_s(window.t1_ns + self.ticker.longest_wait_ns() - began_ns))
        return self._now_ns() - began_ns

    def look(self) -> Look:
        """One look at every source."""
        return self._timed(self._raw_look())

    def readings(self) -> tuple[Reading | Fault, ...]:
        """One reading or fault a channel, now."""
        look = self.look()
        return tuple(map(reading, self.channels, look.times_ns, look.samples))

    def _raw_look(self) -> _RawLook:
        now_ns = self._now_ns
        stamps_ns = [now_ns()]
        samples = []
        for sample in self._samplings:
            samples.append(sample())
            stamps_ns.append(now_ns())
        return stamps_ns, samples

    @staticmethod
    def _timed(raw: _RawLook) -> Look:
        """The look with each channel's time: the middle of its source's bracket."""
        stamps_ns, given_by_source = raw
        samples: list[Sample] = []
        times_ns: list[int] = []
        brackets_ns: list[int] = []
        for given, before_ns, after_ns in zip(given_by_source, stamps_ns, stamps_ns[1:], strict=False):
            samples += given
            times_ns += [(before_ns + after_ns) // 2] * len(given)
            brackets_ns += [after_ns - before_ns] * len(given)
        return Look(samples, times_ns, brackets_ns)

    def _wait(self, window: OpenWindow) -> None:
        reason = self._synchronise() if self._synchronise is not None else None
        if reason is not None:
            window._faults += (Fault(domain=None, t_ns=self._now_ns(), reason=reason),)

    def after_fork(self) -> None:
        """Make this meter usable in a forked child, with windows of its own."""
        self.prefix = os.urandom(8).hex()
        self.ticker.after_fork()
        self.sampler.after_fork()
        self.accounts.after_fork()
        for source in self.sources:
            source.after_fork()

    def close_sources(self) -> None:
        """Let go of files and libraries."""
        self.accounts.close()
        for source in self.sources:
            source.close()


def _needed_period_s(channels: Sequence[Channel]) -> float | None:
    """How often a window must be looked into between its edges; None where the edges suffice."""
    periods_s = [ns_to_s(safe) for safe in map(longest_safe_ns, channels) if safe is not None]
    if any(channel.method is Method.INTEGRATED for channel in channels):
        periods_s.append(INTEGRATION_PERIOD_S)
    if any(channel.method is Method.COUNTER for channel in channels):
        periods_s.append(LOOK_PERIOD_S)
    return min(periods_s, default=None)


_METERS: weakref.WeakSet[Meter] = weakref.WeakSet()


def _after_fork() -> None:
    for meter in list(_METERS):
        meter.after_fork()


if hasattr(os, "register_at_fork"):  # Windows does not fork
    os.register_at_fork(after_in_child=_after_fork)
