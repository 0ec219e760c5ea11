"""Adding up hosts: each device once, whoever read it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from greennb.cluster.agent import Answer, named
from greennb.model.measurement import DomainEnergy
from greennb.model.reading import DomainKind, Fault


@dataclass(frozen=True, slots=True, kw_only=True)
class Elsewhere:
    """What a window cost on machines other than its own, and what of that is missing.

    Attributes:
        hosts: what each machine is called in ``energies``, by its boot id; the window's own machine among them.
    """

    energies: tuple[DomainEnergy, ...] = ()
    faults: tuple[Fault, ...] = ()
    hosts: Mapping[str, str] = field(default_factory=dict)


def merged(
    answers: Iterable[Answer], *, here: str, host: str, measured: Iterable[tuple[DomainKind, str]] = ()
) -> Elsewhere:
    """The answers as one, each device of each machine counted once.

    Args:
        here: boot id of the window's own machine, called ``host``; ``measured`` is what is counted there already.
    """
    counted = {(here, kind, device) for kind, device in measured}
    names = {here: host}
    energies: list[DomainEnergy] = []
    faults: list[Fault] = []
    for answer in sorted(answers, key=_completeness, reverse=True):
        boot = answer.identity.boot_id
        name = names.setdefault(boot, _free(answer.identity.host, boot, names.values()))
        fresh = False
        for energy in named(answer.stretch, name).energies:
            what = (boot, energy.domain.kind, energy.domain.device)
            if what not in counted:
                counted.add(what)
                energies.append(energy)
                fresh = True
        if fresh or not answer.stretch.energies:
            # What is wrong with a reading that is not needed, as another stands for it, is nobody's concern.
            faults += [] if boot == here else [_on(name, fault) for fault in answer.stretch.faults]
    return Elsewhere(energies=tuple(energies), faults=tuple(dict.fromkeys(faults)), hosts=names)


def _completeness(answer: Answer) -> tuple[int, float]:
    covered = [energy.coverage for energy in answer.stretch.energies]
    return len(covered), min(covered, default=0.0)


def _free(host: str, boot: str, taken: Iterable[str]) -> str:
    """The host's name, or with its boot id where another machine has the same."""
    return f"{host} ({boot[:8]})" if host in taken else host


def _on(host: str, fault: Fault) -> Fault:
    return fault if fault.domain is not None else replace(fault, reason=f"{host}: {fault.reason}")
