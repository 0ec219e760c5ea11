"""Which part of a GPU's work is whose, from the processes that NVML lists and the utilisation that it tells of each."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

PID_NAMESPACE = Path("/proc/self/ns/pid")
FIRST_PID_NAMESPACE = 0xEFFFFFFC
"""Inode of the machine's own PID namespace (Linux, include/linux/proc_ns.h, PROC_PID_INIT_INO)."""

HIDDEN = "the GPU's processes are hidden (a container's PID namespace)"
SHARED = "others use this GPU, and NVML does not tell who used how much"
UNSEEN = "others use this GPU, and NVML sampled nobody's use in this window"
REFUSED = "NVML does not list the GPU's processes"

_NOT_FOUND = 6
"""NVML_ERROR_NOT_FOUND (nvml.h): no sample is newer than the time asked for."""


def own_share(
    nvml: Any, handle: Any, pids: frozenset[int], since_wall_ns: int, *, sees_all: bool | None = None
) -> float | str:  # fmt: skip
    """The part (0 to 1) of the work on ``handle`` since then that ``pids`` did, or a clause that says why not.

    ``nvml`` is the pynvml module, initialised. Alone on the GPU means all of it; with others it goes by the SM
    utilisation that NVML samples, of which it remembers some seconds only. ``sees_all`` is whether PIDs here are those
    of the whole machine, asked of the system if None.
    """
    listed = _listed(nvml, handle)
    if listed is None:
        return REFUSED
    worked = _worked(nvml, handle, since_wall_ns)
    seen = listed | {pid for pid, sm in (worked or {}).items() if sm > 0}
    if not seen & pids and not (_sees_all_pids() if sees_all is None else sees_all):
        return HIDDEN
    if not seen - pids:
        return 1.0 if seen else 0.0
    if not seen & pids:
        return 0.0
    if not worked:
        # Others hold the GPU too, and who worked is not told.
        return SHARED if worked is None else UNSEEN
    total = sum(worked.values())
    return sum(sm for pid, sm in worked.items() if pid in pids) / total if total else 0.0


def at_work(nvml: Any, handle: Any) -> bool | None:
    """Whether the GPU did anything in NVML's last sampling period; None where it does not tell."""
    try:
        return bool(nvml.nvmlDeviceGetUtilizationRates(handle).gpu)
    except nvml.NVMLError:
        return None


def _listed(nvml: Any, handle: Any) -> set[int] | None:
    """PIDs with a context on the GPU; None where NVML does not list them."""
    found: set[int] = set()
    told = False
    for ask in (nvml.nvmlDeviceGetComputeRunningProcesses, nvml.nvmlDeviceGetGraphicsRunningProcesses):
        try:
            found.update(process.pid for process in ask(handle))
            told = True
        except nvml.NVMLError:
            continue  # a board may know one kind only
    return found if told else None


def _worked(nvml: Any, handle: Any, since_wall_ns: int) -> dict[int, int] | None:
    """Sums of SM utilisation (percent) by PID since then; None where NVML does not tell, as with MIG."""
    try:
        samples = nvml.nvmlDeviceGetProcessUtilization(handle, max(0, since_wall_ns) // 1000)
    except nvml.NVMLError as error:
        return {} if error.value == _NOT_FOUND else None
    worked: dict[int, int] = {}
    for sample in samples:
        # Slots that the driver did not fill have no PID; more than 100 % is one that it did not fill rightly.
        if sample.pid and sample.smUtil <= 100:
            worked[sample.pid] = worked.get(sample.pid, 0) + sample.smUtil
    return worked


def _sees_all_pids() -> bool:
    """Whether PIDs here are those of the whole machine."""
    if not sys.platform.startswith("linux"):
        return False  # graphics drivers elsewhere list their processes incompletely
    try:
        return PID_NAMESPACE.stat().st_ino == FIRST_PID_NAMESPACE
    except OSError:
        return False
