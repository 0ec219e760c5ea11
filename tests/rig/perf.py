"""The kernel's PMU "power" as it stands in /sys, written into a folder, and its events, served from files.

Names, configs, unit and scale are those of arch/x86/events/rapl.c; a PMU's files are documented in
Documentation/ABI/testing/sysfs-bus-event_source-devices-events. Nothing here shares code with ``greennb``.
"""

from __future__ import annotations

import errno
import os
import struct
from dataclasses import dataclass, field
from pathlib import Path

SCALE = "2.3283064365386962890625e-10"
CONFIGS = {"energy-cores": 1, "energy-pkg": 2, "energy-ram": 3, "energy-gpu": 4, "energy-psys": 5}
TYPE = 23


@dataclass
class FileEvent:
    """An event whose count lies in a file."""

    file: Path

    def __call__(self) -> bytes:
        """The 8 bytes; OSError where the file is gone, nothing where it is empty."""
        return self.file.read_bytes()


@dataclass
class Pmu:
    """A /sys with the PMU and the CPUs' topology; ``denied`` holds an errno for configs that may not be opened."""

    sys: Path
    cpus: dict[int, int]  # CPU of the mask -> its package
    denied: dict[int, int] = field(default_factory=dict)
    opened: list[tuple[int, int, int]] = field(default_factory=list)

    @property
    def root(self) -> str:
        """The folder that the source looks into."""
        return str(self.sys)

    @property
    def folder(self) -> Path:
        """The PMU's folder."""
        return self.sys / "bus/event_source/devices/power"

    def open_event(self, kind: int, config: int, cpu: int) -> FileEvent:
        """What perf_event_open does: an event of this PMU on a CPU of its mask."""
        if config in self.denied:
            raise OSError(self.denied[config], os.strerror(self.denied[config]))
        if kind != TYPE or cpu not in self.cpus or config not in CONFIGS.values():
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        self.opened.append((kind, config, cpu))
        file = self.count_file(config, cpu)
        if not file.exists():
            file.write_bytes(struct.pack("=Q", 0))
        return FileEvent(file)

    def count_file(self, config: int, cpu: int) -> Path:
        """Where an event's count lies."""
        return self.sys / f"count-{config}-{cpu}"

    def set_joules(self, event: str, cpu: int, joules: float) -> None:
        """Make an event count ``joules`` since its opening."""
        self.count_file(CONFIGS[event], cpu).write_bytes(struct.pack("=Q", round(joules * 2**32)))


def pmu(root: Path, *events: str, cpus: dict[int, int] | None = None) -> Pmu:
    """A PMU with ``events`` ("energy-pkg", ...) on ``cpus`` (one package, read by CPU 0, unless given)."""
    result = Pmu(root, cpus or {0: 0})
    (result.folder / "events").mkdir(parents=True)
    (result.folder / "type").write_text(f"{TYPE}\n")
    (result.folder / "cpumask").write_text(",".join(map(str, result.cpus)) + "\n")
    for event in events:
        (result.folder / "events" / event).write_text(f"event=0x{CONFIGS[event]:02x}")
        (result.folder / "events" / f"{event}.unit").write_text("Joules")
        (result.folder / "events" / f"{event}.scale").write_text(SCALE)
    for cpu, package in result.cpus.items():
        topology = root / f"devices/system/cpu/cpu{cpu}/topology"
        topology.mkdir(parents=True)
        (topology / "physical_package_id").write_text(f"{package}\n")
        (topology / "die_id").write_text("0\n")
    return result
