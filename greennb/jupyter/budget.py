"""``--budget``: say when a cell has passed its joules, while it runs, and let it run on."""

from __future__ import annotations

from collections.abc import Callable

from greennb.meter.meter import Meter, OpenWindow
from greennb.meter.trail import Look
from greennb.views.format import joules

CHECK_PERIOD_S = 1.0
"""How often a running cell's joules are compared with its budget."""


class BudgetWatch:
    """Looks at an open window from the sampler's thread and warns once."""

    period_s = CHECK_PERIOD_S

    def __init__(self, meter: Meter, window: OpenWindow, budget_j: float, say: Callable[[str], None]) -> None:
        self._meter = meter
        self._window = window
        self._budget_j = budget_j
        self._say = say
        self._warned = False
        meter.sampler.watch(self)

    def close(self) -> None:
        """Stop looking."""
        self._meter.sampler.release(self)

    def take(self, _look: Look) -> None:
        """Compare, and warn the first time."""
        if self._warned or self._window.closed:
            return
        total_j = self._window.result.total_j
        if total_j is not None and total_j > self._budget_j:
            self._warned = True
            self._say(f"this cell has passed its budget of {joules(self._budget_j)}; it runs on.")
