"""Measurements made by hand, for tests of what is done with them: their numbers are round so that sums are plain."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import count

from greennb.model.footprint import CarbonIntensity, Footprint, Origin
from greennb.model.measurement import DomainEnergy, Measurement, Status, Window
from greennb.model.reading import Domain, DomainKind, Fault, Method

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)

PACKAGE = Domain(kind=DomainKind.CPU_PACKAGE, host="bench", device="intel-rapl:0", label="package-0")
CORE = Domain(kind=DomainKind.CPU_CORE, host="bench", device="intel-rapl:0:0", label="core", inside=PACKAGE)
DRAM = Domain(kind=DomainKind.DRAM, host="bench", device="intel-rapl:0:1", label="dram")
GPU = Domain(kind=DomainKind.GPU, host="bench", device="GPU-5a7c", label="NVIDIA H200")
PSYS = Domain(kind=DomainKind.PSYS, host="bench", device="intel-rapl:1", label="psys")
FRANCE = CarbonIntensity(
    g_per_kwh=50.0, low=None, high=None, zone="FRA", origin=Origin.STATIC, as_of="2024", provider="a table"
)

_numbers = count(1)


def energy(domain: Domain = PACKAGE, joules: float = 40.0, half: float = 2.0, **fields) -> DomainEnergy:
    """``joules`` on ``domain`` with a 95 % interval of ``half`` on both sides, read from a counter unless told."""
    known = {"idle_j": None, "process_j": None, "method": Method.COUNTER, "coverage": 1.0}
    return DomainEnergy(
        domain=domain, gross_j=joules, low_j=joules - half, high_j=joules + half, u_j=half / 1.96, **known | fields
    )


def window(**fields) -> Window:
    """Two seconds with an id of its own, on the hour of ``START`` unless told."""
    known = {
        "id": f"w{next(_numbers)}", "label": "train", "cell_id": "a1", "execution_count": 3, "parent_id": None,
        "t0_ns": 5_000_000_000, "t1_ns": 7_000_000_000, "started_at": START, "status": Status.OK,
    }  # fmt: skip
    return Window(**known | fields)


def measurement(
    *energies: DomainEnergy, faults: tuple[Fault, ...] = (), intensity: CarbonIntensity | None = None,
    pue: float = 1.0, after_s: float = 0.0, **fields,
) -> Measurement:  # fmt: skip
    """A measurement of ``energies``, ``after_s`` seconds after START; further fields are the window's."""
    if after_s:
        fields["started_at"] = START + timedelta(seconds=after_s)
    bare = Measurement(window=window(**fields), energies=energies, faults=faults, host="bench", overhead_s=0.0001)
    if intensity is None or bare.total_j is None:
        return bare
    footprint = Footprint(energy_j=bare.total_j, pue=pue, intensity=intensity)
    return Measurement(
        window=bare.window, energies=energies, faults=faults, host="bench", overhead_s=0.0001, footprint=footprint
    )
