"""The parts put together, one of each a process: sources, meter, carbon, ledger. Fronts stand on this."""

from __future__ import annotations

import atexit
import contextvars
import os
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from greennb.meter.meter import Meter, OpenWindow
from greennb.model.errors import GreennbError
from greennb.model.footprint import Footprint
from greennb.model.measurement import Measurement, Status
from greennb.settings import Settings

if TYPE_CHECKING:
    from greennb.ledger.store import Ledger
    from greennb.model.finding import Trial
    from greennb.model.machine import Machine
    from greennb.sources.detect import Detection


class Runtime:
    """Everything that measuring needs, made from one :class:`~greennb.settings.Settings`.

    Attributes:
        session_id: names this process in the ledger.
        cell: the window of the notebook cell that runs, if one does.
        on_problem: told, once a problem, what cannot be kept (a read-only disk, a ledger that is too new).
        elsewhere: given each window that has just closed, to add what other machines took in it; None where it is of
            this machine alone.
    """

    def __init__(self, settings: Settings | None = None, *, host: str | None = None) -> None:
        self.settings = Settings.from_environment() if settings is None else settings
        self.host = _host_name() if host is None else host
        self.session_id = os.urandom(8).hex()
        self.cell: OpenWindow | None = None
        self._last: OpenWindow | None = None
        self._keeps = True
        self.notebook = ""
        self.on_problem: Callable[[str], None] = _to_stderr
        self.elsewhere: Callable[[OpenWindow], None] | None = None
        self._told: set[str] = set()
        self._current: contextvars.ContextVar[OpenWindow | None] = contextvars.ContextVar("greennb", default=None)
        self._open: weakref.WeakSet[OpenWindow] = weakref.WeakSet()
        self._ledger: Ledger | None = None
        self._introduced = False
        self.detection, self.meter = self._detected()

    def _detected(self) -> tuple[Detection, Meter]:
        from greennb.sources.detect import detect

        detection = detect(self.settings, self.host)
        meter = Meter(detection.sources, host=self.host, faults=detection.faults, footprint=self.footprint)
        return detection, meter

    def reconfigure(self, settings: Settings) -> None:
        """Go on with ``settings``; windows that are open end with the sources that they began with."""
        old, self.settings = self.settings, settings
        if (old.sources, old.tdp, old.rapl_root) != (settings.sources, settings.tdp, settings.rapl_root):
            try:
                self.detection, self.meter = self._detected()
            except Exception:
                self.settings = old
                raise
        if old.ledger != settings.ledger and self._ledger is not None:
            self._ledger.close()
            self._ledger = None

    def footprint(self, energy_j: float) -> Footprint | None:
        """Grams of ``energy_j`` with the intensity in force; None where carbon is turned off, or no table has the zone.

        A zone that does not exist costs the grams, never the joules.
        """
        if not self.settings.carbon:
            return None
        from greennb.carbon.intensity import resolve

        try:
            intensity = resolve(self.settings)
        except GreennbError as error:
            if str(error) not in self._told:
                self._told.add(str(error))
                self.on_problem(f"No grams of CO2e: {error}")
            return None
        return Footprint(energy_j=energy_j, pue=self.settings.pue, intensity=intensity)

    @property
    def ledger(self) -> Ledger:
        """The ledger, opened when first asked for."""
        if self._ledger is None:
            from greennb.ledger.store import Ledger, ledger_path

            self._ledger = Ledger(ledger_path(self.settings.ledger), on_problem=lambda text: self.on_problem(text))
            self._introduced = False
        return self._ledger

    @property
    def last(self) -> Measurement | None:
        """The latest measurement that was closed, None before the first."""
        return None if self._last is None else self._last.result

    def open(self, label: str = "", *, parent: OpenWindow | None = None) -> OpenWindow:
        """Open a window inside the one that surrounds it in the code, or inside the running cell."""
        window = self.meter.open(label, parent=parent or self._current.get() or self.cell)
        self._open.add(window)
        return window

    def enter(self, window: OpenWindow) -> contextvars.Token[OpenWindow | None]:
        """Make ``window`` the surrounding one until :meth:`leave`."""
        return self._current.set(window)

    def leave(self, token: contextvars.Token[OpenWindow | None]) -> None:
        """Undo :meth:`enter`."""
        self._current.reset(token)

    def close(self, window: OpenWindow, status: Status = Status.OK, *, kind: str = "window", source: str = "") -> None:
        """Close ``window`` and put it into the ledger, which happens off the caller's path."""
        window.close(status)
        if self.elsewhere is not None and self._keeps and not window.inherited:
            self.elsewhere(window)
        self._open.discard(window)
        self._last = window
        self.record(window, kind=kind, source=source)

    @contextmanager
    def apart(self) -> Iterator[None]:
        """What is measured meanwhile is a trial's: it is not kept, and not the last measurement."""
        last, self._keeps = self._last, False
        try:
            yield
        finally:
            self._keeps, self._last = True, last

    def record(self, window: OpenWindow, *, kind: str, source: str) -> None:
        """Put a closed window into the ledger, unless it is a trial's, or a forked child has it from its parent."""
        if window.inherited or not self._keeps:
            return
        self._introduce()
        self.ledger.append(
            lambda: window.result, session_id=self.session_id, notebook=self.notebook, source=source, kind=kind
        )

    def tried(self, trial: Trial, *, key: str, code: str) -> None:
        """Put a trial of the finding ``key`` into the ledger, which happens off the caller's path."""
        self._introduce()
        self.ledger.append_trial(
            trial, at=datetime.now(UTC), session_id=self.session_id, notebook=self.notebook, host=self.host,
            code=code, key=key,
        )  # fmt: skip

    def _introduce(self) -> None:
        """Once a ledger: write down which machine this is, so that its hardware can be named elsewhere."""
        ledger = self.ledger
        if not self._introduced:
            self._introduced = True
            ledger.append_machine(self._machine, session_id=self.session_id)

    def _machine(self) -> Machine:
        from greennb.sources.computer import computer  # on the ledger's thread

        return computer(self.host)

    def shutdown(self) -> None:
        """Close what is open, with the status "open", and write down what is not yet written."""
        for window in list(self._open):
            if not window.inherited:
                window.close(Status.OPEN)
                self.record(window, kind="window", source="")
        self._open.clear()
        if self._ledger is not None:
            self._ledger.close()
            self._ledger = None


_runtime: Runtime | None = None
_lock = threading.Lock()


def runtime(settings: Settings | None = None) -> Runtime:
    """This process's runtime, made when first asked for; ``settings`` are for that first time."""
    global _runtime
    with _lock:
        if _runtime is None:
            _runtime = Runtime(settings)
            atexit.register(_runtime.shutdown)
        return _runtime


def _host_name() -> str:
    import platform

    return platform.node()


def _to_stderr(text: str) -> None:
    import sys

    sys.stderr.write(f"greennb: {text}\n")
