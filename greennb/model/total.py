"""The sum of several measurements: a notebook's cells, a table's rows. One place for what a sum may claim."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from greennb.model.measurement import Measurement, half_width_j
from greennb.model.reading import Method


@dataclass(frozen=True, slots=True, kw_only=True)
class Total:
    """What several windows that do not overlap cost together.

    ``low_j`` to ``high_j`` is the 95 % interval, made as a measurement's own: counters' half-widths add in
    quadrature, estimates' add up because they share one model. ``method`` is the worst part's. ``partial`` says
    that something which should have been counted is missing. ``net_j`` and ``co2e_g`` are None unless every
    part has them.
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


def _all_or_none(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return math.fsum(known) if values and len(known) == len(values) else None
