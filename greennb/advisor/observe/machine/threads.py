"""How many of this process's threads want a CPU, and how large the pools of its numeric libraries are."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from itertools import islice
from typing import NamedTuple

MOST_TASKS = 512
"""Threads looked at most: 8 us each."""

MOST_OF = 0.8
"""Of the CPU time since the last look the cell must have used so much for the look to say something about the cell."""

_FOLDER = "/proc/self/task"


class _Task(NamedTuple):
    """A thread's nanoseconds on a CPU and waiting for one, since it began (schedstat in proc(5))."""

    ran_ns: int
    waited_ns: int


class Told(NamedTuple):
    """Threads at the end of a cell, and how many of them on average ran or waited for a CPU (None: not known)."""

    threads: int
    runnable: float | None


class Tasks:
    """Looks at the threads at the end of each cell that is long enough, and tells what has happened since the last.

    Threads that have ended leave nothing behind: where those that are left account for less than :data:`MOST_OF` of
    the CPU time, nothing is told. Linux only.
    """

    def __init__(self) -> None:
        self._last: dict[str, _Task] = {}
        self._cpu_s = 0.0

    def since_now(self, cpu_s: float) -> None:
        """Take this as the last look; ``cpu_s`` is this process's CPU time."""
        self._last, self._cpu_s = _look(), cpu_s

    def told(self, cpu_s: float, *, cell_cpu_s: float, cell_s: float) -> Told:
        """How it was in a cell that has just ended, took ``cell_s`` and used ``cell_cpu_s``."""
        before, before_s = self._last, self._cpu_s
        self.since_now(cpu_s)
        none = _Task(0, 0)
        ran_s = sum(now.ran_ns - before.get(tid, none).ran_ns for tid, now in self._last.items()) / 1e9
        waited_s = sum(now.waited_ns - before.get(tid, none).waited_ns for tid, now in self._last.items()) / 1e9
        since_s = cpu_s - before_s
        known = cell_s > 0 and ran_s > 0 and cell_cpu_s >= MOST_OF * since_s and ran_s >= MOST_OF * since_s
        runnable = cell_cpu_s / cell_s * (1 + waited_s / ran_s) if known else None
        return Told(threads=len(self._last) or 1, runnable=runnable)


def _look() -> dict[str, _Task]:
    """Every thread by its id; empty where the system does not tell."""
    found: dict[str, _Task] = {}
    with suppress(OSError), os.scandir(_FOLDER) as tasks:
        for task in islice(tasks, MOST_TASKS):
            with suppress(OSError, ValueError):  # it has just ended
                found[task.name] = _task(task.path)
    return found


def _task(folder: str) -> _Task:
    fd = os.open(f"{folder}/schedstat", os.O_RDONLY)
    try:
        ran, waited, _slices = os.read(fd, 64).split()
    finally:
        os.close(fd)
    return _Task(int(ran), int(waited))


def pools() -> dict[str, int]:
    """Sizes of thread pools, of libraries that are loaded: by threadpoolctl where the user has it, and by PyTorch.

    threadpoolctl takes 0.7 ms; nothing is loaded for it.
    """
    found: dict[str, int] = {}
    control = sys.modules.get("threadpoolctl")
    with suppress(Exception):  # somebody else's library: it costs its pools
        for each in control.threadpool_info() if control is not None else ():
            kind = str(each["internal_api"])
            found[kind] = max(found.get(kind, 0), int(each["num_threads"]))
    torch = sys.modules.get("torch")
    with suppress(Exception):
        if torch is not None:
            found["torch"] = int(torch.get_num_threads())
    return found
