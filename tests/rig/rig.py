"""The rig as tests see it: its configuration, the truth about every counter, and faults while processes run.

The truth shares no code with the C that serves the counters: it is worked out in whole numbers and fractions from the
same description.
"""

from __future__ import annotations

import math
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from tests.rig import nvml
from tests.rig.nvml_truth import Trace

FOLDER = "GREENNB_RIG"
"""Names the rig's folder to everything that runs in it."""

UNIT_UJ = Fraction(10**6, 2**14)
"""61.035 uJ: the usual step of Intel's counters (2^-14 J; Intel SDM volume 3, RAPL interfaces)."""

RAW_WRAP = 2**32
"""Intel's counters have 32 bits: 262144 J at that step."""


@dataclass(frozen=True, kw_only=True)
class Zone:
    """One powercap zone as a ``[[zone]]`` table describes it."""

    path: str
    name: str
    trace: Trace
    unit_uj: Fraction = UNIT_UJ
    refresh_ns: int = 1_000_000
    start: int = 0
    wrap: int = RAW_WRAP
    limit_w: float = 125.0

    @classmethod
    def of(cls, table: Mapping[str, Any]) -> Zone:
        """The zone of a ``[[zone]]`` table: path, name, trace, unit_uj, refresh_ms, start_uj, wrap_uj, limit_w.

        Raises:
            ValueError: a key or a value means nothing.
        """
        given = dict(table)
        unit_uj = Fraction(given.pop("unit_uj")).limit_denominator(2**20) if "unit_uj" in given else UNIT_UJ
        zone = cls(
            path=given.pop("path"),
            name=given.pop("name", "package-0"),
            trace=Trace.parse(given.pop("trace", "constant 40")),
            unit_uj=unit_uj,
            refresh_ns=round(given.pop("refresh_ms", 1) * 1e6),
            start=math.floor(given.pop("start_uj", 0) / unit_uj),
            wrap=math.floor(given.pop("wrap_uj", RAW_WRAP * unit_uj) / unit_uj),
            limit_w=given.pop("limit_w", 125.0),
        )
        if given:
            raise ValueError(f"a zone has no {', '.join(given)}")
        return zone

    def described(self) -> str:
        """The zone's part of the file that the file system reads."""
        return "\n".join(
            (
                "[zone]", f"path={self.path}", f"name={self.name}", f"trace={self.trace.text}",
                f"unit_auj={int(self.unit_uj * 10**12)}", f"refresh_ns={self.refresh_ns}", f"start={self.start}",
                f"wrap={self.wrap}", f"limit_uw={round(self.limit_w * 1e6)}",
            )
        )  # fmt: skip

    def energy_uj(self, t_ns: int) -> float:
        """What was drawn from the clock's zero to ``t_ns``, in microjoules, whatever the counter shows of it."""
        return float(self.trace.energy_pj(t_ns) / 10**6)

    def shown_uj(self, t_ns: int) -> int:
        """What the counter shows at ``t_ns`` without faults."""
        at_ns = t_ns // self.refresh_ns * self.refresh_ns if self.refresh_ns else t_ns
        steps = int(self.trace.energy_pj(at_ns) / 10**6 / self.unit_uj)
        return math.floor((self.start + steps) % self.wrap * self.unit_uj)

    @property
    def range_uj(self) -> int:
        """Where the counter starts again from 0."""
        return math.floor(self.wrap * self.unit_uj)


@dataclass(frozen=True)
class Rig:
    """Zones by path and boards as "gpu0", "gpu1"."""

    folder: Path
    zones: Mapping[str, Zone]
    gpus: Mapping[str, nvml.Gpu]

    @classmethod
    def read(cls, config: Path, folder: Path) -> Rig:
        """The rig of a configuration: TOML with ``[[zone]]`` and ``[[gpu]]`` tables (see README.md).

        Raises:
            ValueError: it is not such a configuration.
        """
        tables = tomllib.loads(config.read_text())
        if unknown := set(tables) - {"zone", "gpu", "plain"}:
            raise ValueError(f"a rig has [[zone]] and [[gpu]] tables, not {', '.join(sorted(unknown))}")
        zones = [Zone.of(table) for table in tables.get("zone", ())]
        boards = [nvml.board(table, position) for position, table in enumerate(tables.get("gpu", ()))]
        return cls(folder, {zone.path: zone for zone in zones}, {f"gpu{n}": gpu for n, gpu in enumerate(boards)})

    @classmethod
    def here(cls) -> Rig:
        """The rig that this process runs in."""
        folder = Path(os.environ[FOLDER])
        return cls.read(folder / "config.toml", folder)

    def joules(self, device: str, t0_ns: int, t1_ns: int) -> float:
        """What ``device`` really drew between two times of the monotonic clock."""
        if device in self.zones:
            zone = self.zones[device]
            return (zone.energy_uj(t1_ns) - zone.energy_uj(t0_ns)) / 1e6
        gpu = self.gpus[device]
        return (gpu.true_mj(t1_ns) - gpu.true_mj(t0_ns)) / 1e3

    def fault(self, *lines: str) -> None:
        """Let these faults happen, and no others: ``fault("intel-rapl:0 eio")``; ``fault()`` ends them all."""
        fresh = self.folder / "faults.new"
        fresh.write_text("".join(f"{line}\n" for line in lines))
        fresh.replace(self.folder / "faults")
