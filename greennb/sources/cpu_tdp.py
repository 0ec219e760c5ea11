"""What a CPU may draw by its data sheet: thermal design power (TDP) from codecarbon's table, by model name.

The table is ``codecarbon/data/hardware/cpu_power.csv`` (about 4,900 rows ``Name,TDP``, from Intel ARK and AMD's product
pages, whole sockets in watts). It is read as a file: importing codecarbon would load pandas.

A name is matched only if it is the same name once vendor decoration ("(R)", "CPU @ 2.60GHz", "12-Core Processor") is
gone. Where it is not there, the answer is the median of the longest common family ("Intel Xeon Platinum"), with
the family's 5th to 95th percentile as its range, and says so: a wrong exact figure would be worse than a wide one.
"""

from __future__ import annotations

import csv
import math
import re
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

TABLE_DOUBT = 1.2
"""Makers let a model be configured around its TDP: AMD's EPYC 7763 is sold as 280 W with a range of 225 to 280 W."""

_FAMILY_ROWS = 5  # fewer rows have no 5th percentile worth the name
_NO_TABLE_W = (8.0, 65.0, 250.0)  # 5th percentile, median, 95th percentile of the table of codecarbon 3.3, rounded

_NOISE = (
    r"@.*",  # "@ 2.60GHz"
    r"\((?:r|tm)\)|[®™]",
    r"\bwith radeon.*|\bradeon r\d.*",  # "with Radeon Graphics", "Radeon R7, 12 Compute Cores 4C+8G"
    r"\b(?:\d+|dual|triple|quad|six|eight|twelve|sixteen)[- ]cores?\b(?! t?\d)",  # but not "Dual-Core T2080"
    r"\b(?:processors?|cpu|apu|soc|x-series)\b",
    r"\b\d+th gen\b",
    r"(?<=epyc)-[a-z]+",  # QEMU's "EPYC-Rome"
)
_NOISE_PATTERN = re.compile("|".join(_NOISE))
_VENDOR_TWICE = re.compile(r"^(amd|intel) +(?=\1 )")

SERVER_WORDS = ("epyc", "xeon", "opteron")
"""Words in a model name that mean a server part."""

SERVER_CORES: Mapping[str, int] = {
    "AMD EPYC 7551": 32, "AMD EPYC 7601": 32, "AMD EPYC 7502": 32, "AMD EPYC 7642": 48, "AMD EPYC 7702": 64,
    "AMD EPYC 7742": 64, "AMD EPYC 7B12": 64, "AMD EPYC 7R13": 48, "AMD EPYC 7313": 16, "AMD EPYC 7543": 32,
    "AMD EPYC 7713": 64, "AMD EPYC 7763": 64, "AMD EPYC 9354": 32, "AMD EPYC 9454": 48, "AMD EPYC 9554": 64,
    "AMD EPYC 9654": 96, "AMD EPYC 9754": 128, "AMD EPYC 9655": 96, "AMD EPYC 9755": 128, "AMD EPYC 9965": 192,
    "Intel Xeon E5-2686 v4": 18, "Intel Xeon E5-2690 v4": 14, "Intel Xeon E5-2699 v4": 22, "Intel Xeon Gold 6148": 20,
    "Intel Xeon Gold 6230": 20, "Intel Xeon Gold 6338": 32, "Intel Xeon Platinum 8160": 24,
    "Intel Xeon Platinum 8175M": 24, "Intel Xeon Platinum 8180": 28, "Intel Xeon Platinum 8259CL": 24,
    "Intel Xeon Platinum 8280": 28, "Intel Xeon Platinum 8358": 32, "Intel Xeon Platinum 8375C": 32,
    "Intel Xeon Platinum 8380": 40, "Intel Xeon Platinum 8480+": 56, "Intel Xeon Platinum 8490H": 60,
    "Intel Xeon Platinum 8592+": 64,
}  # fmt: skip
"""Cores of parts that public clouds and data centres run, from the makers' product pages; each core has two threads."""

_THREADS_A_CORE = 2
_NO_TABLE_W_PER_THREAD = (1.3, 3.0, 5.5)  # what SERVER_CORES gives with the table of codecarbon 3.3, rounded


@dataclass(frozen=True, slots=True, kw_only=True)
class Watts:
    """A power in watts, its 95 % range, and one phrase on where it is from."""

    low: float
    middle: float
    high: float
    how: str

    def times(self, factor: float, how: str) -> Watts:
        """This power scaled."""
        return Watts(low=self.low * factor, middle=self.middle * factor, high=self.high * factor, how=how)


def plain_name(name: str) -> str:
    """``name`` in lower case without decoration: "intel core i7-10700" for "Intel(R) Core(TM) i7-10700 CPU @ ...".

    The same name gives the same text whether it comes from the CPU, a hypervisor or the table.
    """
    text = _NOISE_PATTERN.sub(" ", name.lower())
    text = _VENDOR_TWICE.sub("", " ".join(text.split()))
    return " ".join(text.split())


def cores_in_name(name: str) -> int | None:
    """The physical cores that a name states ("AMD EPYC 7763 64-Core Processor"), or None."""
    found = re.search(r"\b(\d+)[- ]cores?\b", name.lower())
    return int(found[1]) if found else None


