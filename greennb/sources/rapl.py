"""CPU and DRAM energy from Linux powercap (RAPL: Intel since Sandy Bridge, AMD since family 17h).

The counters hold microjoules, move about every millisecond, carry no time stamps, and start again from 0 after
``max_energy_range_uj`` (the meter unwraps). A read that fails is a Fault, never a 0.
"""

from __future__ import annotations

import errno
import os
import sys
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from greennb.model.reading import Domain, DomainKind, Fault, Method
from greennb.sources.base import Channel, Probe, Sample
from greennb.sources.powercap import Choice, Refusal, Sleep, Zone, choose, counter_value, find_zones, hidden_zones

NAME = "rapl"
COUNTER = "energy_uj"

REFRESH_NS = 1_000_000
"""RAPL counters are updated about every millisecond (Intel SDM volume 3B, "RAPL Interfaces")."""

UNIT_UJ = 2**-14 * 1e6
"""61.035 uJ: the energy unit of Intel's packages, the coarsest that is common (AMD and server DRAM: 15.3)."""

_UNITS_IN_RANGE = 2**32 - 1
"""RAPL's energy registers have 32 bits, and the kernel's ``max_energy_range_uj`` is that many units."""

_PLAUSIBLE_UNIT_UJ = (0.5, 2000.0)
"""Below and above these a zone's range is no 32-bit register of energy units."""

POWER_MARGIN = 3.0
"""Times the declared limit: limits are kept on average over seconds and are raised by short-term limits above them."""

POWER_FLOOR_W = 200.0
"""No ceiling is lower: some tables declare a sustained limit only, far below what a laptop draws for seconds."""

CEILINGS_W = {
    DomainKind.CPU_PACKAGE: 2000.0,
    DomainKind.CPU_CORE: 2000.0,
    DomainKind.CPU_UNCORE: 1000.0,
    DomainKind.DRAM: 1000.0,
    DomainKind.PSYS: 10_000.0,
}
"""No such part draws more: about four times the largest sold (a 500 W socket; 24 modules of 10 W; a 2 kW server)."""

PERMISSION_HINT = (
    "Since CVE-2020-8694 Linux lets only root read energy counters. Give them to a group: as root run "
    '"groupadd --force energy" and "usermod --append --groups energy USER", write '
    'SUBSYSTEM=="powercap", KERNEL=="*rapl*:*", ACTION=="add", '
    'RUN+="/bin/chgrp energy /sys%p/energy_uj", RUN+="/bin/chmod 0440 /sys%p/energy_uj" '
    "as one line to /etc/udev/rules.d/70-greennb-rapl.rules, run "
    '"udevadm control --reload" and "udevadm trigger --subsystem-match=powercap --action=add", and log in again.'
)
CONTAINER_HINT = (
    "Containers hide /sys/devices/virtual/powercap even from their root: start this one with "
    '"--volume /sys/devices/virtual/powercap:/powercap:ro --env GREENNB_RAPL_ROOT=/powercap".'
)
ABSENT_HINT = (
    'On bare metal run "modprobe intel_rapl_msr" as root (Intel, and AMD from Zen on). '
    f"A virtual machine has no energy counters. {CONTAINER_HINT}"
)
_GONE_HINT = "The kernel took the zone away or its driver stopped; greennb reads on as soon as it is back."
_GARBAGE_HINT = "A counter must hold one whole number of microjoules; see whether something else serves this tree."

_PERMISSION_ERRNOS = (errno.EACCES, errno.EPERM)
_UNOPENED = -1
_seek_lock = threading.Lock()


def _seek_and_read(fd: int, length: int, offset: int) -> bytes:
    """``os.pread`` for platforms without it: no powercap is there, but a copied or served tree may be."""
    with _seek_lock:
        os.lseek(fd, offset, os.SEEK_SET)
        return os.read(fd, length)


_pread: Callable[[int, int, int], bytes] = getattr(os, "pread", _seek_and_read)


class _Files:
    """Open counter files, closed when nobody reads them any more.

    A reader holds this object while it reads: a ``close`` in another thread can thus never make it read a
    file that got the same number since.
    """

    __slots__ = ("fds",)

    def __init__(self, fds: Sequence[int]) -> None:
        self.fds = tuple(fds)

    def __del__(self, close: Callable[[int], None] = os.close) -> None:
        for fd in self.fds:
            if fd >= 0:
                close(fd)


_CLOSED = _Files((_UNOPENED,))


