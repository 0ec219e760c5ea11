"""The idle baseline: what the machine draws with nothing running, when that was seen, and for how long it holds.

Three ways to it, best first: somebody asked for it (:class:`Baseline`, ``%energy_baseline``); it was learnt between
two windows (:mod:`greennb.meter.passive`); it is the idle figure of the model behind an estimate.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from greennb.model.idle import FRESH as FRESH
from greennb.model.idle import IdleBasis, IdleOrigin
from greennb.model.measurement import Measurement, standard_uncertainty
from greennb.model.reading import Domain, Method
from greennb.sources.base import Channel


class IdlePower(NamedTuple):
    """Watts of one domain while idle, their standard uncertainty, and what they rest on."""

    w: float
    u_w: float
    basis: IdleBasis


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """Watts by domain while idle, measured over ``duration_s`` from ``measured_at`` on.

    ``u_watts`` are their standard uncertainties. ``busy`` is the share of the machine's CPU time (0 to 1) that was in
    use meanwhile, None where that is not known.
    """

    watts: Mapping[Domain, float]
    measured_at: datetime
    duration_s: float
    u_watts: Mapping[Domain, float]
    busy: float | None = None

    @classmethod
    def of(cls, measurement: Measurement, busy: float | None = None) -> Baseline:
        """The baseline that a measurement of an idle machine gives; domains with gaps are left out."""
        duration_s = measurement.duration_s
        whole = [energy for energy in measurement.energies if energy.coverage >= 1 and duration_s > 0]
        return cls(
            watts={energy.domain: energy.gross_j / duration_s for energy in whole},
            u_watts={energy.domain: energy.u_j / duration_s for energy in whole},
            measured_at=measurement.window.started_at,
            duration_s=duration_s,
            busy=busy,
        )

    def power(self, domain: Domain) -> IdlePower | None:
        """Idle power of ``domain``; None where it has no baseline."""
        watts = self.watts.get(domain)
        if watts is None:
            return None
        basis = IdleBasis(
            origin=IdleOrigin.ASKED, as_of=self.measured_at, over_s=self.duration_s, busy=self.busy
        )  # fmt: skip
        return IdlePower(watts, self.u_watts.get(domain, 0.0), basis)

    def age(self, now: datetime) -> timedelta:
        """Time since it was measured."""
        return now - self.measured_at

    def stale(self, now: datetime) -> bool:
        """Whether it is too old to be relied on."""
        return self.age(now) > FRESH


def modelled(channel: Channel) -> IdlePower | None:
    """The idle figure of the model behind an estimate, with its own interval; None where there is no model."""
    if channel.method is not Method.ESTIMATED or channel.idle_w is None:
        return None
    value_w, low_w, high_w = channel.idle_w
    return IdlePower(value_w, standard_uncertainty(low_w, high_w), IdleBasis(origin=IdleOrigin.MODEL))


def chosen(
    channel: Channel, at: datetime, asked: IdlePower | None, learnt: IdlePower | None
) -> IdlePower | None:  # fmt: skip
    """The idle power to go by for a window that began ``at``: what was asked for while fresh, then what was learnt.

    An estimate goes by its own model instead of what was learnt from it, which is no more than that model with a
    little work in it. What is stale is better than nothing, and says so: then the younger of the two.
    """
    if asked is not None and not asked.basis.stale(at):
        return asked
    model = modelled(channel)
    if model is not None:
        return model
    if learnt is not None and (asked is None or not learnt.basis.stale(at)):
        return learnt
    return max(
        (power for power in (asked, learnt) if power is not None),
        key=lambda power: power.basis.as_of or at,
        default=None,
    )
