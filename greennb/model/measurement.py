"""What a window cost: its energies by domain, their sum, and what is missing from it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from typing import Any

from greennb.model.footprint import Footprint
from greennb.model.idle import IdleBasis
from greennb.model.lines import Lines
from greennb.model.reading import Domain, Fault, Method
from greennb.model.units import ns_to_s

SCHEMA = 1
"""Version of the measurement's fields, on the wire and in files."""


class Status(StrEnum):
    """How the code in a window ended."""

    OK = "ok"
    ERROR = "error"
    INTERRUPTED = "interrupted"
    OPEN = "open"


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A stretch of time with a name. ``t0_ns`` and ``t1_ns`` are monotonic; ``started_at`` is UTC."""

    id: str
    label: str
    cell_id: str | None
    execution_count: int | None
    parent_id: str | None
    t0_ns: int
    t1_ns: int
    started_at: datetime
    status: Status

    @property
    def duration_s(self) -> float:
        """Seconds from the window's opening to its close."""
        return ns_to_s(self.t1_ns - self.t0_ns)


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainEnergy:
    """The energy of one domain in one window.

    ``gross_j`` is everything the domain used; ``idle_j`` what it would have used with nothing running (None
    where no baseline is known); ``process_j`` this process's share, a model (None where it cannot be told).
    ``u_j`` is the standard uncertainty, ``low_j`` to ``high_j`` the 95 % interval. ``coverage`` is the share
    of the window (0 to 1) that readings stand for.

    ``idle_u_j`` is the standard uncertainty of ``idle_j``, ``idle_basis`` what that rests on; ``process_note`` one
    clause on how ``process_j`` came about, or why there is none.
    """

    domain: Domain
    gross_j: float
    idle_j: float | None
    process_j: float | None
    u_j: float
    low_j: float
    high_j: float
    method: Method
    coverage: float
    idle_u_j: float | None = None
    idle_basis: IdleBasis | None = None
    process_note: str = ""

    @property
    def net_j(self) -> float | None:
        """Energy above idle, 0 where it was no more than idle; None where no baseline is known."""
        return None if self.idle_j is None else max(0.0, self.gross_j - self.idle_j)

    @property
    def net_u_j(self) -> float | None:
        """Standard uncertainty of ``net_j``; None where no baseline, or not its uncertainty, is known.

        A counter's two readings err independently (GUM, JCGM 100:2008, 5.1.2). A model errs the same way at idle
        and at work, so that what it errs by at idle is gone from the difference (GUM 5.2.2, correlation 1).
        """
        if self.idle_j is None or self.idle_u_j is None:
            return None
        if self.method is Method.ESTIMATED:
            return abs(self.u_j - self.idle_u_j)
        return math.hypot(self.u_j, self.idle_u_j)


