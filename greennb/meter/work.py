"""CPU time: this process's, its children's, and the machine's. What own shares and quiet are told from.

A mark costs a few system calls, so that one is taken at most every 10 ms and otherwise the last one is given again:
what lies between two marks is known to one such step, and a window of a few steps has no share.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple, Protocol

from greennb.model.units import s_to_ns
from greennb.sources.busy import TICK_NS, BusyClock, CgroupUsage, ProcStat, PsutilTimes
from greennb.sources.cpu_facts import machine_usage

STEPS = 10
"""A stretch of time is told from its marks where it is at least so many steps long: each end is known to one step."""

_COST_RATIO = 50
"""Marks take at most a fiftieth of the time: on hundreds of CPUs, or with many children, one is dear."""

_LONGEST_STEP_NS = 1_000_000_000
_MOST_DESCENDANTS = 4096
_STAT_BYTES = 1024
_CPU_TIMES = slice(11, 15)  # utime, stime, cutime, cstime, counted from the field after the name (proc(5))


class Mark(NamedTuple):
    """CPU nanoseconds up to ``t_ns``: by this process and its children, and by the whole machine (None: not known).

    ``pids`` are the children and their children that lived then. ``step_ns`` is the time between marks.
    """

    t_ns: int
    own_ns: int
    busy_ns: int | None
    pids: frozenset[int]
    step_ns: int


class Work(Protocol):
    """Gives marks. ``cpus`` is how many CPUs the machine's busy time is of."""

    cpus: int

    def mark(self) -> Mark:
        """CPU times now, or at the last mark where that is less than a step ago."""
        ...

    def after_fork(self) -> None:
        """Start afresh in a forked child."""
        ...

    def close(self) -> None:
        """Release files."""
        ...


class SystemWork:
    """The marks of this process on this machine. Time goes by ``now_ns``, the monotonic clock."""

    def __init__(self, *, now_ns: Callable[[], int] = time.monotonic_ns, root: Path = Path("/")) -> None:
        self.cpus = os.cpu_count() or 1
        self._now_ns = now_ns
        self._busy = machine_clock(root)
        self._lock = threading.Lock()
        self._last: Mark | None = None
        self._next_ns = 0
        self._cost_ns = 0

    def mark(self) -> Mark:
        """CPU times now, or at the last mark where that is less than a step ago."""
        last = self._last
        if last is not None and self._now_ns() < self._next_ns:
            return last
        with self._lock:  # two that read at once could hand out marks in the wrong order
            began_ns = self._now_ns()
            if self._last is not None and began_ns < self._next_ns:
                return self._last
            living_ns, pids = _living()
            own_ns = time.process_time_ns() + _waited_ns() + living_ns
            busy_ns = self._busy_ns()
            cost_ns = self._now_ns() - began_ns
            # One slow mark may have been an interruption: the cheaper of the last two counts.
            step_ns = min(max(TICK_NS, _COST_RATIO * min(cost_ns, self._cost_ns)), _LONGEST_STEP_NS)
            self._cost_ns = cost_ns
            self._next_ns = began_ns + step_ns
            self._last = Mark(began_ns, own_ns, busy_ns, pids, step_ns)
            return self._last

    def _busy_ns(self) -> int | None:
        if self._busy is None:
            return None
        try:
            return self._busy.busy_ns()
        except (OSError, ValueError):  # no share then, which says so
            return None

    def after_fork(self) -> None:
        """Forget the parent's marks, whose process's time does not go on in the child."""
        self._lock = threading.Lock()
        self._last = None
        if self._busy is not None:
            with suppress(OSError):
                self._busy.reopen()

    def close(self) -> None:
        """Release the file of the machine's busy time; later marks do not know it."""
        if self._busy is not None:
            self._busy.close()


def machine_clock(root: Path = Path("/")) -> BusyClock | None:
    """The busy time of the whole machine, from the finest clock that tells it; None where none does.

    On Linux only the kernel's own files will do: in a container without ``/proc/stat`` psutil knows no more.
    """
    if not sys.platform.startswith("linux"):
        return PsutilTimes()
    usage = machine_usage(root)
    if usage is not None:
        with suppress(OSError, ValueError):
            found = CgroupUsage(usage, whole_machine=True)
            found.busy_ns()
            return found
    with suppress(OSError, ValueError):
        clock = ProcStat(root / "proc/stat")
        clock.busy_ns()
        return clock
    return None


def _waited_ns() -> int:
    """CPU time of the children that have ended and were waited for, and of theirs."""
    if sys.platform == "win32":  # no child is waited for there, and none is counted
        return 0
    import resource

    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return s_to_ns(usage.ru_utime + usage.ru_stime)


def _living() -> tuple[int, frozenset[int]]:
    """CPU time of the children that have not been waited for, and of their children, in ticks of 10 ms; their PIDs.

    Linux only; elsewhere children count once they have ended. One that leaves (a daemon) is no child any more.
    """
    if not sys.platform.startswith("linux") or not _has_children():
        return 0, frozenset()
    ticks = 0
    found: set[int] = set()
    waiting = _children("self")
    while waiting and len(found) < _MOST_DESCENDANTS:
        pid = waiting.pop()
        if pid in found:
            continue
        with suppress(OSError, ValueError):  # it has just ended
            ticks += _ticks(pid)
            found.add(pid)
            waiting += _children(str(pid))
    return ticks * TICK_NS, frozenset(found)


def _has_children() -> bool:
    """Whether any thread of this process has a child: one system call, which takes nothing from who waits for it."""
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True


def _children(process: str) -> list[int]:
    """PIDs of the children of every thread of ``process``."""
    found: list[int] = []
    with suppress(OSError):  # it has just ended, or its kernel lists no children
        for thread in Path(f"/proc/{process}/task").iterdir():
            with suppress(OSError):
                found += map(int, (thread / "children").read_bytes().split())
    return found


def _ticks(pid: int) -> int:
    """CPU ticks of a process and of the children that it has waited for."""
    with open(f"/proc/{pid}/stat", "rb") as file:
        text = file.read(_STAT_BYTES)
    # The name, in brackets, may hold anything; what follows the last bracket is numbers.
    return sum(map(int, text[text.rindex(b")") + 1 :].split()[_CPU_TIMES]))
