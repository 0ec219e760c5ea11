"""Looks again later in a long cell: a loop that makes no step and no batch gives no occasion of its own.

A daemon thread that sleeps, started when a cell's first calls of models have been seen, and ended with the cell.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from greennb.advisor.base import Failed
from greennb.advisor.observe.torch.cell import Cell

FIRST_S = 0.25
"""Seconds until the first look."""

GROWTH = 1.5
"""Each wait is longer by this: a loop of an hour is looked at 22 times, and its end is missed by a third at most."""

NAME = "greennb-advisor-torch"


class Again:
    """The looks of one cell. ``look`` is called on a thread of its own."""

    def __init__(self, look: Callable[[Cell], None], failed: Failed) -> None:
        self._look = look
        self._failed = failed
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, cell: Cell) -> None:
        """Begin, unless it goes on already."""
        if self._thread is None:
            self._stopped = threading.Event()
            self._thread = threading.Thread(target=self._run, args=(cell, self._stopped), name=NAME, daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """End; it looks no more when this returns."""
        thread, self._thread = self._thread, None
        if thread is not None:
            self._stopped.set()
            thread.join()

    def _run(self, cell: Cell, stopped: threading.Event) -> None:
        wait_s = FIRST_S
        try:
            while not stopped.wait(wait_s):
                self._look(cell)
                wait_s *= GROWTH
        except Exception as error:  # noqa: BLE001  # ours, not the user's
            self._failed(error)
