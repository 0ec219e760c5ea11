"""What the messages have told up to now: the dashboard's memory, without a widget in it."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

from greennb.model.finding import Finding
from greennb.model.messages import finding_from_dict
from greennb.model.run import CellCost
from greennb.model.wire import measurement_from_dict
from greennb.views.live_chart import MOST_POINTS, Band

Said = Mapping[str, Any]


class Watts:
    """Watts over the last ``span_s`` seconds, as means over the bins that a chart can show; memory that does not grow.

    Bins are counted from time 0, so that what is drawn stays as it is while more comes. A bin in which any look of a
    device failed has none of it.

    Attributes:
        t_s: the time of each bin's latest look, ascending.
        w: of each device, its mean in each bin.
    """

    def __init__(self, span_s: float, devices: int) -> None:
        self._bin_s = span_s / MOST_POINTS
        self._bins: list[int] = []
        self._counts: list[int] = []
        self._span_s = span_s
        self.t_s: list[float] = []
        self.w: list[list[float | None]] = [[] for _ in range(devices)]

    def add(self, t_s: Sequence[float], w: Sequence[Sequence[float | None]]) -> None:
        """Take looks in; ``w`` has the watts of each device at each of ``t_s``."""
        for at, time_s in enumerate(t_s):
            self._add(time_s, [row[at] for row in w])
        since_s = self.t_s[-1] - self._span_s - self._bin_s if self.t_s else 0.0
        old = bisect_left(self.t_s, since_s)
        del self.t_s[:old], self._bins[:old], self._counts[:old]
        for kept in self.w:
            del kept[:old]

    def _add(self, time_s: float, looks: Sequence[float | None]) -> None:
        place = math.floor(time_s / self._bin_s)
        if not self._bins or self._bins[-1] != place:
            self._bins.append(place)
            self._counts.append(0)
            self.t_s.append(time_s)
            for kept in self.w:
                kept.append(0.0)
        self.t_s[-1] = time_s
        self._counts[-1] += 1
        for kept, value in zip(self.w, looks, strict=True):
            before = kept[-1]
            kept[-1] = None if value is None or before is None else before + (value - before) / self._counts[-1]


MOST_BANDS = 300
"""Cells kept for the time axis: more than it has room for."""


class Known:
    """Takes messages in; ``span_s`` is for how long watts are kept."""

    def __init__(self, span_s: float) -> None:
        self.span_s = span_s
        self.hello: Said | None = None
        self.domains: Sequence[Said] = ()
        self.watts = Watts(span_s, 0)
        self.latest: Said | None = None
        self.runs: dict[str, CellCost] = {}
        self.session: Said | None = None
        self.findings: dict[str, tuple[Finding, Said]] = {}
        self.trial: Said | None = None
        self.waste: Sequence[Said] = ()
        self._running: Said | None = None
        self._bands: deque[Band] = deque(maxlen=MOST_BANDS)

    @property
    def bands(self) -> list[Band]:
        """The cells over the time, the one that runs last."""
        running = self._running
        if running is None:
            return list(self._bands)
        name = _place(running["count"]) or str(running["label"]) or "a cell"
        return [*self._bands, Band(name=name, t0_s=running["t_s"], t1_s=None)]

    @property
    def runs_now(self) -> bool:
        """Whether a measured cell runs."""
        return self._running is not None

    def take(self, said: Said) -> str:
        """Take a message in; its type, "" where it is of none that is known here."""
        kind = str(said.get("type"))
        taking = getattr(self, f"_take_{kind}", None)
        if taking is None:
            return ""
        taking(said)
        return kind

    def _take_hello(self, said: Said) -> None:
        if [each["id"] for each in said["domains"]] != [each["id"] for each in self.domains]:
            self.watts, self.latest = Watts(self.span_s, len(said["domains"])), None
        self.hello, self.domains = said, said["domains"]

    def _take_history(self, said: Said) -> None:
        for each in said["cells"]:
            self._take_ended(each)
        self.session = said["session"]
        if len(said["w"]) == len(self.domains) and not self.watts.t_s:
            self.watts.add(said["t_s"], said["w"])

    def _take_samples(self, said: Said) -> None:
        if len(said["w"]) == len(self.domains):  # else the sources have changed, and hello is under way
            self.watts.add(said["t_s"], said["w"])
            self.latest = said

    def _take_began(self, said: Said) -> None:
        self._running = said

    def _take_ended(self, said: Said) -> None:
        measured = measurement_from_dict(said["measurement"])
        window = measured.window
        if self._running is not None and self._running["window"] == window.id:
            self._running = None
        self.session = said["session"]
        key = window.cell_id or window.id
        before = self.runs.pop(key, None)  # the latest stands last
        if before is not None and before.measurement is not None and before.measurement.window.id == window.id:
            self.runs[key] = before  # it was in the history, and came on the stream
            return
        self.runs[key] = CellCost(
            index=len(self.runs), cell_id=window.cell_id, source=said["source"], measurement=measured
        )
        name = _place(window.execution_count) or window.label
        self._bands.append(Band(name=name, t0_s=said["t0_s"], t1_s=said["t1_s"]))

    def _take_findings(self, said: Said) -> None:
        found = [(finding_from_dict(each), each) for each in said["findings"]]
        self.findings = {finding.key: (finding, each) for finding, each in found}

    def _take_trial(self, said: Said) -> None:
        self.trial = said

    def _take_waste(self, said: Said) -> None:
        self.waste = said["items"]

    def _take_settings(self, said: Said) -> None:
        if self.hello is not None:
            self.hello = {**self.hello, "settings": said}

    def _take_bye(self, said: Said) -> None:
        self._running = None


def _place(count: int | None) -> str:
    return "" if count is None else f"[{count}]"
