"""How busy an NVIDIA board is, how full, warm and fast, and how much of its memory is whose, as NVML tells it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from greennb.model.units import mw_to_w
from greennb.sources.base import Board, Gauge

CORE_SENSOR = 0
"""NVML_TEMPERATURE_GPU (nvml.h): the sensor on the die."""

SM_CLOCK = 1
"""NVML_CLOCK_SM (nvml.h): the clock of the streaming multiprocessors."""


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


def board(nvml: Any, handle: Any) -> Board:
    """The watts and clocks of the board behind ``handle`` with their limits: each figure by itself."""
    power_mw = _told(nvml, lambda: nvml.nvmlDeviceGetPowerUsage(handle))
    # The limit in force is the lowest of several (nvml.h); older boards tell only the one that was set.
    limit_mw = _told(nvml, lambda: nvml.nvmlDeviceGetEnforcedPowerLimit(handle))
    if limit_mw is None:
        limit_mw = _told(nvml, lambda: nvml.nvmlDeviceGetPowerManagementLimit(handle))
    limits_mw = _told(nvml, lambda: nvml.nvmlDeviceGetPowerManagementLimitConstraints(handle))
    clock_mhz = _told(nvml, lambda: nvml.nvmlDeviceGetClockInfo(handle, SM_CLOCK))
    max_clock_mhz = _told(nvml, lambda: nvml.nvmlDeviceGetMaxClockInfo(handle, SM_CLOCK))
    capability = _told(nvml, lambda: nvml.nvmlDeviceGetCudaComputeCapability(handle))
    return Board(
        power_w=None if power_mw is None else mw_to_w(power_mw),
        limit_w=None if limit_mw is None else mw_to_w(limit_mw),
        max_limit_w=None if limits_mw is None else mw_to_w(limits_mw[1]),
        clock_mhz=None if clock_mhz is None else float(clock_mhz),
        max_clock_mhz=None if max_clock_mhz is None else float(max_clock_mhz),
        capability=(0, 0) if capability is None else (int(capability[0]), int(capability[1])),
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