def is_server(name: str) -> bool:
    """Whether the model name is one of a server part."""
    return any(word in name.lower() for word in SERVER_WORDS)


def table_path() -> Path | None:
    """codecarbon's table, found without importing codecarbon; None where it is not installed."""
    spec = find_spec("codecarbon")
    if spec is None or not spec.submodule_search_locations:
        return None
    path = Path(next(iter(spec.submodule_search_locations)), "data", "hardware", "cpu_power.csv")
    return path if path.is_file() else None


class TdpTable:
    """TDPs by model name. ``rows`` are (name, watts)."""

    def __init__(self, rows: Sequence[tuple[str, float]]) -> None:
        self._rows = rows
        # Most rows have plain names already: undecorating all 4,900 at once would cost 30 ms of the first start.
        self._by_key: dict[str, list[float]] = {}
        for name, watts in rows:
            self._by_key.setdefault(_squeezed(name.lower()), []).append(watts)

    def exact(self, name: str) -> Watts | None:
        """The TDP of the model of this name, with the doubt of a configurable TDP; None where the table lacks it."""
        key = _key(name)
        watts = self._by_key.get(key) or self._decorated(name, key)
        if not watts:
            return None
        middle = statistics.median(watts)
        return Watts(
            low=min(watts) / TABLE_DOUBT, middle=middle, high=max(watts) * TABLE_DOUBT,
            how=f"TDP {middle:g} W from codecarbon's table",
        )  # fmt: skip

    def _decorated(self, name: str, key: str) -> list[float]:
        """The watts of rows whose own names are decorated ("AMD Ryzen 7 1700 Processor") but mean the same model."""
        numbered = [word for word in plain_name(name).split() if any(letter.isdigit() for letter in word)]
        if not numbered:
            return []
        token = max(numbered, key=len).strip("-")
        return [watts for row, watts in self._rows if token in row.lower() and _key(row) == key]

    def family(self, name: str) -> Watts:
        """The median TDP of the narrowest family that ``name`` belongs to, with its 5th to 95th percentile."""
        words = plain_name(name).split()
        for count in range(len(words), 0, -1):
            prefix = " ".join(words[:count])
            watts = [w for row, w in self._rows if row.lower().startswith(prefix + " ")]
            if len(watts) >= _FAMILY_ROWS:
                return _spread(watts, f'median TDP of {len(watts)} "{prefix}" models in codecarbon\'s table')
        if not self._rows:
            low, middle, high = _NO_TABLE_W
            return Watts(low=low, middle=middle, high=high, how="a generic TDP, as codecarbon's table is not installed")
        return _spread([w for _, w in self._rows], "median TDP of all models in codecarbon's table")

    def per_thread(self, name: str) -> Watts:
        """Watts a hardware thread of a server part like ``name``: the median and range over ``SERVER_CORES``.

        A vendor whose name is in ``name`` narrows it to that vendor's parts.
        """
        vendor = next((vendor for vendor in ("amd", "intel") if vendor in name.lower()), "")
        known = {part: self.exact(part) for part in SERVER_CORES if part.lower().startswith(vendor)}
        rates = [
            watts.middle / (SERVER_CORES[part] * _THREADS_A_CORE) for part, watts in known.items() if watts is not None
        ]
        if not rates:
            low, middle, high = _NO_TABLE_W_PER_THREAD
            return Watts(low=low, middle=middle, high=high, how="a generic figure for server CPUs")
        how = f"median TDP per thread of {len(rates)} server CPUs" + (f" by {vendor.upper()}" if vendor else "")
        return Watts(low=min(rates), middle=statistics.median(rates), high=max(rates), how=how)

    @staticmethod
    def threads(name: str) -> int | None:
        """Hardware threads of the physical socket, where the name or ``SERVER_CORES`` tells; else None."""
        cores = cores_in_name(name) or _CORES_BY_KEY.get(_key(name))
        return None if cores is None else cores * _THREADS_A_CORE


@cache
def codecarbon_table() -> TdpTable:
    """codecarbon's table, read once; empty where codecarbon is not installed. Rows without a number are left out."""
    path = table_path()
    if path is None:
        return TdpTable(())
    with path.open(newline="", encoding="utf-8-sig", errors="replace") as file:
        return TdpTable([row for row in map(_parsed, csv.reader(file)) if row is not None])


def _parsed(row: Sequence[str]) -> tuple[str, float] | None:
    try:
        name, watts = row[0], float(row[1])
    except (IndexError, ValueError):  # the heading, and rows like "27.29.5"
        return None
    return (name, watts) if name and 0 < watts < math.inf else None


def _key(name: str) -> str:
    """The plain name without blanks and hyphens, as makers and tables do not agree on them."""
    return _squeezed(plain_name(name))


def _squeezed(text: str) -> str:
    return text.replace(" ", "").replace("-", "")


def _spread(watts: Sequence[float], how: str) -> Watts:
    """Median and 5th to 95th percentile of a family."""
    cuts = statistics.quantiles(watts, n=20, method="inclusive")
    return Watts(low=cuts[0], middle=statistics.median(watts), high=cuts[-1], how=how)


_CORES_BY_KEY = {_key(part): cores for part, cores in SERVER_CORES.items()}
