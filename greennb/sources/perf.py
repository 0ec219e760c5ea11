"""CPU and DRAM energy from Linux perf events (``perf stat -e power/energy-pkg/``): RAPL's counters by another door.

Where powercap's files are root's only, ``perf_event_open`` still gives the same counters to a process with CAP_PERFMON
(or to everybody, where kernel.perf_event_paranoid is 0 or less). The kernel's PMU "power" lists its events under
/sys/bus/event_source/devices/power: each counts units of ``<event>.scale`` joules (2**-32) in 64 bits from its opening,
once for each CPU in ``cpumask`` (one a package or die), and never wraps.
"""

from __future__ import annotations

import errno
import os
import platform
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from greennb.model.reading import Domain, DomainKind, Fault, Method
from greennb.model.units import j_to_uj, ns_to_s
from greennb.sources import sysfs
from greennb.sources.base import Channel, Probe, Sample

NAME = "perf"
ROOT = "/sys"

REFRESH_NS = 1_000_000
"""RAPL counters are updated about every millisecond (Intel SDM volume 3B, "RAPL Interfaces")."""

RESOLUTION_UJ = 2**-14 * 1e6
"""61.035 uJ: the hardware's coarsest common unit of energy. The event's own unit, 2**-32 J, only scales it."""

CEILINGS_W = {
    DomainKind.CPU_PACKAGE: 2000.0,
    DomainKind.CPU_CORE: 2000.0,
    DomainKind.CPU_UNCORE: 1000.0,
    DomainKind.DRAM: 1000.0,
    DomainKind.PSYS: 10_000.0,
}
"""No such part draws more: about four times the largest sold (a 500 W socket; 24 modules of 10 W; a 2 kW server)."""

PERMISSION_HINT = (
    "perf events of whole CPUs need CAP_PERFMON (Linux 5.8 and newer). Give it to the Python of this environment only: "
    'make the environment with "python -m venv --copies", then as root run '
    '"setcap cap_perfmon=ep PATH/bin/python3"; in a container start it with "--cap-add PERFMON". '
    "A kernel.perf_event_paranoid of 0 would open them to everybody."
)
ABSENT_HINT = 'On bare metal run "modprobe rapl" as root. A virtual machine has no energy counters.'
_HINT = "The kernel closed the event, as when its CPU was taken offline; restart the kernel of the notebook."

_EVENTS = {
    "energy-psys": DomainKind.PSYS,
    "energy-pkg": DomainKind.CPU_PACKAGE,
    "energy-cores": DomainKind.CPU_CORE,
    "energy-gpu": DomainKind.CPU_UNCORE,
    "energy-ram": DomainKind.DRAM,
}
"""The PMU's events (arch/x86/events/rapl.c), outer domains before what lies in them."""

_SYSCALLS = {"x86_64": 298, "aarch64": 241, "arm64": 241}
"""The number of perf_event_open by machine (Linux, arch/x86/entry/syscalls/syscall_64.tbl and asm-generic/unistd.h)."""

_ATTR_BYTES = 64
"""PERF_ATTR_SIZE_VER0 of linux/perf_event.h: type and size (u32), config (u64), and 48 bytes that may all be 0."""

PATIENCE_S = 0.005
"""How long an event may show no movement before it counts as standing still: five refreshes. The smallest package draws
a quarter of a watt at rest, which is twenty of the hardware's coarsest steps in that time."""

_ALWAYS_MOVE = (DomainKind.PSYS, DomainKind.CPU_PACKAGE, DomainKind.DRAM)
"""What draws power at rest too; an uncore's graphics may really be off."""

_CLOSE_ON_EXEC = 8
"""PERF_FLAG_FD_CLOEXEC of linux/perf_event.h."""


Event = Callable[[], bytes]
"""An open perf event: called, it gives its count as 8 bytes in the machine's order, or none where the kernel gave the
event up. Raises OSError."""

OpenEvent = Callable[[int, int, int], Event]
"""Opens an event by its PMU's type, its config, and the CPU. Raises OSError."""


