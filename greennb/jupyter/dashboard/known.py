"""What the messages have told up to now: the dashboard's memory, without a widget in it."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

from greennb.model.finding import Finding
from greennb.model.messages import finding_from_dict
from greennb.model.run import CellCost
from greennb.model.wire import measurement_from_dict
from greennb.views.live_chart import Band

Said = Mapping[str, Any]

MOST_BANDS = 300
"""Cells kept for the time axis: more than it has room for."""


class Known:
    """Takes messages in; ``span_s`` is for how long watts are kept."""

    def __init__(self, span_s: float) -> None:
        self.span_s = span_s
        self.hello: Said | None = None
        self.domains: Sequence[Said] = ()
        self.t_s: list[float] = []
        self.w: list[list[float | None]] = []
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
            self.t_s, self.w, self.latest = [], [[] for _ in said["domains"]], None
        self.hello, self.domains = said, said["domains"]

    def _take_history(self, said: Said) -> None:
        for each in said["cells"]:
            self._take_ended(each)
        self.session = said["session"]
        if len(said["w"]) == len(self.w) and not self.t_s:
            self._append(said["t_s"], said["w"])

    def _take_samples(self, said: Said) -> None:
        if len(said["w"]) == len(self.w):  # else the sources have changed, and hello is under way
            self._append(said["t_s"], said["w"])
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

    def _append(self, t_s: Sequence[float], w: Sequence[Sequence[float | None]]) -> None:
        self.t_s += t_s
        for kept, row in zip(self.w, w, strict=True):
            kept += row
        since_s = self.t_s[-1] - self.span_s - 1 if self.t_s else 0.0
        old = next((at for at, time_s in enumerate(self.t_s) if time_s >= since_s), 0)
        del self.t_s[:old]
        for kept in self.w:
            del kept[:old]


def _place(count: int | None) -> str:
    return "" if count is None else f"[{count}]"
