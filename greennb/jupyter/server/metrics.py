"""Joules and watts in Jupyter Server's own ``/metrics``, by domain and by kernel.

Nothing is read before the first scrape, and only at scrapes after it, but where power has to be summed: then once a
second, until nobody has scraped for five minutes. Labels are of the hardware and of the kernels that run: their number
is bounded.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import psutil
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

from greennb.jupyter.server.host import Host
from greennb.meter.trail import Look, Trail
from greennb.model.measurement import contained
from greennb.model.reading import DomainKind, Method
from greennb.model.units import uj_to_j

FORGOTTEN_S = 300.0
"""Without a scrape for so long nothing is sampled any more; Prometheus scrapes once a minute where nobody says else."""

MOST_KERNELS = 200
"""Kernels that have a label of their own; what is beyond is "other"."""

LABELS = ("kind", "device", "label", "method")

_CPU = frozenset({DomainKind.CPU_PACKAGE, DomainKind.PSYS, DomainKind.SOC, DomainKind.BATTERY})


class Energy:
    """The collector: cumulative joules of each domain since the first scrape, and their mean power since the last.

    Args:
        host: whose meter reads.
        kernels: process ids of the kernels that run, by kernel id.
    """

    def __init__(self, host: Host, kernels: Callable[[], Mapping[str, int]]) -> None:
        self._host = host
        self._kernels = kernels
        self._lock = threading.Lock()
        self._trail: Trail | None = None
        self._scraped_s = 0.0
        self._sampling = False
        self._joules: list[float] = []
        self._at_s = 0.0
        self._cpu_s: dict[str, float] = {}
        self._busy_s = 0.0
        self._kernel_j: dict[str, float] = {}

    period_s = 1.0
    """Between two looks while power is summed (a gap of two seconds would be one)."""

    def describe(self) -> Iterable[Any]:
        """Names alone: registering must not read anything."""
        return _families()

    def collect(self) -> Iterable[Any]:
        """The metrics now. A failure is logged, and gives none: a scrape of the server must not fail by it."""
        try:
            with self._lock:
                return self._collected()
        except Exception:
            logging.getLogger(__name__).exception("greennb's metrics could not be read")
            return []

    def take(self, look: Look) -> None:
        """A look of the sampler's between two scrapes."""
        if self._trail is not None:
            self._trail.fold(look)
        if time.monotonic() - self._scraped_s > FORGOTTEN_S and self._sampling:
            self._sampling = False
            # The sampler's own thread can't leave its own list of watchers.
            threading.Thread(target=self._host.runtime.meter.sampler.release, args=(self,), daemon=True).start()

    def _collected(self) -> list[Any]:
        meter = self._host.runtime.meter
        now_s = time.monotonic()
        if self._trail is None:
            self._trail = Trail(meter.channels, meter.look())
            self._joules = [0.0] * len(meter.channels)
            self._at_s = now_s
            self._share_out(0.0)
        else:
            self._trail.fold(meter.look())
        self._scraped_s = now_s
        if not self._sampling and any(channel.method is Method.INTEGRATED for channel in meter.channels):
            self._sampling = True
            meter.sampler.watch(self)
        joules = [uj_to_j(piece.uj) for piece in self._trail.sums]
        watts = [
            (now - before) / (now_s - self._at_s) if now_s > self._at_s else None
            for now, before in zip(joules, self._joules, strict=True)
        ]
        self._share_out(self._cpu_j(joules))
        self._joules, self._at_s = joules, now_s
        return self._told(joules, watts)

    def _cpu_j(self, joules: list[float]) -> float:
        """Joules of the CPUs since the last scrape, each once."""
        channels = self._host.runtime.meter.channels
        present = {channel.domain for channel in channels}
        return sum(
            now - before
            for channel, now, before in zip(channels, joules, self._joules, strict=True)
            if channel.domain.kind in _CPU and not contained(channel.domain, present)
        )

    def _share_out(self, spent_j: float) -> None:
        """Share out what the CPUs took by the CPU time of each kernel and its children."""
        used = {kernel: _cpu_s(pid) for kernel, pid in list(self._kernels().items())[:MOST_KERNELS]}
        times = psutil.cpu_times()
        busy_s = sum(times) - times.idle - getattr(times, "iowait", 0.0) - getattr(times, "guest", 0.0)
        passed_s, self._busy_s = busy_s - self._busy_s, busy_s
        for kernel, cpu_s in used.items():
            own_s = cpu_s - self._cpu_s.get(kernel, cpu_s)
            share = min(1.0, max(0.0, own_s) / passed_s) if passed_s > 0 else 0.0
            self._kernel_j[kernel] = self._kernel_j.get(kernel, 0.0) + spent_j * share
        self._cpu_s = used
        self._kernel_j = {kernel: joules for kernel, joules in self._kernel_j.items() if kernel in used}

    def _told(self, joules: list[float], watts: list[float | None]) -> list[Any]:
        energy, power, by_kernel, faults = _families()
        trail = self._trail
        assert trail is not None
        for channel, piece, total_j, watt in zip(
            self._host.runtime.meter.channels, trail.sums, joules, watts, strict=True
        ):
            labels = [channel.domain.kind.value, channel.domain.device, channel.domain.label, channel.method.value]
            if piece.covered_ns > 0:  # what was never read has no number, and no zero
                energy.add_metric(labels, total_j)
                if watt is not None:
                    power.add_metric(labels, watt)
        for kernel, kernel_j in self._kernel_j.items():
            by_kernel.add_metric([kernel], kernel_j)
        faults.add_metric([], float(len(trail.faults)))
        return [energy, power, by_kernel, faults]


def _families() -> tuple[CounterMetricFamily, GaugeMetricFamily, CounterMetricFamily, GaugeMetricFamily]:
    return (
        CounterMetricFamily(
            "greennb_energy_joules", "Energy of each domain since the first scrape; method is how it was obtained "
            "(counter, integrated, estimated). A domain may lie in another.", labels=LABELS,
        ),
        GaugeMetricFamily("greennb_power_watts", "Mean power of each domain since the last scrape.", labels=LABELS),
        CounterMetricFamily(
            "greennb_kernel_energy_joules", "Share of the CPUs' energy by the CPU time of a kernel and its children, "
            "idle power included: a model.", labels=["kernel_id"],
        ),
        GaugeMetricFamily("greennb_faults", "Reasons for which something could not be read since the first scrape."),
    )  # fmt: skip


def _cpu_s(pid: int) -> float:
    """CPU seconds of a process and its children, those that have ended included."""
    try:
        process = psutil.Process(pid)
        total = _own_s(process)
        for child in process.children(recursive=True):
            total += _own_s(child)
    except psutil.Error:
        return 0.0
    return total


def _own_s(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.Error:
        return 0.0
    ended = getattr(times, "children_user", 0.0) + getattr(times, "children_system", 0.0)
    return float(times.user + times.system + ended)
