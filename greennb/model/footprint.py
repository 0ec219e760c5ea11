"""From joules to grams: the carbon intensity of electricity, and the footprint it makes."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from greennb.model.units import j_to_kwh


class Origin(StrEnum):
    """Where a carbon intensity comes from."""

    USER = "user"
    LIVE = "live"
    STATIC = "static"
    GUESSED = "guessed"
    WORLD = "world"


@dataclass(frozen=True, slots=True, kw_only=True)
class CarbonIntensity:
    """Grams of CO2 equivalent a kilowatt hour, and how that is known.

    ``low`` and ``high`` bound it where a range is known, else None. ``as_of`` is a year or an ISO 8601 time,
    "" where the table does not say. ``note`` is one sentence for the user (a fallback, an age).
    """

    g_per_kwh: float
    low: float | None
    high: float | None
    zone: str
    origin: Origin
    as_of: str
    provider: str
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Footprint:
    """Grams of CO2 equivalent of ``energy_j`` joules at the meter, with the building's overhead ``pue`` (>= 1)."""

    energy_j: float
    pue: float
    intensity: CarbonIntensity

    @property
    def g_co2e(self) -> float:
        """Grams of CO2 equivalent: kWh x PUE x intensity."""
        return j_to_kwh(self.energy_j) * self.pue * self.intensity.g_per_kwh

    @property
    def low_g(self) -> float | None:
        """The lower bound that the intensity's range gives, or None where no range is known."""
        return None if self.intensity.low is None else j_to_kwh(self.energy_j) * self.pue * self.intensity.low

    @property
    def high_g(self) -> float | None:
        """The upper bound that the intensity's range gives, or None where no range is known."""
        return None if self.intensity.high is None else j_to_kwh(self.energy_j) * self.pue * self.intensity.high