class KernelEvent:
    """A perf event's file, closed when nobody holds it: no reader can meet a file that got the same number since."""

    __slots__ = ("_fd",)

    def __init__(self, fd: int) -> None:
        self._fd = fd

    def __call__(self) -> bytes:
        """The event's 8 bytes. Raises OSError."""
        return os.read(self._fd, 8)

    def __del__(self, close: Callable[[int], None] = os.close) -> None:
        close(self._fd)


def open_event(kind: int, config: int, cpu: int) -> KernelEvent:
    """Open the event ``config`` of the PMU of type ``kind``, for everything that runs on ``cpu``.

    A ``cpu`` of -1 counts this process alone, on any CPU. Raises OSError, also where this system has no such call.
    """
    import ctypes  # here alone: it takes longer to load than all that is used without it

    number = _SYSCALLS.get(platform.machine()) if sys.platform == "linux" and sys.maxsize > 2**32 else None
    if number is None:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
    attributes = kind.to_bytes(4, sys.byteorder) + _ATTR_BYTES.to_bytes(4, sys.byteorder)
    attributes += config.to_bytes(8, sys.byteorder)
    buffer = ctypes.create_string_buffer(attributes, _ATTR_BYTES)
    call = ctypes.CDLL(None, use_errno=True).syscall
    call.restype = ctypes.c_long
    process = 0 if cpu < 0 else -1
    arguments = (ctypes.c_long(number), buffer, *(ctypes.c_long(n) for n in (process, cpu, -1, _CLOSE_ON_EXEC)))
    fd = call(*arguments)
    if fd < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return KernelEvent(fd)


class Counter(NamedTuple):
    """One event on one CPU, and the joules of one count."""

    name: str
    config: int
    cpu: int
    scale_j: float

    @property
    def kind(self) -> DomainKind:
        """What it measures."""
        return _EVENTS[self.name]

    @property
    def device(self) -> str:
        """What names it on its machine."""
        return f"perf:power/{self.name}/cpu{self.cpu}"


