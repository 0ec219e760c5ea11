"""A card's temperature over a trial: a hotter chip draws more, so that one way must not run on a hotter one."""

from __future__ import annotations

import time

from greennb.advisor.trial.base import Stop
from greennb.meter.gauges import Panel
from greennb.meter.meter import Meter

DRIFT_C = 3.0
"""A rise over a round of four blocks beyond which the card is waited for. A steady drift cancels in a round (ABBA), one
that levels off does not. Our choice: leakage, and so power, grows by some percent in ten degrees."""

LOOK_S = 0.5
"""How often a waiting trial looks."""

LONGEST_S = 10.0
"""The longest wait after one round."""


class Temperature:
    """Of the hottest GPU of a meter; nothing where there is none, or none that says."""

    def __init__(self, meter: Meter) -> None:
        self._panel = Panel(meter, None)
        self._began_c: float | None = None
        self._seen: list[float] = []

    @property
    def ends(self) -> tuple[float, float] | None:
        """The lowest and the highest that was seen, degrees Celsius."""
        return (min(self._seen), max(self._seen)) if self._seen else None

    def look(self) -> None:
        """A round begins."""
        self._began_c = self._now_c()

    def settle(self, most_s: float, stop: Stop) -> None:
        """A round has ended: wait while the card is much hotter than when it began, ``most_s`` seconds at most."""
        now_c = self._now_c()
        if self._began_c is None or now_c is None or now_c - self._began_c <= DRIFT_C:
            return
        end_s = time.monotonic() + min(most_s, LONGEST_S)
        while time.monotonic() < end_s and now_c is not None and now_c - self._began_c > DRIFT_C / 2:
            stop.check()
            time.sleep(LOOK_S)
            now_c = self._now_c()

    def _now_c(self) -> float | None:
        if not self._panel.has_boards:
            return None
        known = [gauge.temp_c for _domain, gauge, _board in self._panel.boards() if gauge.temp_c is not None]
        if known:
            self._seen.append(max(known))
        return max(known, default=None)
