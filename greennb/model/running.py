"""A total that grows: what a session's cells cost together, without going through all of them for each new one."""

from __future__ import annotations

import math

from greennb.model.measurement import Measurement
from greennb.model.reading import Domain, Method
from greennb.model.total import Total


class RunningTotal:
    """The :class:`~greennb.model.total.Total` of the measurements added so far: the same numbers, in constant time."""

    def __init__(self) -> None:
        self.runs = 0
        self._measured = 0
        self._total_j = self._duration_s = 0.0
        self._net_j: float | None = 0.0
        self._co2e_g: float | None = 0.0
        self._method: Method | None = None
        self._partial = False
        self._below, self._above = _Half(), _Half()

    def add(self, part: Measurement) -> None:
        """One more window, which overlaps none of the others."""
        self.runs += 1
        self._duration_s += part.duration_s
        self._partial = self._partial or part.partial
        if part.total_j is None:
            return
        self._measured += 1
        self._total_j += part.total_j
        self._net_j = _both(self._net_j, part.net_j)
        self._co2e_g = _both(self._co2e_g, part.co2e_g)
        for energy in part.roots:
            self._method = Method.worst(m for m in (self._method, energy.method) if m is not None)
            self._below.add(energy.domain, energy.method, energy.gross_j - energy.low_j)
            self._above.add(energy.domain, energy.method, energy.high_j - energy.gross_j)

    @property
    def total(self) -> Total:
        """What they cost together, up to now."""
        known = self._measured > 0
        return Total(
            total_j=self._total_j if known else None,
            low_j=max(0.0, self._total_j - self._below.width_j) if known else None,
            high_j=self._total_j + self._above.width_j if known else None,
            net_j=self._net_j if known else None,
            method=self._method,
            partial=self._partial,
            duration_s=self._duration_s,
            co2e_g=self._co2e_g if known else None,
        )


class _Half:
    """One side of the sum's 95 % interval, by the rules of :func:`greennb.model.measurement.half_width_j`."""

    def __init__(self) -> None:
        self._modelled = self._squares = 0.0
        self._sensors: dict[Domain, float] = {}

    def add(self, domain: Domain, method: Method, half_j: float) -> None:
        if method is Method.ESTIMATED:
            self._modelled += half_j
        elif method is Method.INTEGRATED:
            self._sensors[domain] = self._sensors.get(domain, 0.0) + half_j
        else:
            self._squares += half_j * half_j

    @property
    def width_j(self) -> float:
        return math.hypot(self._modelled, math.sqrt(self._squares), *self._sensors.values())


def _both(one: float | None, other: float | None) -> float | None:
    return None if one is None or other is None else one + other
