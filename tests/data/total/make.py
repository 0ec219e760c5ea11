"""Writes totals.json beside it: ``python tests/data/total/make.py [FOLDER]``.

Each case is a list of measurements as on the wire, and their total as ``greennb/model/total.py`` makes it; the page's
``total.ts`` must make the same. null among the parts is a window that should have been measured and was not.
"""

from __future__ import annotations

import json
import random
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from greennb.model.footprint import CarbonIntensity, Footprint, Origin
from greennb.model.measurement import DomainEnergy, Measurement, Status, Window
from greennb.model.reading import Domain, DomainKind, Fault, Method
from greennb.model.total import Total
from greennb.model.units import s_to_ns
from greennb.model.wire import measurement_from_dict, measurement_to_dict

BOARD = Domain(kind=DomainKind.PSYS, host="bench", device="intel-rapl:1", label="psys")
PACKAGE = Domain(kind=DomainKind.CPU_PACKAGE, host="bench", device="intel-rapl:0", label="package-0", inside=BOARD)
CORE = Domain(kind=DomainKind.CPU_CORE, host="bench", device="intel-rapl:0:0", label="core", inside=PACKAGE)
DRAM = Domain(kind=DomainKind.DRAM, host="bench", device="intel-rapl:0:1", label="dram")
CARDS = tuple(Domain(kind=DomainKind.GPU, host="bench", device=f"GPU-{n}", label=f"GPU {n}") for n in range(3))
ELSEWHERE = Domain(kind=DomainKind.GPU, host="node-2", device="GPU-0", label="GPU 0")
MODEL = Domain(kind=DomainKind.CPU_PACKAGE, host="bench", device="estimate:cpu", label="AMD EPYC 7B13 (estimate)")
FRANCE = CarbonIntensity(
    g_per_kwh=50.0, low=None, high=None, zone="FRA", origin=Origin.STATIC, as_of="2024", provider="a table"
)
LOST = Fault(domain=CARDS[0], t_ns=5, reason="the GPU is lost", hint="")

COUNTED, SUMMED, MODELLED = Method.COUNTER, Method.INTEGRATED, Method.ESTIMATED
MIXES: dict[str, list[tuple[Domain, Method]]] = {
    "one counter": [(CARDS[0], COUNTED)],
    "counters": [(card, COUNTED) for card in CARDS],
    "core inside package": [(PACKAGE, COUNTED), (CORE, COUNTED), (DRAM, COUNTED)],
    "core inside a board without its package": [(BOARD, COUNTED), (CORE, COUNTED), (DRAM, SUMMED)],
    "one sensor again and again": [(CARDS[0], SUMMED)],
    "sensors": [(card, SUMMED) for card in CARDS],
    "the same device on two hosts": [(CARDS[0], SUMMED), (ELSEWHERE, SUMMED)],
    "estimates": [(MODEL, MODELLED), (DRAM, MODELLED)],
    "everything": [(CARDS[0], COUNTED), (CARDS[1], SUMMED), (MODEL, MODELLED), (CORE, COUNTED)],
}


def cases() -> list[dict[str, Any]]:
    """Every mix of methods over one and several windows, and what can be missing."""
    numbers = random.Random(4)
    made = [
        case(f"{name}, {count} runs", [_measured(numbers, parts, n) for n in range(count)])
        for name, parts in MIXES.items()
        for count in (1, 2, 7)
    ]
    whole = _measured(numbers, MIXES["one counter"], 0)
    made += [
        case("nothing", []),
        case("one that is missing", [whole, None]),
        case("only what is missing", [None, None]),
        case("without joules", [_measured(numbers, [], 1)]),
        case("one without joules", [whole, _measured(numbers, [], 1)]),
        case("without a footprint", [whole, _measured(numbers, MIXES["counters"], 1, carbon=False)]),
        case("without an idle level", [whole, _measured(numbers, MIXES["counters"], 1, idle=False)]),
        case("with a fault", [whole, _measured(numbers, MIXES["counters"], 1, faults=(LOST,))]),
        case("large and small", [_measured(numbers, MIXES["sensors"], n, scale=10.0 ** (4 * n - 6)) for n in range(5)]),
    ]
    return made


def case(name: str, parts: list[Measurement | None]) -> dict[str, Any]:
    """One case as it is written."""
    return {
        "case": name,
        "parts": [None if part is None else measurement_to_dict(part) for part in parts],
        "total": total_dict(Total.of(parts)),
    }


def total_dict(total: Total) -> dict[str, Any]:
    """A total under the names that the page uses."""
    return {
        "total_j": total.total_j, "low_j": total.low_j, "high_j": total.high_j, "net_j": total.net_j,
        "co2e_g": total.co2e_g, "duration_s": total.duration_s,
        "method": None if total.method is None else total.method.value, "partial": total.partial,
    }  # fmt: skip


def read(part: dict[str, Any] | None) -> Measurement | None:
    """A part as Python reads it back."""
    return None if part is None else measurement_from_dict(part)


def _measured(
    numbers: random.Random,
    parts: list[tuple[Domain, Method]],
    number: int,
    *,
    scale: float = 1.0,
    idle: bool = True,
    carbon: bool = True,
    faults: tuple[Fault, ...] = (),
) -> Measurement:
    energies = tuple(_energy(numbers, domain, method, scale, idle) for domain, method in parts)
    t0_ns, duration_s = s_to_ns(10.0 * number), round(numbers.uniform(0.1, 9.0), 3)
    whole = Measurement(
        window=Window(
            id=f"w{number}", label="", cell_id=f"c{number}", execution_count=number + 1, parent_id=None, t0_ns=t0_ns,
            t1_ns=t0_ns + s_to_ns(duration_s), started_at=datetime(2026, 3, 1, 12, tzinfo=UTC), status=Status.OK,
        ),
        energies=energies, faults=faults, host="bench", overhead_s=0.0001,
    )  # fmt: skip
    if not carbon or whole.total_j is None:
        return whole
    footprint = Footprint(energy_j=whole.total_j, pue=1.2, intensity=FRANCE)
    return Measurement(
        window=whole.window, energies=energies, faults=faults, host="bench", overhead_s=0.0001, footprint=footprint
    )


def _energy(numbers: random.Random, domain: Domain, method: Method, scale: float, idle: bool) -> DomainEnergy:
    gross_j = round(scale * numbers.uniform(1.0, 900.0), 9)
    below, above = (round(gross_j * numbers.uniform(0.001, 0.4), 9) for _ in range(2))
    return DomainEnergy(
        domain=domain, gross_j=gross_j, idle_j=round(gross_j * numbers.uniform(0.1, 0.9), 9) if idle else None,
        process_j=None, u_j=(below + above) / 3.92, low_j=gross_j - below, high_j=gross_j + above, method=method,
        coverage=numbers.choice((1.0, 1.0, 1.0, 0.9)),
    )  # fmt: skip


if __name__ == "__main__":
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent
    lines = ",\n".join(json.dumps(case) for case in cases())
    (folder / "totals.json").write_text(f"[\n{lines}\n]\n", encoding="utf-8")
