"""The carbon tables that codecarbon ships, read as files: importing codecarbon would load pandas.

All answers are in grams of CO2 equivalent a kWh. What each table holds, as of codecarbon 3.3:

* ``private_infra/global_energy_mix.json``: a country's yearly average in g/kWh, life cycle, by ISO 3166 alpha-3 code.
* ``private_infra/<year>/usa_emissions.json``: US states in lb/MWh (EPA eGRID, output emission rate).
* ``private_infra/<year>/canada_energy_mix.json``: shares of generation in percent of Canadian provinces.
* ``private_infra/<year>/china_provincial_emissions.json``, ``private_infra/nordic_emissions.json``: regions in g/kWh.
* ``private_infra/carbon_intensity_per_source.json``: g/kWh by kind of power station, and the world's average.
* ``cloud/impact.csv``: cloud regions in g/kWh, location-based.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from greennb.model.errors import BadInputError
from greennb.model.units import lb_per_mwh_to_g_per_kwh

_MIX_NAMES = {"naturalGas": "natural_gas", "gas": "natural_gas", "oil": "petroleum", "hydro": "hydroelectricity"}
_PER_SOURCE = "private_infra/carbon_intensity_per_source.json"
_SUMS = frozenset({"total", "fossil", "low_carbon", "renewables", "other_renewable", "other_renewable_exc_biofuel"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One zone of one table. ``weight_twh`` is its yearly generation where the table says, else 0."""

    name: str
    g_per_kwh: float
    as_of: str
    table: str
    note: str = ""
    weight_twh: float = 0.0