class RaplSource:
    """Reads the energy counters of ``channels``, whose domains' devices are zone folders.

    ``now_ns`` is the monotonic clock that dates Faults.
    """

    name = NAME

    def __init__(self, channels: Sequence[Channel], *, now_ns: Callable[[], int] = time.monotonic_ns) -> None:
        self.channels = tuple(channels)
        self._now_ns = now_ns
        self._lock = threading.Lock()
        self._files = self._opened()

    def sample(self) -> Sequence[Sample]:
        """The counters' microjoules, in the order of ``channels``; a Fault for each that cannot be read."""
        files = self._files  # held for the whole read: see _Files
        values = []
        try:
            for fd in files.fds:
                value = int(_pread(fd, 32, 0))
                if value < 0:
                    return self._carefully(files)
                values.append(value)
        except (OSError, ValueError):
            return self._carefully(files)
        return values

    def after_fork(self) -> None:
        """Open the counters again, so that the child shares no file and no held lock with its parent."""
        self._lock = threading.Lock()
        if self._files is not _CLOSED:
            self._files = self._opened()

    def close(self) -> None:
        """Close the counters; every later sample is a Fault."""
        with self._lock:
            self._files = _CLOSED

    def _opened(self) -> _Files:
        return _Files([_open(channel) for channel in self.channels])

    def _carefully(self, files: _Files) -> Sequence[Sample]:
        """After something failed: each channel by itself and from its path, for a zone may have come back."""
        if files is _CLOSED:
            return [self._fault(channel, "the source is closed", "") for channel in self.channels]
        samples = [self._afresh(channel) for channel in self.channels]
        if not any(isinstance(sample, Fault) for sample in samples):
            with self._lock:
                if self._files is files:
                    self._files = self._opened()
        return samples

    def _afresh(self, channel: Channel) -> Sample:
        try:
            return counter_value((Path(channel.domain.device) / COUNTER).read_bytes())
        except (OSError, ValueError) as error:
            return self._fault(channel, *trouble_in_words(error))

    def _fault(self, channel: Channel, reason: str, hint: str) -> Fault:
        return Fault(domain=channel.domain, t_ns=self._now_ns(), reason=reason, hint=hint)


def probe(root: str, host: str, *, sleep: Sleep = time.sleep) -> Probe:
    """Look for energy counters under ``root``.

    ``sleep`` passes time (seconds) between two looks at the dies of a socket, which tell mirrors from dies.
    """
    tree = Path(root)
    zones = find_zones(tree)
    if not zones:
        return _nothing(tree)
    choice = choose(zones, sleep)
    domains = _domains(choice.zones, host)
    readable = [zone for zone in choice.zones if zone.trouble is None]
    if not readable:
        return _refused(choice)
    without_dram = not any(zone.kind is DomainKind.DRAM for zone in readable)
    source = RaplSource([_channel(zone, domains[zone.path], without_dram) for zone in readable])
    return Probe(name=NAME, source=source, reason=_in_words(readable, choice), faults=_faults(choice.zones, domains))


def trouble_in_words(error: OSError | ValueError) -> tuple[str, str]:
    """Why a counter could not be read, and what mends it."""
    if isinstance(error, ValueError):
        return "its counter is empty, negative or no number", _GARBAGE_HINT
    if error.errno in _PERMISSION_ERRNOS:
        return "no permission to read its counter (root only since CVE-2020-8694)", PERMISSION_HINT
    if error.errno in (errno.ENOENT, errno.ENODEV):
        return "its counter is gone", _GONE_HINT
    return f"reading its counter failed ({error.strerror or error})", _GONE_HINT


def _open(channel: Channel) -> int:
    try:
        return os.open(Path(channel.domain.device) / COUNTER, os.O_RDONLY)
    except OSError:
        return _UNOPENED  # reading it fails, and that read says why


def _domains(zones: Iterable[Zone], host: str) -> dict[Path, Domain]:
    """The domain of each zone; parts of a package, and whatever psys encloses, are inside it."""
    domains: dict[Path, Domain] = {}
    packages: dict[tuple[int | None, int | None], Domain] = {}
    platform: Domain | None = None
    for zone in sorted(zones, key=lambda zone: (zone.kind is not DomainKind.PSYS, zone.parent is not None)):
        place = (zone.socket, zone.die)
        kind = zone.kind or DomainKind.CPU_PACKAGE
        part = kind in (DomainKind.CPU_CORE, DomainKind.CPU_UNCORE)
        domain = Domain(
            kind=kind, host=host, device=str(zone.path), label=_label(zone),
            inside=packages.get(place) if part else platform,
        )  # fmt: skip
        domains[zone.path] = domain
        if kind is DomainKind.CPU_PACKAGE:
            packages[place] = domain
        elif kind is DomainKind.PSYS:
            platform = domain
    return domains


