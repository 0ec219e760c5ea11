"""The CPU by estimate: watts from a model times busy time from the kernel. Always ESTIMATED, always with an interval.

What it stands for, in one rule: **the CPUs that this process may use, as the system shows them.**

* A physical machine: its whole sockets, whoever works on them, like a RAPL counter.
* A virtual machine: its vCPUs' share of a socket.
* A container or job with a CPU quota: the share quota / CPUs of the machine's idle power, plus the busy time of its own
  cgroup. The rest of the machine is somebody else's.
* A process bound to some of the CPUs (affinity, cpuset) without a quota: those CPUs.

The parameters and their sources are in ``cpu_model``, the busy time's in ``busy``. Memory is never estimated.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from greennb.model.reading import Domain, DomainKind, Fault, Method
from greennb.model.units import w_ns_to_uj
from greennb.settings import Settings
from greennb.sources.base import Channel, Modelled, Probe, Sample
from greennb.sources.busy import BusyClock, CgroupUsage, ProcStat, PsutilTimes
from greennb.sources.cpu_facts import CpuFacts, machine_usage, own_cpus, read_facts, read_quota
from greennb.sources.cpu_model import CpuModel, build_model
from greennb.sources.cpu_tdp import TdpTable, codecarbon_table

NAME = "estimate"
_HINT = "Mount /proc, or use a machine with a sensor (greennb doctor lists them)."


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """The part of the visible CPUs that the estimate answers for.

    ``share`` (0 to 1] of their idle power is ours. ``busy_scale`` is the part of ``busy``'s time that is ours: 1, but
    for a quota whose own usage cannot be read. ``note`` says it to the user, "" for the whole machine.
    """

    share: float
    busy: BusyClock
    busy_scale: float = 1.0
    note: str = ""


class EstimateSource:
    """The energy of ``part`` of ``cpus`` logical CPUs since construction, by ``model``.

    Time goes by ``clock`` (monotonic nanoseconds, standing still while the machine sleeps). Busy time that runs
    backward, as after a virtual machine is moved, counts as none; a jump counts as at most all CPUs busy.
    """

    name = NAME

    def __init__(
        self,
        model: CpuModel,
        part: Part,
        *,
        cpus: int,
        host: str,
        clock: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self._part = part
        self._cpus = cpus
        self._clock = clock
        self._lock = threading.Lock()
        # Watts of idling, and joules a busy CPU second on top, for the value and its two bounds.
        self._terms = tuple(
            (idle * part.share, (full - idle) / cpus * part.busy_scale)
            for idle, full in (
                (model.idle_w, model.max_w),
                (model.idle_low_w, model.max_low_w),
                (model.idle_high_w, model.max_high_w),
            )
        )
        self._busy_ns = 0
        self._start_ns = self._seen_ns = clock()
        self._seen_busy_ns = part.busy.busy_ns()
        idle_w = tuple(idle for idle, _busy in self._terms)
        self.channels: tuple[Channel, ...] = (_channel(model, part, cpus, host, (idle_w[0], idle_w[1], idle_w[2])),)

    def sample(self) -> Sequence[Sample]:
        """Energy so far with its bounds, or a Fault where the busy time cannot be read."""
        with self._lock:
            now_ns = self._clock()
            try:
                busy_ns = self._part.busy.busy_ns()
            except (OSError, ValueError) as error:
                reason = f"The CPU's busy time cannot be read: {error}."
                return (Fault(domain=self.channels[0].domain, t_ns=now_ns, reason=reason, hint=_HINT),)
            most_ns = self._cpus * (now_ns - self._seen_ns + self._part.busy.tick_ns)
            self._busy_ns += min(max(0, busy_ns - self._seen_busy_ns), most_ns)
            self._seen_ns, self._seen_busy_ns = now_ns, busy_ns
            elapsed_ns, total_ns = now_ns - self._start_ns, self._busy_ns
        return (Modelled(*(round(w_ns_to_uj(i, elapsed_ns) + w_ns_to_uj(b, total_ns)) for i, b in self._terms)),)

    def after_fork(self) -> None:
        """Take an own lock and an own file: another thread may have held the parent's at the fork."""
        self._lock = threading.Lock()
        with suppress(OSError):  # the next sample is then the Fault that says so
            self._part.busy.reopen()

    def close(self) -> None:
        """Release the file. Every later sample is a Fault."""
        with self._lock:  # a read under way must not find its file's number taken by another file
            self._part.busy.close()


