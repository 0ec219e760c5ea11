"""What a measurement's parts are called: domains, methods, origins of an intensity, faults, what is left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

from greennb.model.footprint import CarbonIntensity, Footprint, Origin
from greennb.model.measurement import DomainEnergy, Measurement, Status
from greennb.model.reading import Domain, DomainKind, Fault, Method
from greennb.views.format import percent, plain, seconds

KINDS = {
    DomainKind.GPU: "GPU",
    DomainKind.CPU_PACKAGE: "CPU",
    DomainKind.CPU_CORE: "CPU cores",
    DomainKind.CPU_UNCORE: "CPU uncore",
    DomainKind.DRAM: "memory",
    DomainKind.PSYS: "whole board",
    DomainKind.BATTERY: "battery",
    DomainKind.SOC: "chip",
}
"""Each kind of domain in a word or two."""

METHODS = {
    Method.COUNTER: "a hardware energy counter",
    Method.INTEGRATED: "power readings summed over time",
    Method.ESTIMATED: "a model of power, not a sensor",
}
"""What each method means."""

NO_READING = "no source of joules gave a reading"
"""Why a measurement without faults has no joules."""

_CHIP = frozenset({DomainKind.CPU_PACKAGE, DomainKind.SOC})


def measured_by(energies: Iterable[DomainEnergy]) -> str:
    """Which kinds of domain, and how: "2 GPU, memory counter + CPU estimated"."""
    counts: dict[Method, dict[DomainKind, int]] = {}
    for energy in energies:
        kinds = counts.setdefault(energy.method, {})
        kinds[energy.domain.kind] = kinds.get(energy.domain.kind, 0) + 1
    return " + ".join(f"{_listed(kinds)} {method.value}" for method, kinds in counts.items())


def domain_name(domain: Domain, width: int = 48) -> str:
    """The kind and the label of a domain: "GPU NVIDIA H200"."""
    kind, label = KINDS[domain.kind], plain(domain.label, width)
    return label if label.casefold().startswith(kind.casefold()) else f"{kind} {label}".rstrip()


def origin(intensity: CarbonIntensity, at: datetime) -> str:
    """Where an intensity comes from, as seen at the time ``at``: "world average", "live Great Britain, 4 min old"."""
    zone = plain(intensity.zone, 40)
    match intensity.origin:
        case Origin.USER:
            return "set by you"
        case Origin.WORLD:
            return "world average"
        case Origin.GUESSED:
            return f"guessed from time zone: {zone}"
        case Origin.LIVE:
            return f"live {zone}, {_age(intensity.as_of, at)}".replace("  ", " ")
        case Origin.STATIC:
            return f"static {plain(intensity.as_of, 12)} {zone}".replace("  ", " ")


def footprint_words(footprint: Footprint, at: datetime) -> str:
    """The intensity, its origin and the building's overhead: "475 g/kWh, world average, PUE 1.2"."""
    intensity = footprint.intensity
    spread = ""
    if intensity.low is not None and intensity.high is not None and intensity.low < intensity.high:
        spread = f" ({intensity.low:.0f}–{intensity.high:.0f})"
    pue = f", PUE {footprint.pue:g}" if footprint.pue != 1 else ""
    return f"{intensity.g_per_kwh:.0f} g/kWh{spread}, {origin(intensity, at)}{pue}"


def fault_words(fault: Fault, count: int = 1) -> tuple[str, str]:
    """A fault in words, and what mends it ("" where nothing is known to)."""
    reason, times = plain(fault.reason, 300), f" ({count} times)" if count > 1 else ""
    if fault.domain is not None:
        reason = reason.removeprefix(f"{plain(fault.domain.label, 48)}: ")  # some sources name the device themselves
        reason = f"{domain_name(fault.domain)}: {reason}"
    return f"{reason}{times}", plain(fault.hint, 400)


def faults_in_words(faults: Iterable[Fault]) -> list[tuple[str, str]]:
    """Each different fault once, with how often it came; a hint that several share comes with the first."""
    counts = Counter((fault.domain, fault.reason, fault.hint) for fault in faults)
    told: set[str] = set()
    words = []
    for (domain, reason, hint), count in counts.items():
        new_hint = "" if hint in told else hint
        told.add(hint)
        words.append(fault_words(Fault(domain=domain, t_ns=0, reason=reason, hint=new_hint), count))
    return words


def gaps(energies: Iterable[DomainEnergy]) -> list[str]:
    """A sentence for each domain whose readings do not stand for the whole window."""
    return [
        f"{domain_name(energy.domain)}: readings cover {percent(energy.coverage)} of the time"
        for energy in energies
        if energy.coverage < 1
    ]


def partial_words(measurement: Measurement) -> str:
    """Why a total is partial, in a few words; "" where it is whole."""
    if not measurement.partial:
        return ""
    domains = [fault.domain for fault in measurement.faults if fault.domain is not None]
    domains += [energy.domain for energy in measurement.roots if energy.coverage < 1]
    if not domains:
        reasons = [reason for reason, _hint in faults_in_words(measurement.faults)]
        return f"partial: {plain((*reasons, NO_READING)[0], 60)}"
    read = {energy.domain for energy in measurement.energies}
    words = (f"{KINDS[domain.kind]} {'has gaps' if domain in read else 'missing'}" for domain in domains)
    return f"partial: {', '.join(dict.fromkeys(words))}"


def status_words(status: Status) -> str:
    """How the code ended, "" where it ended well."""
    return {
        Status.OK: "",
        Status.ERROR: "raised an error",
        Status.INTERRUPTED: "interrupted",
        Status.OPEN: "still running",
    }[status]


def not_included(measurements: Sequence[Measurement]) -> str:
    """What no domain of any of ``measurements`` stands for: "memory, GPU, disks, network, ..."."""
    kinds = {energy.domain.kind for measurement in measurements for energy in measurement.energies}
    if DomainKind.BATTERY in kinds:
        return "whatever does not run on the battery"
    if DomainKind.PSYS in kinds:
        left_out = [] if DomainKind.GPU in kinds else ["GPU cards"]
        return ", ".join([*left_out, "whatever the board's sensor does not see", "the power supply's losses"])
    left_out = [] if kinds & _CHIP else ["CPU"]
    left_out += [] if DomainKind.DRAM in kinds else ["memory"]
    left_out += [] if DomainKind.GPU in kinds else ["any GPU"]
    return ", ".join([*left_out, "disks, network, cooling, the power supply's losses"])


def _listed(kinds: Mapping[DomainKind, int]) -> str:
    return ", ".join(f"{count} {KINDS[kind]}" if count > 1 else KINDS[kind] for kind, count in kinds.items())


def _age(as_of: str, at: datetime) -> str:
    try:
        then = datetime.fromisoformat(as_of)
    except ValueError:
        return "of unknown age"
    if then.tzinfo is None:
        then = then.replace(tzinfo=UTC)
    age_s = (at - then).total_seconds()
    if age_s < 60:
        return "new"
    return f"{seconds(60 * round(age_s / 60))} old"