def _label(zone: Zone) -> str:
    if zone.kind is DomainKind.PSYS:
        return "Platform (psys)"
    die = "" if zone.die is None else f" die {zone.die}"
    place = "" if zone.socket is None else f" {zone.socket}{die}"
    if zone.kind is DomainKind.DRAM:
        return f"DRAM of CPU{place}"
    part = {DomainKind.CPU_CORE: " cores", DomainKind.CPU_UNCORE: " uncore"}.get(
        zone.kind or DomainKind.CPU_PACKAGE, ""
    )
    return f"CPU package{place}{part}"


def _channel(zone: Zone, domain: Domain, without_dram: bool) -> Channel:
    note = ""
    if domain.kind is DomainKind.CPU_PACKAGE:
        note = "The package without DRAM" + (", which no counter here measures." if without_dram else ".")
    if zone.wrap_uj is None:
        note = f"{note} Its counter's range is not known: a wrap looks like a reset.".strip()
    return Channel(
        domain=domain,
        method=Method.COUNTER,
        resolution_uj=_unit_uj(zone),
        refresh_ns=REFRESH_NS,
        wrap_uj=zone.wrap_uj,
        max_power_w=_max_power_w(zone, CEILINGS_W[domain.kind]),
        note=note,
    )


def _max_power_w(zone: Zone, ceiling_w: float) -> float:
    """A multiple of the limit that the zone declares, kept between what is surely possible and surely impossible."""
    return ceiling_w if zone.limit_w is None else min(ceiling_w, max(POWER_FLOOR_W, POWER_MARGIN * zone.limit_w))


def _unit_uj(zone: Zone) -> float:
    """The counter's step: its range over the 32 bits of its register where that is plausible, else UNIT_UJ."""
    unit = 0.0 if zone.wrap_uj is None else zone.wrap_uj / _UNITS_IN_RANGE
    low, high = _PLAUSIBLE_UNIT_UJ
    return unit if low <= unit <= high else UNIT_UJ


def _faults(zones: Iterable[Zone], domains: dict[Path, Domain]) -> tuple[Fault, ...]:
    faults = []
    for zone in zones:
        if zone.trouble is not None:
            reason, hint = trouble_in_words(zone.trouble)
            faults.append(Fault(domain=domains[zone.path], t_ns=time.monotonic_ns(), reason=reason, hint=hint))
    return tuple(faults)


def _in_words(readable: Sequence[Zone], choice: Choice) -> str:
    """What is read, and what is left out and why."""
    zones = ", ".join(f"{zone.key} ({zone.name})" for zone in readable)
    return " ".join((f"Reads {zones}.", *map(_refusal, choice.refusals), *choice.notes))


def _refusal(refusal: Refusal) -> str:
    return f"Not {refusal.zone.key} ({refusal.zone.name or 'no name'}): {refusal.why}."


def _refused(choice: Choice) -> Probe:
    """Zones are there, none can be read."""
    for zone in choice.zones:
        if zone.trouble is not None:
            reason, hint = trouble_in_words(zone.trouble)
            hint = f"{hint} {CONTAINER_HINT}" if hint is PERMISSION_HINT else hint
            return Probe(name=NAME, source=None, reason=f"{zone.key} ({zone.name}): {reason}.", hint=hint)
    return Probe(name=NAME, source=None, reason=" ".join(map(_refusal, choice.refusals)))


def _nothing(tree: Path) -> Probe:
    """No zone is there, or links to zones that lead nowhere."""
    hidden = hidden_zones(tree)
    if hidden:
        reason = f"{tree} names {', '.join(hidden)}, but what they point to is hidden."
        return Probe(name=NAME, source=None, reason=reason, hint=CONTAINER_HINT)
    if sys.platform != "linux":
        reason = f"Energy counters are read through powercap, which only Linux has (and {tree} is no copy of one)."
        return Probe(name=NAME, source=None, reason=reason)
    reason = f"There are no energy zones under {tree}." if tree.is_dir() else f"This kernel shows no {tree}."
    return Probe(name=NAME, source=None, reason=reason, hint=ABSENT_HINT)
