"""Where electricity comes from, as a command is told it: --pue, and --intensity or --zone."""

from __future__ import annotations

import argparse
import math

from greennb.model.errors import BadInputError
from greennb.settings import Settings


def add_grid_options(parser: argparse.ArgumentParser, *, pue: str, zone: str) -> None:
    """Add the options; ``pue`` and ``zone`` say what holds where they are not given."""
    parser.add_argument("--pue", type=float, metavar="P", help=f"the building's overhead, at least 1 ({pue})")
    carbon = parser.add_mutually_exclusive_group()
    carbon.add_argument("--intensity", type=float, metavar="G", help="grams of CO2e a kWh")
    carbon.add_argument("--zone", metavar="Z", help=f'where: "FRA", "USA/California", "gcp/europe-west1" ({zone})')


def with_grid(settings: Settings, args: argparse.Namespace) -> Settings:
    """``settings`` with the options that were given; each of --zone and --intensity puts the other's setting aside.

    Raises:
        BadInputError: a figure that makes none, or an empty zone.
    """
    changes: dict[str, float | str] = {}
    if args.pue is not None:
        changes["pue"] = args.pue
    if args.intensity is not None:
        changes["intensity"] = positive("--intensity", args.intensity, "grams of CO2e a kWh")
        changes["zone"] = ""
    if args.zone is not None:
        changes["zone"] = args.zone
        changes["intensity"] = 0.0
        if not args.zone.strip():
            raise BadInputError('--zone is empty: give a country ("FRA"), "USA/California" or "gcp/europe-west1".')
    return settings.changed(**changes)


def positive(option: str, value: float, what: str) -> float:
    """``value``, which must be a number above 0.

    Raises:
        BadInputError: it is not.
    """
    if not 0 < value < math.inf:
        raise BadInputError(f"{option} is {value:g}: give {what} as a number above 0.")
    return value
