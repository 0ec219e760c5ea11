"""From joules to what they mean: grams of CO2e, money, and the rate per unit of work."""

from __future__ import annotations

from greennb.model.errors import BadInputError
from greennb.model.footprint import CarbonIntensity, Footprint
from greennb.model.units import j_to_kwh


def footprint(energy_j: float, intensity: CarbonIntensity, pue: float = 1.0) -> Footprint:
    """What ``energy_j`` joules at the machine emit, in a building that uses ``pue`` times as much.

    Raises:
        BadInputError: energy or intensity is negative or no number, or ``pue`` is below 1.
    """
    _require("pue", pue, 1.0)
    _require("intensity", intensity.g_per_kwh)
    return Footprint(energy_j=_require("energy", energy_j), pue=pue, intensity=intensity)


def cost(energy_j: float, price: float, pue: float = 1.0) -> float:
    """What ``energy_j`` joules cost at ``price`` a kWh, in the price's currency, with the building's overhead ``pue``.

    Raises:
        BadInputError: energy or price is negative or no number, or ``pue`` is below 1.
    """
    return j_to_kwh(_require("energy", energy_j)) * _require("pue", pue, 1.0) * _require("price", price)


def sci(energy_j: float, intensity_g: float, units: float, embodied_g: float = 0.0) -> float:
    """Software Carbon Intensity: grams of CO2e per functional unit, (E I + M) / R of ISO/IEC 21031:2024.

    E is ``energy_j`` (with the building's overhead, if it is to count), I is ``intensity_g`` in g/kWh and
    location-based, M is ``embodied_g``, the share of the hardware's making, R is ``units``: predictions, users, runs.

    Raises:
        BadInputError: a negative figure, or not more than 0 units.
    """
    if not 0 < units < float("inf"):
        raise BadInputError(f"per is {units:g}: give the number of units of work, more than 0.")
    operational_g = j_to_kwh(_require("energy", energy_j)) * _require("intensity", intensity_g)
    return (operational_g + _require("embodied", embodied_g)) / units


def _require(name: str, value: float, floor: float = 0.0) -> float:
    """``value``, which must be a number of at least ``floor``."""
    if not floor <= value < float("inf"):
        raise BadInputError(f"{name} is {value:g}: give a number of at least {floor:g}.")
    return value
