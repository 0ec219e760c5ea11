"""What a person asked to see of a measurement, beyond what it always shows."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from greennb.carbon.convert import cost
from greennb.model.measurement import Measurement
from greennb.views.above_idle import net_words
from greennb.views.format import co2e, energy, joules, money, percent, plain


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """Options of one showing.

    Attributes:
        net: lead with the joules above idle.
        carbon: show grams at all.
        budget_j: joules that the work was given; None gave it none.
        per: functional units done (the R of ISO/IEC 21031), None counts none; ``unit`` is what they are.
        price: price of a kWh in ``currency``; 0 shows none.
    """

    net: bool = False
    carbon: bool = True
    budget_j: float | None = None
    per: float | None = None
    unit: str = ""
    price: float = 0.0
    currency: str = ""

    def to_dict(self) -> dict[str, Any]:
        """The options that differ from showing plainly, as JSON values."""
        options = ((field, getattr(self, field.name)) for field in fields(self))
        return {field.name: value for field, value in options if value != field.default}

    def total(self, measurement: Measurement) -> str:
        """The number that leads: gross with its interval, or the joules above idle and what they are part of."""
        gross = energy(measurement.total_j, measurement.low_j, measurement.high_j, measurement.method)
        if not self.net or measurement.total_j is None:
            return gross
        if measurement.net_j is None:
            return f"{gross}, no idle baseline to take off"
        return f"{net_words(measurement)}, of {gross}"

    def extras(self, measurement: Measurement) -> list[str]:
        """The budget, the price and the cost of a unit, in words; nothing where there are no joules."""
        total_j = measurement.total_j
        if total_j is None:
            return []
        words = [self._budget(total_j)] if self.budget_j else []
        if self.price > 0:
            pue = 1.0 if measurement.footprint is None else measurement.footprint.pue
            words.append(money(cost(total_j, self.price, pue), self.currency, measurement.method))
        if self.per:
            words.append(self._each(measurement, total_j, self.per))
        return words

    def over_budget(self, measurement: Measurement) -> bool:
        """Whether the total is above the budget."""
        return bool(self.budget_j) and (measurement.total_j or 0.0) > (self.budget_j or 0.0)

    def _budget(self, total_j: float) -> str:
        budget_j = self.budget_j or 0.0
        if total_j > budget_j:
            return f"over its budget of {joules(budget_j)} by {percent(total_j / budget_j - 1)}"
        return f"{percent(total_j / budget_j)} of its budget of {joules(budget_j)}"

    def _each(self, measurement: Measurement, total_j: float, per: float) -> str:
        each = joules(total_j / per, measurement.method)
        if self.carbon and measurement.co2e_g is not None:
            each += f" and {co2e(measurement.co2e_g / per, measurement.method)}"
        return f"{each} for each of {per:g} {plain(self.unit, 30) or 'units'}"


PLAINLY = Shown()
"""Nothing beyond what is always shown."""
