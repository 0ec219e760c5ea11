"""The session's account: every cell that was measured, in order, and what they cost together."""

from __future__ import annotations

import math
import threading
from collections import deque
from typing import TYPE_CHECKING, Any

from greennb.jupyter.cells import HISTORY

if TYPE_CHECKING:
    from greennb.jupyter.cells import CellRun

WAITING = 1000
"""Cells that may wait for somebody to work out what they cost. The ledger's thread has done so long before then, also
where cells follow on one another without a pause, and what is left on the cell's own path is an addition."""


class Tally:
    """Runs of cells that do not lie inside one another.

    Adding one costs the cell's path an append; what it cost is worked out by who asks (:meth:`settled`).
    ``added`` is how many there have been.
    """

    def __init__(self) -> None:
        self._waiting: deque[CellRun] = deque()
        self.added = 0
        self._settled = 0
        self._total: Any = None
        self.runs: deque[CellRun] = deque(maxlen=HISTORY)
        self._lock = threading.Lock()

    def add(self, run: CellRun, *, settle: bool) -> None:
        """One more run; with ``settle`` nobody else comes to add it up, so that a long queue is shortened here."""
        self._waiting.append(run)
        self.added += 1
        if settle and len(self._waiting) > WAITING:
            self._next()

    def settled(self) -> tuple[CellRun, dict[str, Any]] | None:
        """The next run that was not added up yet, and the session's total with it; None where there is none."""
        run = self._next()
        return None if run is None else (run, self.session())

    def settle(self, upto: int) -> None:
        """Add up the first ``upto`` runs of all that were :attr:`added`; later ones are left for who tells of them."""
        while self._next(upto) is not None:
            pass

    def session(self) -> dict[str, Any]:
        """What every run that was added up cost together, as messages tell it."""
        from greennb.model.messages import session_total
        from greennb.model.running import RunningTotal

        total = self._total or RunningTotal()
        return session_total(total.total, total.runs)

    def after_fork(self) -> None:
        """Take an own lock: another thread may have held the parent's."""
        self._lock = threading.Lock()

    def _next(self, upto: float = math.inf) -> CellRun | None:
        with self._lock:
            if not self._waiting or self._settled >= upto:
                return None
            run = self._waiting.popleft()
            self._settled += 1
            if self._total is None:
                from greennb.model.running import RunningTotal  # with the first cells, not with %load_ext

                self._total = RunningTotal()
            self._total.add(run.measurement)
            self.runs.append(run)
            return run
