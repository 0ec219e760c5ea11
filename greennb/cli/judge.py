"""What a run's joules and their interval allow to be said of a limit. Pure functions; ``gate`` puts them in words."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

from greennb.model.measurement import DomainEnergy, half_width_j
from greennb.model.reading import Method
from greennb.model.run import NotebookRun


class Verdict(Enum):
    """How a value stands to its limit; the value is the exit status that says so."""

    WITHIN = 0
    OVER = 1
    CANNOT_TELL = 2

    @property
    def word(self) -> str:
        """The verdict as people say it."""
        return self.name.lower().replace("_", " ")


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A value with its 95 % interval, in whatever unit its limit has."""

    value: float
    low: float
    high: float

    def against(self, limit: float, *, by_value: bool = False) -> Verdict:
        """OVER where the whole interval is above ``limit``, WITHIN where none of it is, else CANNOT_TELL.

        ``by_value`` looks at the value alone, which always tells.
        """
        low, high = (self.value, self.value) if by_value else (self.low, self.high)
        if high <= limit:
            return Verdict.WITHIN
        return Verdict.OVER if low > limit else Verdict.CANNOT_TELL


def ratio(run: NotebookRun, baseline: NotebookRun) -> Estimate | None:
    """Joules of ``run`` over those of ``baseline`` with the 95 % interval; None where there is nothing to divide.

    Estimates of one machine share one model: whatever factor it is wrong by, both runs are wrong by it, and it
    cancels. So that factor is moved through its interval, the same for both. What else widens a window's interval
    (steps of the clock, short windows), counters, and estimates of two machines err independently: relative
    half-widths add in quadrature (GUM, JCGM 100:2008, 5.1.6).
    """
    ours, theirs = _roots(run), _roots(baseline)
    above, below = _sum_j(ours), _sum_j(theirs)
    if not ours or below <= 0:
        return None
    value = above / below
    model = _model([*ours, *theirs]) if run.host == baseline.host else _NO_MODEL
    ends = [value, *(_at_factor(ours, theirs, factor) for factor in model)]
    own_low = math.hypot(_own_share(ours, model, below=True), _own_share(theirs, model, below=False))
    own_high = math.hypot(_own_share(ours, model, below=False), _own_share(theirs, model, below=True))
    return Estimate(value=value, low=max(0.0, min(ends) - value * own_low), high=max(ends) + value * own_high)


def same_ground(run: NotebookRun, baseline: NotebookRun) -> bool:
    """Whether both runs were measured on the same kinds of domain by the same methods."""
    return _ground(run) == _ground(baseline)


def _ground(run: NotebookRun) -> set[tuple[str, str]]:
    return {(root.domain.kind.value, root.method.value) for root in _roots(run)}


def _roots(run: NotebookRun) -> list[DomainEnergy]:
    return [root for part in run.measurements for root in part.roots]


def _sum_j(energies: list[DomainEnergy]) -> float:
    return math.fsum(energy.gross_j for energy in energies)


def _modelled(energies: list[DomainEnergy]) -> list[DomainEnergy]:
    return [energy for energy in energies if energy.method is Method.ESTIMATED]


class _Model(NamedTuple):
    """The least and the greatest factor by which a model's joules may have to be multiplied, in every window alike."""

    least: float
    greatest: float


_NO_MODEL = _Model(1.0, 1.0)


def _model(energies: list[DomainEnergy]) -> _Model:
    """The factors that the tightest windows leave: what makes others wider is their own."""
    parts = [energy for energy in _modelled(energies) if energy.gross_j > 0]
    if not parts:
        return _NO_MODEL
    return _Model(
        max(part.low_j / part.gross_j for part in parts),
        min(part.high_j / part.gross_j for part in parts),
    )


def _at_factor(ours: list[DomainEnergy], theirs: list[DomainEnergy], factor: float) -> float:
    """The ratio, were the model wrong by ``factor``."""
    below = _sum_j(theirs) + (factor - 1) * _sum_j(_modelled(theirs))
    above = _sum_j(ours) + (factor - 1) * _sum_j(_modelled(ours))
    if below > 0:
        return above / below
    # Factor 0 and nothing but estimates: whatever the factor is, it cancels.
    return math.inf if above > 0 else _sum_j(ours) / _sum_j(theirs)


def _own_share(energies: list[DomainEnergy], model: _Model, *, below: bool) -> float:
    """The half-width of what errs independently of the other run, as a share of the sum."""

    def half(energy: DomainEnergy) -> float:
        factors = model if energy.method is Method.ESTIMATED else _NO_MODEL
        if below:
            return max(0.0, factors.least * energy.gross_j - energy.low_j)
        return max(0.0, energy.high_j - factors.greatest * energy.gross_j)

    total_j = _sum_j(energies)
    if model is _NO_MODEL:
        return half_width_j(energies, below=below) / total_j if total_j > 0 else 0.0
    return math.hypot(*map(half, energies)) / total_j if total_j > 0 else 0.0
