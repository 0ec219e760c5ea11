"""An energy statement: what work cost, on what and how that is known, to be put into a paper or a model card."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from greennb.model.footprint import CarbonIntensity
from greennb.model.machine import Machine
from greennb.model.measurement import DomainEnergy, Measurement
from greennb.model.reading import Fault
from greennb.model.total import Total, domain_totals
from greennb.model.units import j_to_kwh


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What was run: each window is counted once, also where it failed.

    ``notebooks`` are names as they can be shown ("train.ipynb"), without folders unless two would be the same.
    ``cell_runs`` are runs of notebook cells, ``cells`` how many different ones those were (None where a front end gave
    cells no ids), ``others`` windows that are no cell's. Of all of them ``failed`` raised an error, ``interrupted``
    were interrupted, ``unfinished`` were still running when their process ended, ``unmeasured`` have no joules.
    ``overlapping`` windows ran while another one was open on the same host, ``overlap_s`` for so many seconds: what
    they share of the hardware is in each of them.
    """

    notebooks: tuple[str, ...]
    kernels: int
    cell_runs: int
    cells: int | None
    others: int
    failed: int
    interrupted: int
    unfinished: int
    unmeasured: int
    first_at: datetime
    last_at: datetime
    overlapping: int = 0
    overlap_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Emission:
    """Grams of CO2 equivalent of the windows that share an origin of intensity, a zone, a provider and a PUE.

    ``intensities`` are the different figures in use, one unless they came live. ``low_j`` to ``high_j`` is the 95 %
    interval of ``energy_j``; ``low_g`` to ``high_g`` is that interval at the intensity, and at the ends of its range
    where that is known.
    """

    intensities: tuple[CarbonIntensity, ...]
    pue: float
    windows: int
    energy_j: float
    low_j: float
    high_j: float
    g: float
    low_g: float
    high_g: float

    @property
    def g_per_kwh(self) -> float:
        """The intensity, as a mean over the joules where it changed."""
        kwh = j_to_kwh(self.energy_j) * self.pue
        return self.g / kwh if kwh > 0 and len(self.intensities) > 1 else self.intensities[0].g_per_kwh


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """A trial: ``told`` is what ``Trial.to_dict()`` said. ``within`` says that a window of the statement holds it."""

    at: datetime
    notebook: str
    key: str
    told: Mapping[str, Any]
    within: bool

    @property
    def spent_j(self) -> float | None:
        """Joules that the trial itself took; None where that is not known."""
        value = self.told.get("spent_j")
        return None if value is None else float(value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """Grams of CO2 equivalent per functional unit (SCI, ISO/IEC 21031:2024): ``units`` of what ``unit`` names.

    ``embodied_g`` is the share of the hardware's making that is counted; None where none was given.
    """

    units: float
    unit: str
    embodied_g: float | None
    g: float


@dataclass(frozen=True, kw_only=True)  # no slots: sums are worked out once and kept in the instance
class Statement:
    """What the work of one or more notebooks cost. ``measurements`` are windows none of which lies in another one.

    ``unpriced`` counts windows with joules and without a carbon intensity; ``rate`` is None unless it was asked for,
    and where there are no grams. ``restated`` names what was given for the statement and is not what was in force when
    the work ran: "intensity", "PUE".
    """

    title: str
    version: str
    made_at: datetime
    work: Work
    measurements: tuple[Measurement, ...]
    machines: tuple[Machine, ...] = ()
    emissions: tuple[Emission, ...] = ()
    unpriced: int = 0
    restated: tuple[str, ...] = ()
    trials: tuple[Tried, ...] = ()
    rate: Rate | None = None
    training_type: str = ""

    @cached_property
    def total(self) -> Total:
        """What all of it cost."""
        return Total.of(self.measurements)

    @cached_property
    def domains(self) -> tuple[DomainEnergy, ...]:
        """The energy of each domain by each method, the largest first."""
        return tuple(domain_totals(self.measurements))

    @property
    def hosts(self) -> tuple[str, ...]:
        """The computers that joules are of, in their order; readers get their number, not their name."""
        names = [*(machine.host for machine in self.machines), *(part.domain.host for part in self.domains)]
        return tuple(dict.fromkeys(names))

    @property
    def faults(self) -> tuple[Fault, ...]:
        """What could not be read, as often as it could not."""
        return tuple(fault for part in self.measurements for fault in part.faults)

    @property
    def overhead_s(self) -> float:
        """Seconds that measuring itself took, in the windows' opening and closing."""
        return math.fsum(part.overhead_s for part in self.measurements)

    @property
    def g_co2e(self) -> float | None:
        """Grams of CO2 equivalent; None unless every window that has joules has an intensity too."""
        return self._sum("g")

    @property
    def low_g(self) -> float | None:
        """The lower end of the grams' range; None as there."""
        return self._sum("low_g")

    @property
    def high_g(self) -> float | None:
        """The upper end of the grams' range; None as there."""
        return self._sum("high_g")

    def _sum(self, name: str) -> float | None:
        if not self.emissions or self.unpriced:
            return None
        return math.fsum(getattr(part, name) for part in self.emissions)

    @property
    def tried_j(self) -> float | None:
        """Joules of the trials that no window of this statement holds; None where one's are not known."""
        return _sum_or_none([trial.spent_j for trial in self.trials if not trial.within])


def _sum_or_none(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return math.fsum(known) if len(known) == len(values) else None
