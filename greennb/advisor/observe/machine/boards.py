"""The GPUs while a cell runs: looked at once a second by a thread that begins and ends with the cell."""

from __future__ import annotations

import os
import threading
import time
from dataclasses import dataclass, field

from greennb.advisor.signals.machine import GpuSeen
from greennb.meter.gauges import PERIOD_S, Panel
from greennb.meter.meter import Meter
from greennb.model.messages import domain_id
from greennb.model.reading import Domain
from greennb.sources.base import Board, Gauge

FIRST_S = 0.5
"""When the first look is taken: shorter cells are not looked at."""

IDLE_S = 60.0
"""After so long without a cell the boards are looked at once before the next one runs: what they drew while idle."""

_JOIN_S = 0.2


@dataclass(slots=True)
class _Mean:
    """A mean of what was told; None of nothing."""

    total: float = 0.0
    count: int = 0

    def add(self, value: float | None) -> None:
        if value is not None:
            self.total += value
            self.count += 1

    @property
    def value(self) -> float | None:
        return self.total / self.count if self.count else None


@dataclass(slots=True)
class _Seen:
    """One board, look by look: nothing is kept of a single look."""

    domain: Domain
    util: _Mean = field(default_factory=_Mean)
    power_w: _Mean = field(default_factory=_Mean)
    clock_mhz: _Mean = field(default_factory=_Mean)
    mem_b: int | None = None
    held_b: int | None = None
    temp_c: float | None = None
    mem_total_b: int | None = None
    idle_w: float | None = None
    board: Board = field(default_factory=Board)
    samples: int = 0

    def take(self, gauge: Gauge, board: Board, held_b: int | None) -> None:
        """Add a look."""
        self.samples += 1
        self.util.add(gauge.util)
        self.power_w.add(board.power_w)
        self.clock_mhz.add(board.clock_mhz)
        self.note(gauge, board, held_b)

    def note(self, gauge: Gauge, board: Board, held_b: int | None) -> None:
        """What a look tells of the highest and the lasting."""
        self.mem_b = _highest(self.mem_b, gauge.mem_b)
        self.held_b = _highest(self.held_b, held_b)
        self.temp_c = max((t for t in (self.temp_c, gauge.temp_c) if t is not None), default=None)
        self.mem_total_b = gauge.mem_total_b if gauge.mem_total_b is not None else self.mem_total_b
        self.board = board

    def told(self) -> GpuSeen:
        """All of it."""
        return GpuSeen(
            domain=domain_id(self.domain),
            label=self.domain.label,
            util=self.util.value,
            mem_b=self.mem_b,
            mem_total_b=self.mem_total_b,
            held_b=self.held_b,
            power_w=self.power_w.value,
            limit_w=self.board.limit_w,
            max_limit_w=self.board.max_limit_w,
            temp_c=self.temp_c,
            clock_mhz=self.clock_mhz.value,
            max_clock_mhz=self.board.max_clock_mhz,
            capability=self.board.capability,
            samples=self.samples,
            idle_w=self.idle_w,
        )


class BoardWatch:
    """Watches the boards of a meter from :meth:`begin` to :meth:`end`. Without a board nothing is done."""

    def __init__(self, *, first_s: float = FIRST_S, period_s: float = PERIOD_S, idle_s: float = IDLE_S) -> None:
        self._first_s, self._period_s, self._idle_s = first_s, period_s, idle_s
        self._panel: Panel | None = None
        self._of: Meter | None = None
        self._lock = threading.Lock()
        self._seen: dict[Domain, _Seen] = {}
        self._stop: threading.Event | None = None
        self._thread: threading.Thread | None = None
        self._ended_s: float | None = None

    def begin(self, meter: Meter) -> None:
        """A cell begins; after an idle time the boards are looked at before it works."""
        if meter is not self._of:
            self._of, self._panel = meter, Panel(meter, None)
        if self._panel is None or not self._panel.has_boards:
            return
        self.stop()
        self._seen = {}
        if self._ended_s is not None and time.monotonic() - self._ended_s >= self._idle_s:
            self._look_idle(self._panel)
        self._stop = threading.Event()
        self._thread = threading.Thread(
            target=self._run, args=(self._panel, self._stop, self._seen), name="greennb boards", daemon=True
        )
        self._thread.start()

    def end(self) -> tuple[GpuSeen, ...]:
        """What was seen; the thread is told to end and not waited for."""
        self.stop()
        self._ended_s = time.monotonic()
        with self._lock:
            seen, self._seen = self._seen, {}
            return tuple(it.told() for it in seen.values())

    def stop(self, *, wait: bool = False) -> None:
        """Let the thread end; may be called without one."""
        if self._stop is not None:
            self._stop.set()
        if wait and self._thread is not None and self._thread.is_alive():
            self._thread.join(timeout=_JOIN_S)

    def _run(self, panel: Panel, stop: threading.Event, seen: dict[Domain, _Seen]) -> None:
        wait_s = self._first_s
        while not stop.wait(wait_s):
            looks = _looks(panel)
            with self._lock:
                if stop.is_set():  # the cell ended meanwhile: what follows is the next one's
                    return
                for domain, gauge, board, held_b in looks:
                    seen.setdefault(domain, _Seen(domain)).take(gauge, board, held_b)
            wait_s = self._period_s

    def _look_idle(self, panel: Panel) -> None:
        for domain, gauge, board, held_b in _looks(panel):
            seen = self._seen.setdefault(domain, _Seen(domain))
            seen.note(gauge, board, held_b)
            seen.idle_w = board.power_w


def _looks(panel: Panel) -> list[tuple[Domain, Gauge, Board, int | None]]:
    held = panel.held_b(frozenset((os.getpid(),)))
    return [(domain, gauge, board, held.get(domain)) for domain, gauge, board in panel.boards()]


def _highest(a: int | None, b: int | None) -> int | None:
    return max((it for it in (a, b) if it is not None), default=None)