class PerfSource:
    """Reads ``events`` of ``counters`` through ``channels``, all in one order.

    ``now_ns`` is the monotonic clock that dates Faults. A forked child reads the same events: a read has no state.
    """

    name = NAME

    def __init__(
        self,
        counters: Sequence[Counter],
        events: Sequence[Event],
        channels: Sequence[Channel],
        *,
        now_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self.channels = tuple(channels)
        self._now_ns = now_ns
        self._scales_uj = tuple(j_to_uj(counter.scale_j) for counter in counters)
        self._events: tuple[Event, ...] | None = tuple(events)

    def sample(self) -> Sequence[Sample]:
        """Each event's microjoules since its opening; a Fault for each that cannot be read."""
        events = self._events  # held for the whole read: see KernelEvent
        if events is None:
            return [self._fault(channel, "the source is closed", "") for channel in self.channels]
        return [self._one(*parts) for parts in zip(self.channels, events, self._scales_uj, strict=True)]

    def after_fork(self) -> None:
        """Nothing that a child must not share."""

    def close(self) -> None:
        """Close the events; every later sample is a Fault."""
        self._events = None

    def _one(self, channel: Channel, event: Event, scale_uj: float) -> Sample:
        try:
            raw = event()
        except OSError as error:
            return self._fault(channel, f"reading its perf event failed ({error.strerror or error})", _HINT)
        if len(raw) != 8:
            return self._fault(channel, "the kernel gave its perf event up", _HINT)
        return int(int.from_bytes(raw, sys.byteorder) * scale_uj)

    def _fault(self, channel: Channel, reason: str, hint: str) -> Fault:
        return Fault(domain=channel.domain, t_ns=self._now_ns(), reason=reason, hint=hint)


def probe(
    host: str, *, root: str = ROOT, open_event: OpenEvent = open_event, patience_s: float = PATIENCE_S
) -> Probe:  # fmt: skip
    """Look for the PMU "power" under ``root`` (where /sys hangs), and open its energy events with ``open_event``.

    Some virtual machines list counters that never count: what does not move within ``patience_s`` is not used.
    """
    pmu = Path(root) / "bus/event_source/devices/power"
    kind = sysfs.positive(pmu / "type")
    if kind is None:
        linux = sys.platform.startswith("linux")
        reason = f"This kernel shows no energy counters as perf events ({pmu})."
        return _refused(reason if linux else "Only Linux has perf events.", ABSENT_HINT if linux else "")
    counters = list(_counters(pmu))
    if not counters:
        return _refused(f"{pmu} lists no energy event in joules with its CPUs.", ABSENT_HINT)
    opened, errors = _opened(kind, counters, open_event)
    for counter in _still(opened, patience_s):
        del opened[counter]
        errors[counter] = OSError(errno.ENODATA, os.strerror(errno.ENODATA))
    chosen = _without_double_counts(opened)
    if not chosen:
        return _closed(errors)
    domains = _domains(chosen, Path(root), host)
    without_dram = not any(counter.kind is DomainKind.DRAM for counter in chosen)
    channels = [_channel(domains[counter], without_dram) for counter in chosen]
    names = ", ".join(dict.fromkeys(counter.name for counter in chosen))
    faults = _faults(errors, chosen, Path(root), host)
    source = PerfSource(list(chosen), list(chosen.values()), channels)
    return Probe(name=NAME, source=source, reason=f"Reads {names} through perf_event_open.", faults=faults)


def _counters(pmu: Path) -> Iterator[Counter]:
    """The energy events that the PMU lists, each on each of its CPUs; the platform has one counter in all."""
    cpus = _cpus(sysfs.text(pmu / "cpumask"))
    for name, kind in _EVENTS.items():
        config = _config(sysfs.text(pmu / "events" / name))
        scale_j = _scale_j(pmu / "events", name)
        if config is None or scale_j is None:
            continue
        for cpu in cpus[:1] if kind is DomainKind.PSYS else cpus:
            yield Counter(name=name, config=config, cpu=cpu, scale_j=scale_j)


def _cpus(text: str) -> list[int]:
    """The CPUs in a list such as "0,28" or "0-3,8"; none where it is no such list."""
    cpus: list[int] = []
    try:
        for part in text.split(","):
            first, _, last = part.partition("-")
            cpus += range(int(first), int(last or first) + 1)
    except ValueError:
        return []
    return cpus


def _config(text: str) -> int | None:
    """The number in "event=0x02"; None where the event is not there or says more than that."""
    key, _, value = text.partition("=")
    try:
        return int(value, 0) if key == "event" else None
    except ValueError:
        return None


def _scale_j(events: Path, name: str) -> float | None:
    """The joules of one count; None where the event does not count joules."""
    try:
        scale_j = float(sysfs.text(events / f"{name}.scale"))
    except ValueError:
        return None
    return scale_j if 0 < scale_j < 1 and sysfs.text(events / f"{name}.unit") == "Joules" else None


def _opened(
    kind: int, counters: Sequence[Counter], open_event: OpenEvent
) -> tuple[dict[Counter, Event], dict[Counter, OSError]]:
    """The events that could be opened, and why the others could not."""
    events: dict[Counter, Event] = {}
    errors: dict[Counter, OSError] = {}
    for counter in counters:
        try:
            events[counter] = open_event(kind, counter.config, counter.cpu)
        except OSError as error:
            errors[counter] = error
    return events, errors


def _still(events: Mapping[Counter, Event], patience_s: float) -> list[Counter]:
    """The events that show the same count for ``patience_s``; one that counts is known within a millisecond or two."""
    if patience_s <= 0:
        return []
    first = {counter: _count(event) for counter, event in events.items() if counter.kind in _ALWAYS_MOVE}
    until_s = time.monotonic() + patience_s
    while first and time.monotonic() < until_s:
        time.sleep(ns_to_s(REFRESH_NS))
        first = {counter: count for counter, count in first.items() if _count(events[counter]) == count}
    return list(first)


def _count(event: Event) -> bytes:
    """The event's 8 bytes; none where it cannot be read, which is for :meth:`PerfSource.sample` to say."""
    try:
        return event()
    except OSError:
        return b""


def _without_double_counts(events: Mapping[Counter, Event]) -> dict[Counter, Event]:
    """Packages with the parts inside them and their DRAM; the platform only where no package can be read."""
    packages = {counter.cpu for counter in events if counter.kind is DomainKind.CPU_PACKAGE}

    def counts(counter: Counter) -> bool:
        if counter.kind is DomainKind.PSYS:
            return not packages
        if counter.kind in (DomainKind.CPU_CORE, DomainKind.CPU_UNCORE):
            return counter.cpu in packages
        return True

    return {counter: event for counter, event in events.items() if counts(counter)}


def _domains(counters: Sequence[Counter] | Mapping[Counter, Event], root: Path, host: str) -> dict[Counter, Domain]:
    """The domain of each counter: parts inside their package, whatever the platform encloses inside it."""
    domains: dict[Counter, Domain] = {}
    platform_domain: Domain | None = None
    packages: dict[int, Domain] = {}
    for counter in counters:  # outer ones come first, as in _EVENTS
        part = counter.kind in (DomainKind.CPU_CORE, DomainKind.CPU_UNCORE)
        domain = Domain(
            kind=counter.kind, host=host, device=counter.device, label=_label(counter, root),
            inside=packages.get(counter.cpu) if part else platform_domain,
        )  # fmt: skip
        domains[counter] = domain
        if counter.kind is DomainKind.PSYS:
            platform_domain = domain
        elif counter.kind is DomainKind.CPU_PACKAGE:
            packages[counter.cpu] = domain
    return domains


def _label(counter: Counter, root: Path) -> str:
    """The part and its place, from the topology of the CPU that reads it: "CPU package 1 cores"."""
    if counter.kind is DomainKind.PSYS:
        return "Platform (psys)"
    topology = root / f"devices/system/cpu/cpu{counter.cpu}/topology"
    socket = sysfs.text(topology / "physical_package_id") or f"of CPU {counter.cpu}"
    die = sysfs.text(topology / "die_id")
    place = f"{socket} die {die}" if die not in ("", "0", "-1") else socket
    if counter.kind is DomainKind.DRAM:
        return f"DRAM of CPU {place}"
    part = {DomainKind.CPU_CORE: " cores", DomainKind.CPU_UNCORE: " uncore"}.get(counter.kind, "")
    return f"CPU package {place}{part}"


def _channel(domain: Domain, without_dram: bool) -> Channel:
    note = ""
    if domain.kind is DomainKind.CPU_PACKAGE:
        note = "The package without DRAM" + (", which no counter here measures." if without_dram else ".")
    return Channel(
        domain=domain, method=Method.COUNTER, resolution_uj=RESOLUTION_UJ, refresh_ns=REFRESH_NS, wrap_uj=None,
        max_power_w=CEILINGS_W[domain.kind], note=note,
    )  # fmt: skip


def _faults(
    errors: Mapping[Counter, OSError], chosen: Mapping[Counter, Event], root: Path, host: str
) -> tuple[Fault, ...]:
    """A Fault for each package and DRAM that is there but could not be opened beside others that could."""
    if any(counter.kind is DomainKind.PSYS for counter in chosen):
        return ()  # the platform holds them all
    missing = {c: error for c, error in errors.items() if c.kind in (DomainKind.CPU_PACKAGE, DomainKind.DRAM)}
    domains = _domains(list(missing), root, host)
    return tuple(
        Fault(domain=domains[counter], t_ns=time.monotonic_ns(), reason=_reason(error), hint=_hint(error))
        for counter, error in missing.items()
    )


def _closed(errors: Mapping[Counter, OSError]) -> Probe:
    error = next(iter(errors.values()), OSError(errno.ENOENT, "no package among them"))
    return _refused(f"The energy events are there, but {_reason(error)}.", _hint(error))


def _reason(error: OSError) -> str:
    if error.errno in (errno.EACCES, errno.EPERM):
        return "no permission to open them (perf_event_open)"
    if error.errno == errno.ENODATA:
        return "their counts stand still, as in virtual machines that show counters and do not count"
    if error.errno == errno.ENOSYS:
        return "this system has no perf_event_open"
    return f"opening them failed ({error.strerror or error})"


def _hint(error: OSError) -> str:
    return PERMISSION_HINT if error.errno in (errno.EACCES, errno.EPERM) else ABSENT_HINT


def _refused(reason: str, hint: str) -> Probe:
    return Probe(name=NAME, source=None, reason=reason, hint=hint)
