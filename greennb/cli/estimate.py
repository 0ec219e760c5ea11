"""``greennb estimate``: what given watts for given hours cost, for planning and for checking papers.

Nothing is measured: energy = W h, with the building's overhead E = PUE W h, CO2e = E I, as in Strubell, Ganesh and
McCallum 2019 (equation 1 with the powers already summed; they take PUE 1.58 and 0.954 lb/kWh).
"""

from __future__ import annotations

import argparse
import json
import math
from dataclasses import asdict, dataclass
from typing import Any

from greennb.carbon.convert import cost, footprint, sci
from greennb.carbon.given import positive, with_given
from greennb.carbon.intensity import resolve
from greennb.cli.grid import add_grid_options
from greennb.model.errors import BadInputError
from greennb.model.footprint import CarbonIntensity, Footprint, Origin
from greennb.model.units import g_to_kg, g_to_lb, j_to_kwh, j_to_mj, w_h_to_j
from greennb.settings import Settings
from greennb.views.format import plain

SCHEMA = 1
METHOD = "given, not measured"
_UNIT_COLUMNS = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What the given figures come to. ``cost`` and ``sci_g`` are None where no price or no units were given."""

    watts: float
    hours: float
    footprint: Footprint
    cost: float | None
    currency: str
    units: float | None
    unit: str
    sci_g: float | None

    @property
    def total_j(self) -> float:
        """Joules with the building's overhead."""
        return self.footprint.energy_j * self.footprint.pue


def add_parser(subparsers: Any) -> None:
    """Add ``estimate`` to ``subparsers`` of the ``greennb`` command."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "estimate",
        help="plan with watts and hours, or check a paper",
        description="Energy, CO2e and cost of given watts for given hours. Nothing is measured.",
        epilog="example: greennb estimate --watts 1415.78 --hours 12 --pue 1.58 --intensity 432.7",
        allow_abbrev=False,
    )
    parser.add_argument("--watts", type=float, required=True, metavar="W", help="mean power of all the hardware")
    parser.add_argument("--hours", type=float, required=True, metavar="H", help="how long")
    add_grid_options(parser, pue="GREENNB_PUE, or 1", zone="guessed from the time zone")
    parser.add_argument("--per", type=float, metavar="N", help="units of work done: adds CO2e a unit (ISO/IEC 21031)")
    parser.add_argument("--unit", default="unit", metavar="NAME", help='what --per counts, like "predictions"')
    parser.add_argument("--price", type=float, metavar="X", help="price of a kWh: adds the cost (GREENNB_PRICE)")
    parser.add_argument("--json", action="store_true", help="print JSON for a machine to read")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the plan; 0. Raises BadInputError for a figure that makes none, UnknownZoneError for an unknown place."""
    plan = make_plan(args, Settings.from_environment())
    print(json.dumps(_to_dict(plan), indent=2) if args.json else "\n".join(_lines(plan)))
    return 0


def make_plan(args: argparse.Namespace, settings: Settings) -> Plan:
    """The plan that the options ask for; what they leave out comes from ``settings``."""
    watts = positive("--watts", args.watts, "watts")
    hours = positive("--hours", args.hours, "hours")
    settings = _with_options(settings, args)
    intensity = resolve(settings, wait=True)
    energy_j = w_h_to_j(watts, hours)
    if not math.isfinite(energy_j):
        raise BadInputError("--watts times --hours is larger than any number: give less.")
    result = footprint(energy_j, intensity, settings.pue)
    units = None if args.per is None else positive("--per", args.per, "units of work")
    return Plan(
        watts=watts, hours=hours, footprint=result,
        cost=cost(energy_j, settings.price, settings.pue) if settings.price else None, currency=settings.currency,
        units=units, unit=args.unit,
        sci_g=None if units is None else sci(energy_j * settings.pue, intensity.g_per_kwh, units),
    )  # fmt: skip


def _with_options(settings: Settings, args: argparse.Namespace) -> Settings:
    changed = with_given(settings, pue=args.pue, intensity=args.intensity, zone=args.zone)
    return changed if args.price is None else changed.changed(price=args.price)


def _lines(plan: Plan) -> list[str]:
    result = plan.footprint
    intensity = result.intensity
    lines = [
        f"{plan.watts:,.12g} W for {plan.hours:,.12g} h ({METHOD})",
        _row("energy", result.energy_j),
        _row(f"with PUE {result.pue:g}", plan.total_j),
        f"  {'CO2e':<16}{_number(g_to_kg(result.g_co2e)):>12} kg  {_number(g_to_lb(result.g_co2e)):>12} lb",
    ]
    if result.low_g is not None and result.high_g is not None:
        low, high = (_number(g_to_kg(g)) for g in (result.low_g, result.high_g))
        lines.append(f"  {'':<16}{low:>12} kg  to {high} kg")
    lines.append(f"  {'intensity':<16}{_number(intensity.g_per_kwh):>12} g/kWh ({_whence(intensity)})")
    if intensity.note:
        lines.append(f"  {'':<16}note: {intensity.note}")
    if plan.cost is not None:
        lines.append(f"  {'cost':<16}{_number(plan.cost):>12} {plan.currency}")
    if plan.sci_g is not None and plan.units is not None:
        lines.append(
            f"  {'a unit':<16}{_number(plan.sci_g):>12} g CO2e ({_number(plan.units)} "
            f"{plain(plan.unit, _UNIT_COLUMNS)}; SCI, ISO/IEC 21031, without making the hardware)"
        )
    return lines


def _whence(intensity: CarbonIntensity) -> str:
    """Where an intensity comes from, in words."""
    if intensity.origin is Origin.USER:
        return "your own figure"
    parts = (intensity.zone, intensity.origin if intensity.zone != intensity.origin else "", intensity.provider)
    return ", ".join(part for part in (*parts, intensity.as_of) if part)


def _row(name: str, energy_j: float) -> str:
    return f"  {name:<16}{_number(j_to_kwh(energy_j)):>12} kWh {_number(j_to_mj(energy_j)):>12} MJ"


def _number(value: float) -> str:
    """Four significant digits at least, and every digit before the point, with thousands set apart."""
    if value == 0:
        return "0"
    decimals = max(0, 3 - math.floor(math.log10(abs(value))))
    if decimals > 9:
        return f"{value:.3e}"
    text = f"{value:,.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _to_dict(plan: Plan) -> dict[str, Any]:
    result = plan.footprint
    return {
        "schema": SCHEMA,
        "method": METHOD,
        "watts": plan.watts,
        "hours": plan.hours,
        "pue": result.pue,
        "energy_j": result.energy_j,
        "energy_kwh": j_to_kwh(result.energy_j),
        "total_j": plan.total_j,
        "total_kwh": j_to_kwh(plan.total_j),
        "co2e_g": result.g_co2e,
        "co2e_low_g": result.low_g,
        "co2e_high_g": result.high_g,
        "co2e_kg": g_to_kg(result.g_co2e),
        "co2e_lb": g_to_lb(result.g_co2e),
        "intensity": asdict(result.intensity),
        "cost": plan.cost,
        "currency": plan.currency if plan.cost is not None else None,
        "units": plan.units,
        "unit": plan.unit if plan.units is not None else None,
        "sci_g": plan.sci_g,
    }
