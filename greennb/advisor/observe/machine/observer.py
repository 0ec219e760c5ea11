"""The machine and this process while a cell runs: CPUs, threads, memory, boards, large arrays.

Always on, and made for cells of a millisecond: at their begin and end two system calls are made, and nothing else is
looked at. A cell of half a second and more pays for a closer look at its end, a millisecond or two. Only where there is
a GPU is there a thread, and only while a cell runs: see :mod:`greennb.advisor.observe.machine.boards`.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from greennb.advisor.base import Failed
from greennb.advisor.names import Names
from greennb.advisor.observe.machine import threads as machine_threads
from greennb.advisor.observe.machine.arrays import large_arrays
from greennb.advisor.observe.machine.boards import BoardWatch
from greennb.advisor.observe.machine.threads import Tasks
from greennb.advisor.signals.machine import MachineSignals
from greennb.meter.meter import Meter
from greennb.sources import cpu_facts
from greennb.sources.machine import memory_total_b

CLOSE_S = 0.5
"""Cells that are shorter are not looked at closely: nothing is said of them anyway, unless asked."""

_VMSTAT_BYTES = 16_384


class _Used(NamedTuple):
    """What this process, its ended children and the machine have used so far."""

    t_s: float
    cpu_s: float
    own_cpu_s: float
    major_faults: int
    switches: int
    swapped_b: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Facts:
    """What does not change while the kernel lives."""

    cores: int
    cpus: float
    x86: bool
    amx: bool
    avx512_bf16: bool
    memory_b: int | None


class MachineObserver:
    """Fills :class:`~greennb.advisor.signals.machine.MachineSignals`.

    Args:
        meter: gives the meter in force: its boards are watched, and its count of CPU time includes children that still
            live. Without it there are no boards, and children count once they have ended.
        root: where /proc hangs.
    """

    name = "machine"
    modules: tuple[str, ...] = ()

    def __init__(self, meter: Callable[[], Meter] | None = None, *, root: Path = Path("/")) -> None:
        self._meter = meter
        self._root = root
        self._boards = BoardWatch()
        self._tasks = Tasks()
        self._facts: _Facts | None = None
        self._swaps: int | None = None
        self._began: _Used | None = None

    def install(self, failed: Failed) -> None:
        """Look at once for what a later cell is to be told from."""
        del failed  # nothing of this runs in the user's calls
        self._swaps = _open_where_it_swaps(self._root)
        self._tasks.since_now(time.process_time())

    def remove(self) -> None:
        """Release the file, end the thread if one runs."""
        self._boards.stop(wait=True)
        fd, self._swaps = self._swaps, None
        if fd is not None:
            os.close(fd)

    def begin(self) -> None:
        """A cell begins."""
        if self._meter is not None:
            self._boards.begin(self._meter())
        self._began = self._used()

    def end(self, names: Names) -> MachineSignals | None:
        """What was seen; None of a short cell, unless it came after an idle time in which a board was held."""
        began, self._began = self._began, None
        if began is None:
            return None
        now = self._used()
        seconds = now.t_s - began.t_s
        gpus = self._boards.end()
        if seconds < CLOSE_S and not any(gpu.idle_w is not None for gpu in gpus):
            return None
        facts = self._known()
        told = self._tasks.told(now.own_cpu_s, cell_cpu_s=now.own_cpu_s - began.own_cpu_s, cell_s=seconds)
        swapped_b = None if now.swapped_b is None or began.swapped_b is None else now.swapped_b - began.swapped_b
        return MachineSignals(
            cores=facts.cores,
            cpus=facts.cpus,
            x86=facts.x86,
            amx=facts.amx,
            avx512_bf16=facts.avx512_bf16,
            memory_b=facts.memory_b,
            swapped_b=swapped_b,
            major_faults=now.major_faults - began.major_faults,
            cpu_s=max(0.0, now.cpu_s - began.cpu_s),
            threads=told.threads,
            runnable=told.runnable,
            switches_per_s=(now.switches - began.switches) / seconds if seconds > 0 else None,
            pools=machine_threads.pools(),
            gpus=gpus,
            arrays=large_arrays(names),
        )

    def _known(self) -> _Facts:
        if self._facts is None:
            self._facts = _facts(self._root)
        return self._facts

    def _used(self) -> _Used:
        own_s, all_s, faults, switches = _resources()
        mark = None if self._meter is None else self._meter().accounts.mark()
        return _Used(
            t_s=time.perf_counter(),
            cpu_s=all_s if mark is None else mark.own_ns / 1e9,
            own_cpu_s=own_s,
            major_faults=faults,
            switches=switches,
            swapped_b=None if self._swaps is None else _swapped_b(self._swaps),
        )


def _resources() -> tuple[float, float, int, int]:
    """CPU seconds of this process, and with its ended children; major faults; involuntary switches of its threads."""
    if sys.platform == "win32":  # it has no such count
        own_s = time.process_time()
        return own_s, own_s, 0, 0
    import resource

    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    own_s = own.ru_utime + own.ru_stime
    return own_s, own_s + children.ru_utime + children.ru_stime, own.ru_majflt, own.ru_nivcsw


def _open_where_it_swaps(root: Path) -> int | None:
    """The file that counts swapping, where there is anything to swap to."""
    with suppress(OSError):
        if len((root / "proc/swaps").read_bytes().splitlines()) > 1:  # the first line is a heading
            return os.open(root / "proc/vmstat", os.O_RDONLY)
    return None


def _swapped_b(fd: int) -> int | None:
    """Bytes that the machine has read back from swap since it booted."""
    with suppress(OSError, ValueError, IndexError):
        text = os.pread(fd, _VMSTAT_BYTES, 0)
        return int(text.split(b"\npswpin ", 1)[1].split(b"\n", 1)[0]) * os.sysconf("SC_PAGE_SIZE")
    return None


def _facts(root: Path) -> _Facts:
    flags = cpu_facts.read_flags(root)
    allowed = cpu_facts.own_cpus()
    cpus = float(len(allowed) if allowed else os.cpu_count() or 1)
    quota = cpu_facts.read_quota(root)
    if quota is not None:
        cpus = min(cpus, quota.cpus)
    cores = cpu_facts.physical_cores(allowed, root) or _cores_without_proc() or max(1, int(cpus))
    return _Facts(
        cores=cores,
        cpus=cpus,
        x86=_is_x86(),
        amx="amx_bf16" in flags,
        avx512_bf16="avx512_bf16" in flags,
        memory_b=memory_total_b(root),
    )


def _is_x86() -> bool:
    import platform

    return platform.machine().lower() in ("x86_64", "amd64", "i386", "i686")


def _cores_without_proc() -> int | None:
    if not sys.platform.startswith("linux"):
        import psutil  # loaded only where there is no /proc

        return psutil.cpu_count(logical=False)
    return None  # an ARM kernel names no cores: each of its CPUs is one
