"""The ledger's rows as Prometheus text exposition, for a textfile collector or a scrape.

Format: https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format. What was not measured has no
sample, never a 0. Windows that lie inside another of the rows are left out of joules and grams, and a domain that is
contained in another one has a name of its own, so that ``sum()`` counts no joule twice.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import TextIO

from greennb.ledger.rows import LedgerRow, outermost
from greennb.model.measurement import DomainEnergy, Measurement

_CONTROLS = {code: " " for code in (*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029) if code != ord("\n")}
_Labels = tuple[tuple[str, str], ...]
_Samples = Mapping[_Labels, float]


def write(rows: Iterable[LedgerRow], stream: TextIO) -> None:
    """Write the sums over ``rows`` to ``stream``. They count up from scrape to scrape only if all rows are given."""
    rows = list(rows)
    outer = [(row, row.measurement) for row in outermost(rows)]
    measurements = [measurement for _, measurement in outer]
    families = (
        ("greennb_energy_joules_total", "Energy of measured windows, by domain.", _energy(measurements, inner=False)),
        (
            "greennb_contained_energy_joules_total",
            "Energy of domains inside another domain of greennb_energy_joules_total: do not add the two.",
            _energy(measurements, inner=True),
        ),
        ("greennb_co2e_grams_total", "Grams of CO2 equivalent of measured windows.", _grams(row for row, _ in outer)),
        ("greennb_windows_total", "Windows, by how their code ended.", _windows(rows)),
    )
    for name, meaning, samples in families:
        stream.write(f"# HELP {name} {meaning}\n# TYPE {name} counter\n")
        for labels, value in samples.items():
            text = ",".join(f'{key}="{escaped(label)}"' for key, label in labels)
            stream.write(f"{name}{{{text}}} {value!r}\n")


def escaped(label: str) -> str:
    """A label's value as the format wants it: backslash, quote and line feed escaped, other text as UTF-8.

    The format has no escape for other control characters, and some readers end a line at them: they become blanks.
    """
    text = label.translate(_CONTROLS).encode("utf-8", "backslashreplace").decode()
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _energy(measurements: Iterable[Measurement], *, inner: bool) -> _Samples:
    sums: defaultdict[_Labels, float] = defaultdict(float)
    for measurement in measurements:
        for energy in _chosen(measurement, inner=inner):
            domain = energy.domain
            labels = (("kind", domain.kind.value), ("host", domain.host), ("device", domain.device),
                      ("label", domain.label), ("method", energy.method.value))  # fmt: skip
            sums[labels] += energy.gross_j
    return sums


def _chosen(measurement: Measurement, *, inner: bool) -> Iterator[DomainEnergy]:
    roots = measurement.roots
    return (energy for energy in measurement.energies if (energy not in roots) is inner)


def _grams(rows: Iterable[LedgerRow]) -> _Samples:
    sums: defaultdict[_Labels, float] = defaultdict(float)
    for row in rows:
        if row.co2e_g is not None:
            sums[(("zone", row.zone or ""), ("origin", row.origin or ""))] += row.co2e_g
    return sums


def _windows(rows: Iterable[LedgerRow]) -> _Samples:
    sums: defaultdict[_Labels, float] = defaultdict(float)
    for row in rows:
        sums[(("status", row.status),)] += 1
    return sums
