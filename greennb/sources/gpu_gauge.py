"""How busy an NVIDIA board is, how full and how warm, and how much of its memory is whose, as NVML tells it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from greennb.sources.base import Gauge

CORE_SENSOR = 0
"""NVML_TEMPERATURE_GPU (nvml.h): the sensor on the die."""


def gauge(nvml: Any, handle: Any) -> Gauge:
    """What the board behind ``handle`` tells: each figure by itself, for a board may have some of them only.

    ``nvml`` is the pynvml module, initialised. Utilisation is the share of the last sampling period, 1/6 s to 1 s, in
    which a kernel ran (nvml.h, nvmlUtilization_t).
    """
    rates = _told(nvml, lambda: nvml.nvmlDeviceGetUtilizationRates(handle).gpu)
    # The newer call leaves out what the driver keeps for itself, as nvidia-smi does; older drivers lack it.
    memory = _told(nvml, lambda: nvml.nvmlDeviceGetMemoryInfo(handle, nvml.nvmlMemory_v2))
    if memory is None:
        memory = _told(nvml, lambda: nvml.nvmlDeviceGetMemoryInfo(handle))
    temp_c = _told(nvml, lambda: nvml.nvmlDeviceGetTemperature(handle, CORE_SENSOR))
    return Gauge(
        util=None if rates is None else min(1.0, rates / 100),
        mem_b=None if memory is None else int(memory.used),
        mem_total_b=None if memory is None else int(memory.total),
        temp_c=None if temp_c is None else float(temp_c),
    )


def held_b(nvml: Any, handle: Any, pids: frozenset[int]) -> int | None:
    """Bytes on the board that ``pids`` hold; None where NVML names none of them or does not tell their memory.

    In a container NVML's PIDs are those of the machine: none of ours is among them then.
    """
    listed = _told(nvml, lambda: nvml.nvmlDeviceGetComputeRunningProcesses(handle)) or []
    held = [process.usedGpuMemory for process in listed if process.pid in pids]
    known = [int(b) for b in held if b is not None]
    return sum(known) if known else None


def _told(nvml: Any, ask: Callable[[], Any]) -> Any:
    try:
        return ask()
    except nvml.NVMLError:
        return None  # a board need not tell it, or is gone: its energy says why
