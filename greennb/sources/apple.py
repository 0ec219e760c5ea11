"""Apple silicon through the package zeus-apple-silicon (the extra ``greennb[apple]``), without root.

The package reads the energy counters that macOS's IOReport keeps under "Energy Model": cumulative millijoules of the
CPU, its clusters, GPU, DRAM and Neural Engine, from a point that stays where it is while a monitor lives. Its authors
believe that the chip fills them from a model of activity, frequency and voltage, and Apple calls the like figures of
``powermetrics`` estimates that may be inaccurate: the interval knows nothing of that, and the note says so.
"""

from __future__ import annotations

import platform
import sys
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from greennb.model.reading import Domain, DomainKind, Fault, Method
from greennb.model.units import mj_to_uj
from greennb.sources.base import Channel, Probe, Sample

NAME = "apple"

RESOLUTION_UJ = 1000.0
"""The package gives whole millijoules (its AppleEnergyMetrics; most counters have that step themselves)."""

REFRESH_NS = 100_000_000
"""An upper figure. None is published; the package's authors call windows below about 10 ms noise, and this is ten."""

CEILING_W = 500.0
"""More than a whole Mac Studio may draw (Apple's technical specifications, M3 Ultra: 480 W), so more than a part."""

NOTE = "Apple's counters are believed to come from a model in the chip; its error is not published nor in the interval."
INSTALL_HINT = 'Run "pip install zeus-apple-silicon" in this environment and restart the kernel.'
_HINT = "macOS did not answer; greennb asks again each time."


class Part(NamedTuple):
    """A part of the chip: where its millijoules are in the package's answer, and the part that contains it."""

    kind: DomainKind
    device: str
    label: str
    field: str
    inside: str = ""


PARTS = (
    Part(DomainKind.CPU_PACKAGE, "apple:cpu", "CPU", "cpu_total_mj"),
    Part(DomainKind.CPU_CORE, "apple:cpu/efficiency", "CPU efficiency cores", "efficiency_cluster_mj", "apple:cpu"),
    Part(DomainKind.CPU_CORE, "apple:cpu/performance", "CPU performance cores", "performance_cluster_mj", "apple:cpu"),
    Part(DomainKind.GPU, "apple:gpu", "GPU", "gpu_mj"),
    Part(DomainKind.DRAM, "apple:dram", "DRAM", "dram_mj"),
    Part(DomainKind.CPU_UNCORE, "apple:ane", "Neural Engine", "ane_mj"),
)
"""Fields of the package's AppleEnergyMetrics. ``gpu_sram_mj`` is left out: nobody says whether ``gpu_mj`` holds it.
The Neural Engine is on the chip beside the cores and in none of the other figures: uncore without an outer domain."""


class AppleSource:
    """Reads ``channels``, which are those of ``parts``, from monitors that ``new_monitor`` makes.

    ``new_monitor`` is the package's AppleEnergyMonitor. ``now_ns`` is the monotonic clock that dates Faults.
    """

    name = NAME

    def __init__(
        self,
        new_monitor: Callable[[], Any],
        parts: Sequence[Part],
        channels: Sequence[Channel],
        *,
        monitor: Any = None,
        now_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self.channels = tuple(channels)
        self._parts = tuple(parts)
        self._new_monitor = new_monitor
        self._monitor = monitor
        self._now_ns = now_ns
        self._closed = False
        self._lock = threading.Lock()

    def sample(self) -> Sequence[Sample]:
        """Each part's cumulative microjoules; a Fault for each that has none."""
        try:
            with self._lock:
                if self._closed:
                    return self._faults("the source is closed", "")
                if self._monitor is None:
                    self._monitor = self._new_monitor()
                metrics = self._monitor.get_cumulative_energy()
        except (RuntimeError, ValueError) as error:  # what C++'s exceptions come out as
            return self._faults(f"macOS gives no energy ({error})", _HINT)
        return [self._one(*pair, metrics) for pair in zip(self._parts, self.channels, strict=True)]

    def after_fork(self) -> None:
        """Let the child make a monitor of its own with its first sample: the parent's talks through the parent."""
        self._lock = threading.Lock()
        self._monitor = None

    def close(self) -> None:
        """Let the monitor go; every later sample is a Fault."""
        with self._lock:
            self._closed = True
            self._monitor = None

    def _one(self, part: Part, channel: Channel, metrics: Any) -> Sample:
        millijoules = millijoules_of(part, metrics)
        if millijoules is None:
            return self._fault(channel, "macOS gives no energy of it any more", _HINT)
        return mj_to_uj(millijoules)

    def _faults(self, reason: str, hint: str) -> Sequence[Sample]:
        return [self._fault(channel, reason, hint) for channel in self.channels]

    def _fault(self, channel: Channel, reason: str, hint: str) -> Fault:
        return Fault(domain=channel.domain, t_ns=self._now_ns(), reason=reason, hint=hint)


def millijoules_of(part: Part, metrics: Any) -> int | None:
    """The part's millijoules; None where this chip, or this version of the package, has none of it."""
    value = getattr(metrics, part.field, None)
    if isinstance(value, list):  # a figure a cluster
        return sum(value) if value else None
    return value if isinstance(value, int) and value >= 0 else None


def probe(host: str, *, system: str = sys.platform, machine: str | None = None) -> Probe:
    """Look for Apple silicon, and for the package that reads it."""
    if system != "darwin":
        return _refused("Apple silicon is read on macOS only.")
    if (machine or platform.machine()) != "arm64":
        reason = "This Python runs on an Intel Mac, or as if on one (Rosetta); Apple silicon's counters are not for it."
        return _refused(reason, "On Apple silicon use a Python that is built for it (arm64).")
    try:
        from zeus_apple_silicon import AppleEnergyMonitor
    except ImportError:
        return _refused("The Python package zeus-apple-silicon is not installed.", INSTALL_HINT)
    try:
        monitor = AppleEnergyMonitor()
        metrics = monitor.get_cumulative_energy()
    except (RuntimeError, ValueError) as error:
        return _refused(
            f"macOS gives no energy ({error}).", "Upgrade zeus-apple-silicon: each new chip needs a new one."
        )
    parts = [part for part in PARTS if millijoules_of(part, metrics) is not None]
    if not parts:
        hint = "Upgrade zeus-apple-silicon: each new chip needs a new one."
        return _refused("zeus-apple-silicon knows none of this chip's counters.", hint)
    channels = _channels(parts, host)
    source = AppleSource(AppleEnergyMonitor, parts, channels, monitor=monitor)
    return Probe(name=NAME, source=source, reason=f"Reads {', '.join(part.label for part in parts)}.")


def _channels(parts: Sequence[Part], host: str) -> list[Channel]:
    domains: dict[str, Domain] = {}
    for part in parts:  # outer ones come first, as in PARTS
        domains[part.device] = Domain(
            kind=part.kind, host=host, device=part.device, label=part.label, inside=domains.get(part.inside)
        )
    return [_channel(domain) for domain in domains.values()]


def _channel(domain: Domain) -> Channel:
    return Channel(
        domain=domain, method=Method.COUNTER, resolution_uj=RESOLUTION_UJ, refresh_ns=REFRESH_NS, wrap_uj=None,
        max_power_w=CEILING_W, note=NOTE,
    )  # fmt: skip


def _refused(reason: str, hint: str = "") -> Probe:
    return Probe(name=NAME, source=None, reason=reason, hint=hint)