@dataclass(frozen=True, kw_only=True)  # no slots: the totals are worked out once and kept in the instance
class Measurement:
    """What one window cost on one host. Frozen: a change makes a new one."""

    schema: int = SCHEMA
    window: Window
    energies: tuple[DomainEnergy, ...]
    faults: tuple[Fault, ...]
    host: str
    overhead_s: float
    footprint: Footprint | None = None
    lines: Lines | None = None

    @cached_property
    def roots(self) -> tuple[DomainEnergy, ...]:
        """The energies that no other measured energy contains."""
        present = {energy.domain for energy in self.energies}
        return tuple(energy for energy in self.energies if not contained(energy.domain, present))

    @cached_property
    def total_j(self) -> float | None:
        """Joules of all roots, so that no joule counts twice; None where nothing could be measured."""
        return math.fsum(energy.gross_j for energy in self.roots) if self.energies else None

    @property
    def u_j(self) -> float | None:
        """Standard uncertainty of the total; None where nothing could be measured."""
        if self.low_j is None or self.high_j is None:
            return None
        return standard_uncertainty(self.low_j, self.high_j)

    @cached_property
    def low_j(self) -> float | None:
        """Lower end of the total's 95 % interval; None where nothing could be measured."""
        total = self.total_j
        return None if total is None else max(0.0, total - half_width_j(self.roots, below=True))

    @cached_property
    def high_j(self) -> float | None:
        """Upper end of the total's 95 % interval; None where nothing could be measured."""
        total = self.total_j
        return None if total is None else total + half_width_j(self.roots, below=False)

    @property
    def idle_j(self) -> float | None:
        """Joules that idling would have cost; None unless every root has a baseline."""
        return _sum_if_all([energy.idle_j for energy in self.roots])

    @property
    def net_j(self) -> float | None:
        """Joules above idle, 0 where it was no more than idle; None unless every root has a baseline."""
        return None if self.idle_j is None or self.total_j is None else max(0.0, self.total_j - self.idle_j)

    @property
    def net_u_j(self) -> float | None:
        """Standard uncertainty of ``net_j``: models err together, sensors each for itself. None as there."""
        uncertainties = [(energy.method, energy.net_u_j) for energy in self.roots]
        known = [(method, u_j) for method, u_j in uncertainties if u_j is not None]
        if not known or len(known) < len(uncertainties):
            return None
        modelled = math.fsum(u_j for method, u_j in known if method is Method.ESTIMATED)
        return math.hypot(modelled, *(u_j for method, u_j in known if method is not Method.ESTIMATED))

    @property
    def process_j(self) -> float | None:
        """This process's joules, a model; None unless every root has a share."""
        return _sum_if_all([energy.process_j for energy in self.roots])

    @property
    def method(self) -> Method | None:
        """The worst method among the roots; None where nothing could be measured."""
        return Method.worst(energy.method for energy in self.roots)

    @cached_property
    def partial(self) -> bool:
        """Whether something that should have been counted is missing from the total."""
        return not self.energies or bool(self.faults) or any(energy.coverage < 1 for energy in self.roots)

    @property
    def duration_s(self) -> float:
        """Seconds from the window's opening to its close."""
        return self.window.duration_s

    @property
    def mean_w(self) -> float | None:
        """Mean watts over the window; None where nothing could be measured or no time passed."""
        total = self.total_j
        return None if total is None or self.duration_s <= 0 else total / self.duration_s

    @property
    def co2e_g(self) -> float | None:
        """Grams of CO2 equivalent; None where there are no joules or no intensity."""
        return None if self.footprint is None else self.footprint.g_co2e

    def to_dict(self) -> dict[str, Any]:
        """This measurement as plain JSON values; its fields are those of :mod:`greennb.model.wire`."""
        from greennb.model.wire import measurement_to_dict

        return measurement_to_dict(self)

    def to_pandas(self) -> Any:
        """A pandas DataFrame with one row a domain (units are in the column names)."""
        import pandas  # only for who asks for it: pandas is no dependency of the model

        return pandas.DataFrame(self.to_dict()["domains"])


def standard_uncertainty(low: float, high: float) -> float:
    """Standard uncertainty of a value with this 95 % interval, were it normal (half-width / 1.96)."""
    return (high - low) / (2 * 1.96)


def contained(domain: Domain, present: set[Domain]) -> bool:
    """Whether a domain that is present contains ``domain``, directly or further out."""
    outer = domain.inside
    while outer is not None:
        if outer in present:
            return True
        outer = outer.inside
    return False


def _sum_if_all(parts: Sequence[float | None]) -> float | None:
    known = [part for part in parts if part is not None]
    return math.fsum(known) if parts and len(known) == len(parts) else None


def half_width_j(energies: Sequence[DomainEnergy], *, below: bool) -> float:
    """Half-width of a sum's 95 % interval on one side, in joules: of one window's roots or of many windows'.

    Counters err independently of each other: their half-widths add in quadrature (GUM, JCGM 100:2008, 5.1).
    Estimates share one model and err together: theirs add up (GUM 5.2.2, note 1, correlation 1). Integrated power
    is off by its sensor's accuracy, the same way in each window: one domain's add up, different domains' do not.
    """
    modelled = 0.0
    halves: list[float] = []
    sensors: dict[Domain, float] = {}
    for energy in energies:
        half = energy.gross_j - energy.low_j if below else energy.high_j - energy.gross_j
        if energy.method is Method.ESTIMATED:
            modelled += half
        elif energy.method is Method.INTEGRATED:
            sensors[energy.domain] = sensors.get(energy.domain, 0.0) + half
        else:
            halves.append(half)
    return math.hypot(modelled, *halves, *sensors.values())
