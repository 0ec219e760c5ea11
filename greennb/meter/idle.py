"""The idle baseline: what the machine draws with nothing running, when that was seen, and for how long it holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from greennb.model.measurement import Measurement
from greennb.model.reading import Domain

FRESH = timedelta(hours=1)
"""A baseline older than this says that it is old: temperature, clocks and neighbours change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """Watts by domain while idle, measured over ``duration_s`` from ``measured_at`` on."""

    watts: Mapping[Domain, float]
    measured_at: datetime
    duration_s: float

    @classmethod
    def of(cls, measurement: Measurement) -> Baseline:
        """The baseline that a measurement of an idle machine gives; domains with gaps are left out."""
        watts = {
            energy.domain: energy.gross_j / measurement.duration_s
            for energy in measurement.energies
            if energy.coverage >= 1 and measurement.duration_s > 0
        }
        return cls(
            watts=watts, measured_at=measurement.window.started_at, duration_s=measurement.duration_s
        )  # fmt: skip

    def idle_j(self, domain: Domain, duration_s: float) -> float | None:
        """Joules that ``domain`` would have used idle for ``duration_s``; None where it has no baseline."""
        watts = self.watts.get(domain)
        return None if watts is None else watts * duration_s

    def age(self, now: datetime) -> timedelta:
        """Time since it was measured."""
        return now - self.measured_at

    def stale(self, now: datetime) -> bool:
        """Whether it is too old to be relied on."""
        return self.age(now) > FRESH
