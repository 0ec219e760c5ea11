"""The sum of several measurements: a notebook's cells, a table's rows. One place for what a sum may claim."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from greennb.model.measurement import DomainEnergy, Measurement, half_width_j, standard_uncertainty
from greennb.model.reading import Domain, Method


@dataclass(frozen=True, slots=True, kw_only=True)
class Total:
    """What several windows that do not overlap cost together.

    ``low_j`` to ``high_j`` is the 95 % interval, made as a measurement's own
    (:func:`greennb.model.measurement.half_width_j`). ``method`` is the worst part's. ``partial`` says that something
    which should have been counted is missing. ``net_j`` and ``co2e_g`` are None unless every part has them.
    """

    total_j: float | None
    low_j: float | None
    high_j: float | None
    net_j: float | None
    method: Method | None
    partial: bool
    duration_s: float
    co2e_g: float | None

    @classmethod
    def of(cls, parts: Sequence[Measurement | None]) -> Total:
        """The total of ``parts``; None stands for a window that should have been measured and was not."""
        present = [part for part in parts if part is not None]
        measured = [part for part in present if part.total_j is not None]
        roots = [energy for part in measured for energy in part.roots]
        total_j = math.fsum(energy.gross_j for energy in roots) if measured else None
        return cls(
            total_j=total_j,
            low_j=None if total_j is None else max(0.0, total_j - half_width_j(roots, below=True)),
            high_j=None if total_j is None else total_j + half_width_j(roots, below=False),
            net_j=_all_or_none([part.net_j for part in measured]),
            method=Method.worst(energy.method for energy in roots),
            partial=len(present) < len(parts) or any(part.partial for part in present),
            duration_s=math.fsum(part.duration_s for part in present),
            co2e_g=_all_or_none([part.co2e_g for part in measured]),
        )


def domain_totals(parts: Iterable[Measurement]) -> list[DomainEnergy]:
    """The energy of each root domain over windows that do not overlap, one for each method it was measured by.

    The largest comes first. ``coverage`` is the mean over time; ``idle_j`` and ``process_j`` need every part,
    ``idle_basis`` is the latest's.
    """
    groups: dict[tuple[Domain, Method], list[tuple[DomainEnergy, float]]] = {}
    for part in parts:
        for energy in part.roots:
            groups.setdefault((energy.domain, energy.method), []).append((energy, part.duration_s))
    return sorted((_joined(group) for group in groups.values()), key=lambda energy: -energy.gross_j)


def _joined(group: Sequence[tuple[DomainEnergy, float]]) -> DomainEnergy:
    energies = [energy for energy, _duration_s in group]
    gross_j = math.fsum(energy.gross_j for energy in energies)
    below, above = half_width_j(energies, below=True), half_width_j(energies, below=False)
    time_s = math.fsum(duration_s for _energy, duration_s in group)
    covered_s = math.fsum(energy.coverage * duration_s for energy, duration_s in group)
    return DomainEnergy(
        domain=energies[0].domain,
        gross_j=gross_j,
        idle_j=_all_or_none([energy.idle_j for energy in energies]),
        idle_u_j=_all_or_none([energy.idle_u_j for energy in energies]),  # of one baseline: its error comes each time
        idle_basis=energies[-1].idle_basis,
        process_j=_all_or_none([energy.process_j for energy in energies]),
        u_j=standard_uncertainty(gross_j - below, gross_j + above),
        low_j=max(0.0, gross_j - below),
        high_j=gross_j + above,
        method=energies[0].method,
        coverage=covered_s / time_s if time_s > 0 else min(energy.coverage for energy in energies),
    )


def _all_or_none(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return math.fsum(known) if values and len(known) == len(values) else None