def probe(
    host: str,
    settings: Settings,
    *,
    root: Path = Path("/"),
    affinity: frozenset[int] | None = None,
    table: TdpTable | None = None,
    clock: Callable[[], int] = time.monotonic_ns,
) -> Probe:
    """The estimate of this machine's CPUs, or why there is none.

    ``root`` is where /proc and /sys hang, ``affinity`` the CPUs that we may run on (asked of the system if None),
    ``table`` the TDPs (codecarbon's if None).
    """
    facts = read_facts(root)
    model = build_model(facts, codecarbon_table() if table is None else table, settings.tdp)
    try:
        part = our_part(facts, root, own_cpus() if affinity is None else affinity)
        source = EstimateSource(model, part, cpus=facts.cpus, host=host, clock=clock)
    except (OSError, ValueError) as error:
        return Probe(name=NAME, source=None, reason=f"The CPU's busy time cannot be read: {error}.", hint=_HINT)
    return Probe(
        name=NAME, source=source, reason=f"{source.channels[0].domain.label}: {source.channels[0].note}.",
        hint="" if settings.tdp else "Set tdp to the CPU's data-sheet watts for a narrower interval.",
    )  # fmt: skip


def our_part(facts: CpuFacts, root: Path, allowed: frozenset[int] | None) -> Part:
    """What of the machine is ours. Raises OSError or ValueError where its busy time cannot be read."""
    if not (root / "proc/stat").exists() and not sys.platform.startswith("linux"):
        return Part(share=1.0, busy=PsutilTimes())
    bound = allowed if allowed and len(allowed) < facts.cpus else None
    quota = read_quota(root)
    if quota is not None and quota.cpus < (len(bound) if bound else facts.cpus):
        share = quota.cpus / facts.cpus
        note = f"the share of a quota of {quota.cpus:g} of {facts.cpus} CPUs"
        own = _usage_or_none(quota.usage, whole_machine=False)
        if own is not None:
            return Part(share=share, busy=own, note=note)
        note += ", of everybody's busy time, as our own cannot be read"
        return Part(share=share, busy=ProcStat(root / "proc/stat"), busy_scale=share, note=note)
    if bound:
        note = f"the {len(bound)} of {facts.cpus} CPUs that this process may use"
        return Part(share=len(bound) / facts.cpus, busy=ProcStat(root / "proc/stat", bound), note=note)
    return Part(share=1.0, busy=_usage_or_none(machine_usage(root), whole_machine=True) or ProcStat(root / "proc/stat"))


def _usage_or_none(path: Path | None, *, whole_machine: bool) -> CgroupUsage | None:
    """The cgroup's clock if its file is there and answers."""
    if path is None:
        return None
    try:
        usage = CgroupUsage(path, whole_machine=whole_machine)
        usage.busy_ns()
    except (OSError, ValueError):  # listed but not readable: /proc/stat answers instead
        return None
    return usage


def _channel(
    model: CpuModel, part: Part, cpus: int, host: str, idle_w: tuple[float, float, float]
) -> Channel:  # fmt: skip
    """The one channel: its step is one tick of busy time of one CPU at full power."""
    domain = Domain(kind=DomainKind.CPU_PACKAGE, host=host, device="estimate:cpu", label=f"{model.name} (estimate)")
    step_w = (model.max_w - model.idle_w) / cpus * part.busy_scale
    notes = (model.note, part.note, part.busy.what)
    return Channel(
        domain=domain, method=Method.ESTIMATED, resolution_uj=w_ns_to_uj(step_w, part.busy.tick_ns),
        refresh_ns=part.busy.tick_ns, wrap_uj=None, max_power_w=model.max_high_w * part.share,
        note="; ".join(note for note in notes if note), idle_w=idle_w,
        busy_w=(model.max_w - model.idle_w) / cpus,
    )  # fmt: skip
