"""What an idle power rests on: how it came about, when, over how long, and how quiet the machine was."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

FRESH = timedelta(hours=1)
"""A baseline older than this says that it is old: temperature, clocks and neighbours change. Our choice."""


class IdleOrigin(StrEnum):
    """Where an idle power comes from."""

    ASKED = "asked"
    """Somebody asked for it (``%energy_baseline``)."""
    LEARNT = "learnt"
    """It was learnt between two windows, while nothing ran."""
    MODEL = "model"
    """It is the idle figure of the model that the estimate comes from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IdleBasis:
    """The conditions of one domain's idle power.

    ``as_of`` is when it was seen (UTC; None for a model), ``over_s`` for how many seconds, ``busy`` the share of the
    machine's CPU time (0 to 1) that was in use meanwhile, None where that is not known.
    """

    origin: IdleOrigin
    as_of: datetime | None = None
    over_s: float = 0.0
    busy: float | None = None

    def age(self, at: datetime) -> timedelta | None:
        """How old it is at the time ``at``; None for a model, which does not age."""
        return None if self.as_of is None else at - self.as_of

    def stale(self, at: datetime) -> bool:
        """Whether it is too old at the time ``at`` to be relied on."""
        age = self.age(at)
        return age is not None and age > FRESH
