"""How busy the CPUs that are ours are, and how full our memory: for people who look on, not for joules.

What is ours is what the estimate stands for (:mod:`greennb.sources.estimate`): the share of a quota, the CPUs of an
affinity, or the machine. Memory is that of the tightest cgroup limit above us, or the machine's.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from greennb.sources import sysfs
from greennb.sources.base import Gauge
from greennb.sources.cpu_facts import cgroup_levels, own_cpus, read_facts
from greennb.sources.estimate import our_part

_MEMINFO_BYTES = 128
"""MemTotal, MemFree and MemAvailable are the first lines of /proc/meminfo, of 28 characters each (proc(5))."""

_STAT_BYTES = 4096
"""A cgroup's memory.stat is half as long."""

_UNLIMITED_B = 2**60
"""A cgroup v1 without a limit tells a number near 2**63."""


class MachineGauge:
    """The machine as this process may use it.

    ``root`` is where /proc and /sys hang, ``affinity`` the CPUs that we may run on (asked of the system if None); time
    goes by ``now_ns``.
    """

    def __init__(
        self,
        *,
        root: Path = Path("/"),
        affinity: frozenset[int] | None = None,
        now_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self._now_ns = now_ns
        self._root = root
        self._limit = memory_limit(root)
        self._cpus = 1.0
        self._scale = 1.0
        self._busy: Callable[[], int] | None = None
        self._close: Callable[[], None] = lambda: None
        self._last: tuple[int, int] | None = None
        facts = read_facts(root)
        with suppress(OSError, ValueError):  # then its utilisation is not told
            part = our_part(facts, root, own_cpus() if affinity is None else affinity)
            self._busy, self._close = part.busy.busy_ns, part.busy.close
            self._cpus, self._scale = facts.cpus * part.share, part.busy_scale

    def gauge(self) -> Gauge:
        """The share of our CPUs' time that was used since the last call (None at the first), and memory now."""
        used_b, total_b = self._memory()
        return Gauge(util=self._util(), mem_b=used_b, mem_total_b=total_b)

    def close(self) -> None:
        """Release files."""
        self._close()

    def _util(self) -> float | None:
        if self._busy is None:
            return None
        try:
            now = (self._now_ns(), self._busy())
        except (OSError, ValueError):
            self._last = None
            return None
        last, self._last = self._last, now
        if last is None or now[0] <= last[0]:
            return None
        busy = (now[1] - last[1]) * self._scale / (self._cpus * (now[0] - last[0]))
        return min(1.0, max(0.0, busy))

    def _memory(self) -> tuple[int | None, int | None]:
        with suppress(OSError, ValueError, KeyError):
            if self._limit is not None:
                return self._limit.used_b(), self._limit.total_b
            return _machine_memory(self._root)
        return None, None


class MemoryLimit:
    """A cgroup that may hold ``total_b`` bytes, and the files that tell how many it holds."""

    def __init__(self, total_b: int, usage: Path, stat: Path) -> None:
        self.total_b = total_b
        self._usage = usage
        self._stat = stat

    def used_b(self) -> int:
        """Bytes held that the kernel cannot just drop: without the file cache that was not used lately.

        Raises OSError or ValueError where they cannot be read.
        """
        used_b = sysfs.number(self._usage)
        with suppress(OSError, ValueError):
            told = dict(line.split() for line in _head(self._stat, _STAT_BYTES).splitlines() if line.count(b" ") == 1)
            used_b -= int(told.get(b"total_inactive_file", told.get(b"inactive_file", b"0")))
        return max(0, used_b)


def memory_limit(root: Path = Path("/")) -> MemoryLimit | None:
    """The tightest memory limit among our cgroup and those above it; None where there is none (cgroup v1 and v2)."""
    version2, levels = cgroup_levels("memory", root)
    names = ("memory.max", "memory.current") if version2 else ("memory.limit_in_bytes", "memory.usage_in_bytes")
    found: list[MemoryLimit] = []
    for level in levels:
        with suppress(OSError, ValueError):  # no such file at the root; "max" is no limit
            total_b = int((level / names[0]).read_text(encoding="ascii"))
            if 0 < total_b < _UNLIMITED_B and (level / names[1]).is_file():
                found.append(MemoryLimit(total_b, level / names[1], level / "memory.stat"))
    return min(found, key=lambda limit: limit.total_b, default=None)


def memory_total_b(root: Path = Path("/")) -> int | None:
    """Bytes of memory that there are for us: of the tightest cgroup limit, or of the machine; None where not told."""
    limit = memory_limit(root)
    if limit is not None:
        return limit.total_b
    try:
        return _machine_memory(root)[1]
    except (OSError, ValueError, KeyError):
        return None


def _machine_memory(root: Path) -> tuple[int, int]:
    """Bytes in use that cannot just be dropped, and bytes in all. Raises OSError, ValueError or KeyError."""
    if not sys.platform.startswith("linux"):
        import psutil  # loaded only where there is no /proc

        memory = psutil.virtual_memory()
        return int(memory.total - memory.available), int(memory.total)
    lines = _head(root / "proc/meminfo", _MEMINFO_BYTES).splitlines()
    told = {words[0]: int(words[1]) * 1024 for words in map(bytes.split, lines) if len(words) == 3}
    return told[b"MemTotal:"] - told[b"MemAvailable:"], told[b"MemTotal:"]


def _head(file: Path, size: int) -> bytes:
    """The first bytes of a file of the kernel's. Raises OSError."""
    fd = os.open(file, os.O_RDONLY)
    try:
        return os.read(fd, size)
    finally:
        os.close(fd)
