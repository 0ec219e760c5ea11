"""Which sources are used on this machine, and why each other one is not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from greennb.model.errors import BadInputError, GreennbError
from greennb.model.reading import DomainKind, Fault
from greennb.settings import Settings
from greennb.sources.base import Probe, Source

CPU_KINDS = frozenset({DomainKind.CPU_PACKAGE, DomainKind.PSYS, DomainKind.SOC, DomainKind.BATTERY})
"""Domains that hold a CPU's energy: where one is measured, no CPU is estimated."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Detection:
    """The sources to use, and what probing for each known one gave, in the table's order."""

    sources: tuple[Source, ...]
    probes: tuple[Probe, ...]

    @property
    def faults(self) -> tuple[Fault, ...]:
        """Devices that are there but cannot be read: each makes every total partial."""
        return tuple(fault for probe in self.probes for fault in probe.faults)


def _wanted(_probes: Sequence[Probe]) -> str:
    """Nothing speaks against a source whose domains no other source reads."""
    return ""


def _where_no_cpu_is_read(probes: Sequence[Probe]) -> str:
    """A source of the CPU's joules is needed only where no other has them."""
    name = _measures_cpu(probes)
    return f"Not needed: {name} reads the CPU." if name else ""


def _where_rapl_is_not(probes: Sequence[Probe]) -> str:
    """The same hardware by another way: also where RAPL gave only a part of it."""
    if any(probe.name == "rapl" and probe.source is not None for probe in probes):
        return "Not needed: rapl reads the same counters."
    return _where_no_cpu_is_read(probes)


def _where_nothing_is(probes: Sequence[Probe]) -> str:
    """What contains the whole machine is used only alone: beside a part of it that part would count twice."""
    name = next((probe.name for probe in probes if probe.source is not None), "")
    return f"Not used: its joules contain those that {name} reads." if name else ""


class Candidate(NamedTuple):
    """A source that may be here. ``needless`` says why it is not wanted beside those found before it, or ""."""

    name: str
    probe: Callable[[Settings, str], Probe]
    needless: Callable[[Sequence[Probe]], str] = _wanted


def _nvml(_settings: Settings, host: str) -> Probe:
    from greennb.sources import nvml  # each source is imported when asked for: none is needed on every machine

    return nvml.probe(host)


def _rapl(settings: Settings, host: str) -> Probe:
    from greennb.sources import rapl

    return rapl.probe(settings.rapl_root, host)


def _estimate(settings: Settings, host: str) -> Probe:
    from greennb.sources import estimate

    return estimate.probe(host, settings)


def _amdgpu(_settings: Settings, host: str) -> Probe:
    from greennb.sources import amdgpu

    return amdgpu.probe(host)


def _apple(_settings: Settings, host: str) -> Probe:
    from greennb.sources import apple

    return apple.probe(host)


def _perf(_settings: Settings, host: str) -> Probe:
    from greennb.sources import perf

    return perf.probe(host)


def _amdapu(_settings: Settings, host: str) -> Probe:
    from greennb.sources import amdgpu

    return amdgpu.probe(host, apus=True)


def _battery(_settings: Settings, host: str) -> Probe:
    from greennb.sources import battery

    return battery.probe(host)


CANDIDATES = (
    Candidate("nvml", _nvml),
    Candidate("amdgpu", _amdgpu),
    Candidate("rapl", _rapl),
    Candidate("apple", _apple),
    Candidate("perf", _perf, _where_rapl_is_not),
    Candidate("amdapu", _amdapu, _where_no_cpu_is_read),
    Candidate("battery", _battery, _where_nothing_is),
    Candidate("estimate", _estimate, _where_no_cpu_is_read),
)
"""Every source there is, best first of those that read the same. A new one is its file, and a line here."""


def detect(settings: Settings, host: str, candidates: tuple[Candidate, ...] = CANDIDATES) -> Detection:
    """Probe the sources that ``settings.sources`` allows ("" allows all) and choose.

    Whatever hardware does or lacks ends up in a probe's reason or in ``faults``.

    Raises:
        BadInputError: ``settings.sources`` names a source that does not exist.
    """
    asked = _asked(settings.sources, candidates)
    probes: list[Probe] = []
    for candidate in candidates:
        if candidate.name not in asked:
            probes.append(_unused(candidate, f'Left out: the setting "sources" asks for {", ".join(asked)}.'))
            continue
        needless = candidate.needless(probes)
        probes.append(_unused(candidate, needless) if needless else _probed(candidate, settings, host))
    sources = tuple(probe.source for probe in probes if probe.source is not None)
    return Detection(sources=sources, probes=tuple(probes))


def _asked(text: str, candidates: tuple[Candidate, ...]) -> tuple[str, ...]:
    """The names in ``text``, in their order, each once; all names where it is empty."""
    known = [candidate.name for candidate in candidates]
    names = tuple(dict.fromkeys(name for part in text.split(",") if (name := part.strip().lower())))
    for name in names:
        if name not in known:
            raise BadInputError(f'There is no source "{name}": choose from {", ".join(known)}, separated by commas.')
    return names or tuple(known)


def _measures_cpu(probes: Sequence[Probe]) -> str | None:
    """The name of the source that reads the CPU already, None where none does."""
    for probe in probes:
        if probe.source is not None and any(channel.domain.kind in CPU_KINDS for channel in probe.source.channels):
            return probe.name
    return None


def _probed(candidate: Candidate, settings: Settings, host: str) -> Probe:
    try:
        return candidate.probe(settings, host)
    except GreennbError:
        raise  # about what the user gave, not about hardware
    except Exception as error:  # noqa: BLE001 - drivers' libraries may raise anything; the others must still work
        reason = f"Probing failed unexpectedly ({type(error).__name__}: {error})."
        return Probe(name=candidate.name, source=None, reason=reason, hint="Please report this as a bug of greennb.")


def _unused(candidate: Candidate, reason: str) -> Probe:
    return Probe(name=candidate.name, source=None, reason=reason)
