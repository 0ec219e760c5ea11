"""How long the CPUs have been busy: the clock that the estimate multiplies with watts.

Three clocks, best first. All answer cumulative CPU nanoseconds (two CPUs busy for one second are 2e9).

* The cgroup's own accounting (v1 ``cpuacct.usage`` in ns, v2 ``cpu.stat`` in us). The kernel charges a task when it is
  switched out, at each scheduler tick (1 to 10 ms), and when its CPU clock is read. So we read this thread's CPU clock
  first, and what this thread has done is then exact; other running threads lag by up to one tick each. At the true
  root of a v1 hierarchy it covers the whole machine; below a root, or in a container, it covers that cgroup only.
  (The v2 root's ``cpu.stat`` is no better than ``/proc/stat``: the kernel fills it from the same counters.)
* ``/proc/stat``: ticks of 1/USER_HZ s (10 ms), the whole machine or the CPUs that we may run on. Time counted as busy
  is user + nice + system + irq + softirq. iowait is idle time, and can go backward; steal is another machine's time;
  guest and guest_nice are already inside user and nice (proc(5)).
* psutil where there is no ``/proc`` (macOS, Windows): user + nice + system.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Protocol

from greennb.model.units import s_to_ns

TICK_NS = 10_000_000
"""One tick of /proc/stat (USER_HZ is 100 on every Linux that we know), and the longest scheduler tick (HZ=100)."""

_LINE_BYTES = 256
_BUSY_FIELDS = (0, 1, 2, 5, 6)  # user, nice, system, irq, softirq


class BusyClock(Protocol):
    """Cumulative busy CPU time. ``tick_ns`` is its step, ``what`` one phrase for the user on what it covers."""

    tick_ns: int
    what: str

    def busy_ns(self) -> int:
        """CPU nanoseconds so far. Raises OSError or ValueError where they cannot be read."""
        ...

    def reopen(self) -> None:
        """Use an own file description (after a fork)."""
        ...

    def close(self) -> None:
        """Release the file."""
        ...


class _HeldFile:
    """A small kernel file that stays open and is read from its start each time."""

    def __init__(self, path: Path, size: int) -> None:
        self._path = path
        self._size = size
        self._fd = -1  # for __del__, should open fail
        self._fd = os.open(path, os.O_RDONLY)

    def read(self) -> bytes:
        """The first bytes of the file now. Raises OSError, also after ``close``."""
        return os.pread(self._fd, self._size, 0)

    def reopen(self) -> None:
        """Replace the file description."""
        self.close()
        self._fd = os.open(self._path, os.O_RDONLY)

    def close(self) -> None:
        """Close it; a later ``read`` raises OSError (EBADF)."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)

    def __del__(self) -> None:
        self.close()


class ProcStat:
    """``/proc/stat``: the whole machine, or only the CPUs in ``cpus`` (their numbers).

    Raises OSError where the file cannot be opened.
    """

    def __init__(self, path: Path, cpus: Collection[int] | None = None) -> None:
        self.tick_ns = TICK_NS
        self.what = "the whole machine's busy time" if cpus is None else f"busy time of {len(cpus)} CPUs"
        self._wanted = None if cpus is None else frozenset(b"cpu%d" % number for number in cpus)
        # The lines of the single CPUs come in order after the first line, each well under 256 bytes.
        lines = 1 if cpus is None else max(cpus) + 2
        self._file = _HeldFile(path, _LINE_BYTES * lines)

    def busy_ns(self) -> int:
        """CPU nanoseconds so far, in steps of ``tick_ns``."""
        text = self._file.read()
        if self._wanted is None:
            return _busy_ticks(text.split(b"\n", 1)[0], b"cpu") * self.tick_ns
        lines = [line for line in text.split(b"\n") if line.split(b" ", 1)[0] in self._wanted]
        if not lines:
            raise ValueError("none of our CPUs is in /proc/stat")
        return sum(_busy_ticks(line, b"") for line in lines) * self.tick_ns

    def reopen(self) -> None:
        """Use an own file description (after a fork)."""
        self._file.reopen()

    def close(self) -> None:
        """Release the file."""
        self._file.close()


def _busy_ticks(line: bytes, name: bytes) -> int:
    """Busy ticks of one line of /proc/stat. ``name`` is what it must start with, empty for any."""
    head, *fields = line.split()
    if name and head != name:
        raise ValueError(f"/proc/stat starts with {head!r}, not with the line of all CPUs")
    if len(fields) < 7:
        raise ValueError("/proc/stat has too few columns")
    return sum(int(fields[index]) for index in _BUSY_FIELDS)


class CgroupUsage:
    """A cgroup's CPU accounting: ``cpuacct.usage`` (v1, nanoseconds) or ``cpu.stat`` (v2, ``usage_usec``).

    Raises OSError where the file cannot be opened.
    """

    def __init__(self, path: Path, *, whole_machine: bool) -> None:
        self.tick_ns = TICK_NS
        self.what = "the whole machine's busy time" if whole_machine else "busy time of our own cgroup"
        self._is_v2 = path.name == "cpu.stat"
        self._file = _HeldFile(path, _LINE_BYTES)

    def busy_ns(self) -> int:
        """CPU nanoseconds so far; exact for the calling thread, up to a scheduler tick late for each other one."""
        time.thread_time_ns()  # makes the kernel charge what this thread has used until now
        text = self._file.read()
        if not self._is_v2:
            return int(text)
        key, value, *_ = text.split(None, 2)
        if key != b"usage_usec":
            raise ValueError("cpu.stat does not start with usage_usec")
        return int(value) * 1000

    def reopen(self) -> None:
        """Use an own file description (after a fork)."""
        self._file.reopen()

    def close(self) -> None:
        """Release the file."""
        self._file.close()


class PsutilTimes:
    """psutil's times of all CPUs, for macOS and Windows.

    user + nice + system: on Windows psutil counts interrupt and DPC time inside system already.
    """

    def __init__(self) -> None:
        import psutil  # loaded only where there is no /proc

        self._cpu_times: Callable[[], object] = psutil.cpu_times
        self.tick_ns = 15_625_000  # Windows' clock interrupt, 1/64 s; macOS has 10 ms
        self.what = "the whole machine's busy time"

    def busy_ns(self) -> int:
        """CPU nanoseconds so far, in steps of ``tick_ns``."""
        times = self._cpu_times()
        return s_to_ns(sum(getattr(times, name, 0.0) for name in ("user", "nice", "system")))

    def reopen(self) -> None:
        """Nothing is shared."""

    def close(self) -> None:
        """Nothing is open."""
