"""Where electricity comes from, as a command is told it: --pue, and --intensity or --zone."""

from __future__ import annotations

import argparse


def add_grid_options(parser: argparse.ArgumentParser, *, pue: str, zone: str) -> None:
    """Add the options; ``pue`` and ``zone`` say what holds where they are not given."""
    parser.add_argument("--pue", type=float, metavar="P", help=f"the building's overhead, at least 1 ({pue})")
    carbon = parser.add_mutually_exclusive_group()
    carbon.add_argument("--intensity", type=float, metavar="G", help="grams of CO2e a kWh")
    carbon.add_argument("--zone", metavar="Z", help=f'where: "FRA", "USA/California", "gcp/europe-west1" ({zone})')