class CarbonTables:
    """The tables below ``folder`` (codecarbon's ``data``), each read when first needed.

    Raises BadInputError where a table that is asked for cannot be read.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._read: dict[str, dict[str, Row]] = {}

    def countries(self) -> dict[str, Row]:
        """Countries by ISO 3166 alpha-3 code."""
        return self._once("countries", self._countries)

    def regions(self, country: str) -> dict[str, Row]:
        """Regions of a country (alpha-3) by lower-case name and by code; empty where there is no such table."""
        readers = {"USA": self._usa, "CAN": self._canada, "CHN": self._china}
        return self._once(f"regions {country}", readers.get(country, lambda: self._nordic(country)))

    def clouds(self) -> dict[str, Row]:
        """Cloud regions by "provider/region"."""
        return self._once("clouds", self._clouds)

    def world(self) -> float:
        """The world's average, g/kWh."""
        return float(self._json(_PER_SOURCE)["world_average"])

    def _once(self, name: str, read: Any) -> dict[str, Row]:
        if name not in self._read:
            self._read[name] = read()
        return self._read[name]

    def _json(self, name: str) -> dict[str, Any]:
        try:
            content: dict[str, Any] = json.loads((self._folder / name).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise _unreadable(error) from error
        return content

    def _newest(self, name: str) -> tuple[str, dict[str, Any]]:
        """Year and content of the newest yearly table of this name; empty where there is none."""
        years = sorted(path.parent.name for path in self._folder.glob(f"private_infra/*/{name}"))
        return (years[-1], self._json(f"private_infra/{years[-1]}/{name}")) if years else ("", {})

    def _countries(self) -> dict[str, Row]:
        rows = {code: self._country(row) for code, row in self._json("private_infra/global_energy_mix.json").items()}
        return {code: row for code, row in rows.items() if row is not None}

    def _country(self, row: Mapping[str, Any]) -> Row | None:
        """A country, or None where its row says nothing usable. A rounded 0 is no figure: then its mix is used."""
        g, note = row.get("carbon_intensity") or 0.0, ""
        if g <= 0:
            mix = {key.removesuffix("_TWh"): value for key, value in row.items() if key.endswith("_TWh")}
            g, note = self._from_mix(mix), "computed from the country's mix, as the table gives no intensity"
        if g <= 0:
            return None
        return Row(
            name=row["country_name"], g_per_kwh=g, as_of=str(row.get("year", "")), note=note,
            table="country table", weight_twh=float(row.get("total_TWh") or 0.0),
        )  # fmt: skip

    def _from_mix(self, mix: Mapping[str, float]) -> float:
        """Mean g/kWh of a mix of power stations, over the part whose kind has a figure; 0 where none has."""
        per_source = self._json(_PER_SOURCE)
        parts = [
            (share, per_source[name])
            for kind, share in mix.items()
            if kind not in _SUMS and isinstance(per_source.get(name := _MIX_NAMES.get(kind, kind)), int | float)
        ]
        covered = sum(share for share, _ in parts)
        return sum(share * g for share, g in parts) / covered if covered > 0 else 0.0

    def _usa(self) -> dict[str, Row]:
        year, content = self._newest("usa_emissions.json")
        unit = content.get("_unit", {}).get("emissions")
        if content and unit != "lbs/MWh":
            raise _unreadable(f"usa_emissions.json is in {unit}, not in lbs/MWh")
        year = str(content.get("_source", {}).get("year", year))
        rows = {
            state: (row["regionCode"], lb_per_mwh_to_g_per_kwh(row["emissions"]))
            for state, row in content.items()
            if not state.startswith("_") and state != "usa"
        }
        return _by_name_and_code(
            (code, Row(name=state.title(), g_per_kwh=g, as_of=year, table="US table (EPA eGRID)"))
            for state, (code, g) in rows.items()
        )

    def _canada(self) -> dict[str, Row]:
        year, content = self._newest("canada_energy_mix.json")
        rows = {name: self._from_mix(mix) for name, mix in content.items()}
        note = "computed from the province's mix"
        return {
            name: Row(name=name.title(), g_per_kwh=g, as_of=year, table="Canadian table", note=note)
            for name, g in rows.items()
            if g > 0
        }

    def _china(self) -> dict[str, Row]:
        year, content = self._newest("china_provincial_emissions.json")
        rows = content.get("data", {})
        return _by_name_and_code(
            (code.removeprefix("CN-"), _region(row, "Chinese table (MEE)", year, "CO2 only, no other gases"))
            for code, row in rows.items()
        )

    def _nordic(self, country: str) -> dict[str, Row]:
        prefix = {"SWE": "SE", "NOR": "NO", "FIN": "FI"}.get(country)
        if prefix is None or not (self._folder / "private_infra/nordic_emissions.json").is_file():
            return {}
        rows = self._json("private_infra/nordic_emissions.json")["data"]
        return {
            code.lower(): replace(_region(row, "Nordic table", "", row.get("note", "")), name=code)
            for code, row in rows.items()
            if code.startswith(prefix)
        }

    def _clouds(self) -> dict[str, Row]:
        try:
            with (self._folder / "cloud/impact.csv").open(newline="", encoding="utf-8-sig") as file:
                rows = list(csv.DictReader(file))
        except OSError as error:
            raise _unreadable(error) from error
        return {
            f"{row['provider']}/{row['region']}".lower(): Row(
                name=row["city"] or row["country_name"], g_per_kwh=float(row["impact"]), as_of="", table="cloud table"
            )
            for row in rows
            if row["impact"]
        }


@cache
def codecarbon_tables() -> CarbonTables:
    """The tables of the codecarbon that is installed, without importing it.

    Raises:
        BadInputError: it is not installed.
    """
    spec = find_spec("codecarbon")
    if spec is None or not spec.submodule_search_locations:
        raise BadInputError(
            "The carbon tables are missing: pip install codecarbon, or set intensity to your own g/kWh."
        )
    return CarbonTables(Path(next(iter(spec.submodule_search_locations)), "data"))


def _region(row: Mapping[str, Any], table: str, year: str, note: str) -> Row:
    return Row(
        name=row["description"], g_per_kwh=float(row["emission_factor"]), as_of=str(row.get("year", year)),
        table=table, note=note,
    )  # fmt: skip


def _by_name_and_code(rows: Iterable[tuple[str, Row]]) -> dict[str, Row]:
    return {key.lower(): row for code, row in rows for key in (row.name, code)}


def _unreadable(cause: object) -> BadInputError:
    return BadInputError(
        f"codecarbon's carbon tables cannot be used ({cause}): reinstall codecarbon, or set intensity."
    )
