"""A window as a row of CodeCarbon's emissions.csv, so that tools which read that file read ours.

The columns and their units are those of ``codecarbon.output_methods.emissions_data.EmissionsData`` (3.x): energies in
kWh, powers in W, emissions in kg, rate in kg/s, duration in s. As there, powers and energies include the PUE. What
greennb does not know is left empty: a place that was only guessed, the memory's energy unless a DRAM counter was read,
the software, how many devices the machine has beside those that were measured.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from greennb.ledger.rows import LedgerRow
from greennb.model.footprint import Origin
from greennb.model.measurement import DomainEnergy
from greennb.model.reading import DomainKind
from greennb.model.units import g_to_kg, j_to_kwh

COLUMNS = (
    "timestamp", "project_name", "run_id", "experiment_id", "duration", "emissions", "emissions_rate", "cpu_power",
    "gpu_power", "ram_power", "cpu_energy", "gpu_energy", "ram_energy", "energy_consumed", "water_consumed",
    "country_name", "country_iso_code", "region", "cloud_provider", "cloud_region", "os", "python_version",
    "codecarbon_version", "cpu_count", "cpu_model", "gpu_count", "gpu_model", "longitude", "latitude",
    "ram_total_size", "tracking_mode", "cpu_utilization_percent", "gpu_utilization_percent",
    "ram_utilization_percent", "ram_used_gb", "on_cloud", "pue", "wue",
)  # fmt: skip
"""The columns of emissions.csv, in CodeCarbon's order."""

_KINDS = {"cpu": DomainKind.CPU_PACKAGE, "gpu": DomainKind.GPU, "ram": DomainKind.DRAM}


def record(row: LedgerRow) -> dict[str, Any]:
    """The columns of ``row`` that are known.

    ``run_id`` is the kernel's session and ``project_name`` the notebook. ``timestamp`` is when the window began, UTC.
    ``tracking_mode`` is "machine": gross energy of the whole machine. An energy that no source gave is not there.
    """
    measurement = row.measurement
    pue = 1.0 if row.pue is None else row.pue
    kg = None if row.co2e_g is None else g_to_kg(row.co2e_g)
    return {
        "timestamp": _timestamp(row.started_at),
        "project_name": row.notebook,
        "run_id": row.session_id,
        "duration": row.duration_s,
        "emissions": kg,
        "emissions_rate": kg / row.duration_s if kg is not None and row.duration_s > 0 else None,
        "energy_consumed": None if row.total_j is None else j_to_kwh(row.total_j) * pue,
        "tracking_mode": "machine",
        "pue": row.pue,
        **_parts(measurement.energies, pue, row.duration_s),
        **_place("" if row.origin == Origin.GUESSED else row.zone or ""),
    }


def _parts(energies: Iterable[DomainEnergy], pue: float, duration_s: float) -> Mapping[str, float]:
    """Energy and mean power of CPU, GPU and memory, of each that was measured."""
    found: dict[str, float] = {}
    energies = list(energies)
    for name, kind in _KINDS.items():
        parts = [energy.gross_j for energy in energies if energy.domain.kind is kind]
        if parts:
            joules = math.fsum(parts) * pue
            found[f"{name}_energy"] = j_to_kwh(joules)
            if duration_s > 0:
                found[f"{name}_power"] = joules / duration_s
    return found


def _place(zone: str) -> Mapping[str, str]:
    """The columns that a zone names: "FRA" a country, "USA/California" its region, "gcp/europe-west1" a cloud's."""
    outer, _, inner = zone.partition("/")
    if len(outer) == 3 and outer.isalpha() and outer.isupper():
        return {"country_iso_code": outer, "region": inner.lower()} if inner else {"country_iso_code": outer}
    return {"cloud_provider": outer, "cloud_region": inner} if inner else {}


def _timestamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S")  # CodeCarbon's format, which has no time zone
