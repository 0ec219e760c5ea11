"""The same work measured several times: its mean, its scatter, and what repeating cannot average away."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from greennb.model.measurement import SCHEMA, DomainEnergy, Measurement, half_width_j
from greennb.model.reading import Method
from greennb.model.student import t95


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """Repetitions of one piece of work, in the order they ran.

    Two intervals, both 95 %. ``low_j`` to ``high_j`` is the mean's by the scatter of the repetitions (Student's t):
    it shrinks as they grow in number. ``total_low_j`` to ``total_high_j`` adds what their errors have in common::

        scatter  = t95(n - 1) sd / sqrt(n)
        readings = sqrt(sum of the counters' half-widths squared) / n     (independent from one run to the next)
        common   = mean of the estimates' and integrations' half-widths   (one model, one sensor's accuracy:
                                                                           they err the same way each time)
        total half-width = hypot(max(scatter, readings), common)

    The scatter already holds the readings' own error, so the larger of the two counts, not both. With a single
    repetition there is no scatter, and the total interval is that measurement's own.
    """

    label: str
    measurements: tuple[Measurement, ...]

    @property
    def totals_j(self) -> tuple[float, ...]:
        """The joules of the repetitions that have a total."""
        return tuple(run.total_j for run in self.measurements if run.total_j is not None)

    @property
    def n(self) -> int:
        """Repetitions that have a total."""
        return len(self.totals_j)

    @property
    def missing(self) -> int:
        """Repetitions without a total: they are in no mean."""
        return len(self.measurements) - self.n

    @property
    def mean_j(self) -> float | None:
        """Mean joules of a repetition; None where none has a total."""
        return math.fsum(self.totals_j) / self.n if self.n else None

    @property
    def sd_j(self) -> float | None:
        """Sample standard deviation in joules; None with fewer than two totals."""
        return None if self.n < 2 else _sd(self.totals_j)

    @property
    def half_width_j(self) -> float | None:
        """Half-width of the mean's 95 % interval by scatter; None with fewer than two totals."""
        sd = self.sd_j
        return None if sd is None else t95(self.n - 1) * sd / math.sqrt(self.n)

    @property
    def low_j(self) -> float | None:
        """Lower end of the mean's 95 % interval by scatter, at least 0; None with fewer than two totals."""
        return None if self.half_width_j is None else max(0.0, (self.mean_j or 0.0) - self.half_width_j)

    @property
    def high_j(self) -> float | None:
        """Upper end of the mean's 95 % interval by scatter; None with fewer than two totals."""
        return None if self.half_width_j is None else (self.mean_j or 0.0) + self.half_width_j

    @property
    def relative_half_width(self) -> float | None:
        """The scatter's half-width as a share of the mean; None where either is missing or the mean is 0."""
        return self.half_width_j / self.mean_j if self.half_width_j is not None and self.mean_j else None

    @property
    def total_low_j(self) -> float | None:
        """Lower end of the 95 % interval with what repeating cannot mend; None where nothing was measured."""
        return None if self.mean_j is None else max(0.0, self.mean_j - self._total_half_j(below=True))

    @property
    def total_high_j(self) -> float | None:
        """Upper end of the 95 % interval with what repeating cannot mend; None where nothing was measured."""
        return None if self.mean_j is None else self.mean_j + self._total_half_j(below=False)

    @property
    def mean_s(self) -> float | None:
        """Mean seconds of the repetitions that have a total."""
        runs = [run.duration_s for run in self.measurements if run.total_j is not None]
        return math.fsum(runs) / len(runs) if runs else None

    @property
    def method(self) -> Method | None:
        """The worst method of any repetition; None where nothing could be measured."""
        return Method.worst(run.method for run in self.measurements if run.method is not None)

    @property
    def partial(self) -> bool:
        """Whether a repetition is missing, or something is missing from one."""
        return not self.n or any(run.partial for run in self.measurements)

    def to_dict(self) -> dict[str, Any]:
        """This series as plain JSON values, each repetition with all that it has."""
        return {
            "schema": SCHEMA,
            "label": self.label,
            "n": self.n,
            "missing": self.missing,
            "mean_j": self.mean_j,
            "sd_j": self.sd_j,
            "low_j": self.low_j,
            "high_j": self.high_j,
            "relative_half_width": self.relative_half_width,
            "total_low_j": self.total_low_j,
            "total_high_j": self.total_high_j,
            "mean_s": self.mean_s,
            "method": None if self.method is None else self.method.value,
            "partial": self.partial,
            "measurements": [run.to_dict() for run in self.measurements],
        }

    def _total_half_j(self, *, below: bool) -> float:
        runs = [run.roots for run in self.measurements if run.total_j is not None]
        common = math.fsum(half_width_j(_others(roots), below=below) for roots in runs) / self.n
        readings = math.hypot(*(half_width_j(_counters(roots), below=below) for roots in runs)) / self.n
        return math.hypot(max(self.half_width_j or 0.0, readings), common)


def _counters(energies: Sequence[DomainEnergy]) -> list[DomainEnergy]:
    return [energy for energy in energies if energy.method is Method.COUNTER]


def _others(energies: Sequence[DomainEnergy]) -> list[DomainEnergy]:
    return [energy for energy in energies if energy.method is not Method.COUNTER]


def _sd(values: Sequence[float]) -> float:
    mean = math.fsum(values) / len(values)
    return math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1))
