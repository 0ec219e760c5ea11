"""This process's share of the machine's energy: a model, whose reasons are in ``docs/adr/0007-own-share.md``.

The energy of a domain is taken apart into three that add up to it: what idling costs, which is nobody's; of what is
above that, this process's part; and everybody else's. CPUs, their memory and the board are shared out by CPU time,
GPUs by the utilisation that NVML tells of each process.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

from greennb.meter.idle import IdlePower
from greennb.meter.work import STEPS, Mark
from greennb.model.measurement import DomainEnergy
from greennb.model.reading import DomainKind, Method
from greennb.model.units import ns_to_s
from greennb.sources.base import Channel

NO_IDLE = "no idle baseline yet (%energy_baseline measures one)"
UNKNOWN = "CPU times cannot be read"
LOST = "a child process left uncounted"
BY_CPU = "by CPU time, children counted"
BY_MODEL = "by CPU time in the estimate's model, children counted"
_NOT_BY_CPU = {
    DomainKind.SOC: "CPU time does not tell a chip's graphics from its CPU",
    DomainKind.BATTERY: "CPU time does not tell what a battery feeds",
    DomainKind.CPU_UNCORE: "CPU time does not tell what the graphics unit does",
}


class Parts(NamedTuple):
    """The energy of one domain, taken apart: the three add up to its gross energy."""

    process_j: float
    others_j: float
    idle_j: float


class Share(NamedTuple):
    """A part (0 to 1) of what is above idle, or None; and in a clause how it came about, or why it did not."""

    value: float | None
    note: str


def parts(gross_j: float, idle_j: float, share: float) -> Parts:
    """``gross_j`` taken apart, where ``share`` of what is above idle is this process's.

    A domain that used no more than it would have idle has nothing to share out.
    """
    idle_part_j = min(gross_j, idle_j)
    process_j = share * (gross_j - idle_part_j)
    return Parts(process_j, gross_j - idle_part_j - process_j, idle_part_j)


def cpu_share(first: Mark | None, last: Mark | None) -> Share:
    """This process's part of the CPU time that the machine was busy for, between two marks."""
    reason = _unusable(first, last)
    if reason or first is None or last is None or first.busy_ns is None or last.busy_ns is None:
        return Share(None, reason or UNKNOWN)
    own_ns, busy_ns = last.own_ns - first.own_ns, last.busy_ns - first.busy_ns
    if own_ns < 0:
        return Share(None, LOST)
    # The machine's clock may lag behind ours by a tick a CPU; nobody is more than all of it.
    return Share(own_ns / max(own_ns, busy_ns, 1), BY_CPU)


def own_cpu_s(first: Mark | None, last: Mark | None) -> float | None:
    """CPU seconds of this process and its children between two marks; None where they are not known."""
    if _unusable(first, last) or first is None or last is None or last.own_ns < first.own_ns:
        return None
    return ns_to_s(last.own_ns - first.own_ns)


def busy_share(first: Mark | None, last: Mark | None, cpus: int) -> float | None:
    """Part (0 to 1) of the machine's CPU time that was in use between two marks; None where it is not known."""
    if _unusable(first, last) or first is None or last is None or first.busy_ns is None or last.busy_ns is None:
        return None
    return min(1.0, max(0.0, (last.busy_ns - first.busy_ns) / (cpus * (last.t_ns - first.t_ns))))


def own_pids(*marks: Mark | None) -> frozenset[int]:
    """This process and the children that were seen at ``marks``."""
    return frozenset({os.getpid()}).union(*(mark.pids for mark in marks if mark is not None))


def _unusable(first: Mark | None, last: Mark | None) -> str:
    if first is None or last is None:
        return UNKNOWN
    shortest_ns = STEPS * max(first.step_ns, last.step_ns)
    if last.t_ns - first.t_ns < shortest_ns:
        return f"too short to tell: CPU times want {ns_to_s(shortest_ns):g} s"
    return ""


def attributed(
    channel: Channel,
    energy: DomainEnergy,
    duration_s: float,
    *,
    idle: IdlePower | None,
    marks: tuple[Mark | None, Mark | None],
    gpu_share: Callable[[], Share],
) -> DomainEnergy:
    """``energy``, of ``channel`` in a window of ``duration_s``, with idle and own share as far as they are known."""
    if idle is None:
        return replace(energy, process_note=NO_IDLE)
    covered_s = duration_s * energy.coverage
    idle_j = idle.w * covered_s
    share = _share(channel, energy.gross_j - idle_j, marks, gpu_share)
    return replace(
        energy,
        idle_j=idle_j,
        idle_u_j=idle.u_w * covered_s,
        idle_basis=idle.basis,
        process_j=None if share.value is None else parts(energy.gross_j, idle_j, share.value).process_j,
        process_note=share.note,
    )


def _share(
    channel: Channel, net_j: float, marks: tuple[Mark | None, Mark | None], gpu_share: Callable[[], Share]
) -> Share:
    kind = channel.domain.kind
    if channel.method is Method.ESTIMATED and channel.busy_w is not None:
        own_s = own_cpu_s(*marks)
        if own_s is None:
            return Share(None, _unusable(*marks) or LOST)
        # The model is linear in CPU time; its clock lags behind ours by a tick.
        return Share(min(1.0, channel.busy_w * own_s / net_j) if net_j > 0 else 0.0, BY_MODEL)
    if kind is DomainKind.GPU:
        return gpu_share()
    if kind in _NOT_BY_CPU:
        return Share(None, _NOT_BY_CPU[kind])
    return cpu_share(*marks)
