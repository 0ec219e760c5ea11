"""The power model of a CPU: idle and full power with their 95 % ranges, from its TDP and from what part of it is ours.

    E = P_idle t + (P_max - P_idle) / cpus * busy CPU time

It is linear in busy time, so that two looks, at a window's edges, suffice whatever the load did in between. Fan, Weber
and Barroso (ISCA 2007, "Power provisioning for a warehouse-sized computer") found power close to linear in CPU
utilisation. codecarbon 3 takes TDP (0.1 + 0.9 load^3) for a sampled load: it agrees with ours at both ends, and lies
below between them. Real CPUs lie above the line at low load (boost clocks; the second thread of a core costs
little): the upper bounds are set with that in mind. Fischer (arXiv 2509.22092) found estimators like these up to 40 %
off against meters; no range here is narrower.

Only the CPU package is meant. Memory, disks, fans and power supply are not estimated: they are missing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from greennb.sources.cpu_facts import CpuFacts
from greennb.sources.cpu_tdp import TdpTable, Watts, is_server


@dataclass(frozen=True, slots=True, kw_only=True)
class CpuModel:
    """Idle and full power in watts of all CPUs that this system shows, each with its 95 % range.

    ``tdp_w`` is the share of data-sheet power that they stand for. ``note`` is for the user.
    """

    name: str
    tdp_w: float
    idle_low_w: float
    idle_w: float
    idle_high_w: float
    max_low_w: float
    max_w: float
    max_high_w: float
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fractions:
    """Idle and full power as fractions of TDP: low, middle, high (95 %)."""

    idle: tuple[float, float, float]
    full: tuple[float, float, float]


CLIENT = Fractions(idle=(0.02, 0.10, 0.25), full=(0.5, 1.0, 1.6))
"""Desktops and laptops. 0.10 idle and 1.0 full are codecarbon's. Full power may pass TDP for minutes: AMD's socket
limit is 1.35 TDP, Intel's short-term limit up to 2 TDP (i9-13900K: 125 W base, 253 W turbo, Intel ARK); it stays far
below TDP in scalar or memory-bound code and in thin laptops."""

SERVER = Fractions(idle=(0.05, 0.20, 0.40), full=(0.6, 1.0, 1.3))
"""Servers idle higher, as many-die packages keep their fabric awake: Cloud Carbon Footprint's coefficients from
SPECpower results, averaged over a cloud's machines, have idle at 17 to 21 % of full power (AWS 0.74 of 3.5 W a vCPU,
Google 0.71 of 4.26, Azure 0.78 of 3.76). Full power is capped near TDP."""

CLIENT_W_PER_THREAD = (1.0, 4.0, 10.0)
"""Watts a hardware thread where a virtual machine hides how many a client CPU has: from a 15 W laptop with 12 threads
to a 170 W desktop with 16."""


def build_model(facts: CpuFacts, table: TdpTable, tdp_w: float = 0.0) -> CpuModel:
    """The model of the CPUs that ``facts`` describes.

    ``tdp_w`` > 0 is the user's figure: per socket on a physical machine, the machine's own share in a virtual one.
    """
    share = _users_tdp(facts, tdp_w) if tdp_w > 0 else _visible_tdp(facts, table)
    fractions = SERVER if is_server(facts.name) else CLIENT
    max_low, max_high = _range(share, fractions.full)
    idle_low, idle_high = _range(share, fractions.idle)
    return CpuModel(
        name=facts.name or "CPU of unknown model",
        tdp_w=share.middle,
        idle_low_w=min(idle_low, max_low / 2),
        idle_w=fractions.idle[1] * share.middle,
        idle_high_w=idle_high,
        max_low_w=max_low,
        max_w=fractions.full[1] * share.middle,
        max_high_w=max_high,
        note=share.how,
    )


def _users_tdp(facts: CpuFacts, tdp_w: float) -> Watts:
    sockets = 1 if facts.virtual else facts.sockets
    how = f"TDP {tdp_w:g} W from your settings" + (f" x {sockets} sockets" if sockets > 1 else "")
    watts = tdp_w * sockets
    return Watts(low=watts, middle=watts, high=watts, how=how)


def _visible_tdp(facts: CpuFacts, table: TdpTable) -> Watts:
    """The data-sheet power that the CPUs in sight stand for: whole sockets, or in a virtual machine a share of one."""
    whole = table.exact(facts.name) or table.family(facts.name)
    if not facts.virtual:
        return whole if facts.sockets == 1 else whole.times(facts.sockets, f"{whole.how} x {facts.sockets} sockets")
    threads = table.threads(facts.name)
    if threads and table.exact(facts.name):
        return whole.times(facts.cpus / threads, f"{whole.how}, {facts.cpus} vCPUs of its {threads} threads")
    if is_server(facts.name) or not _looks_like_client(facts.name):
        per_thread = table.per_thread(facts.name)
        return per_thread.times(facts.cpus, f"{facts.cpus} vCPUs of a hidden socket: {per_thread.how}")
    low, middle, high = (min(whole.high, watts * facts.cpus) for watts in CLIENT_W_PER_THREAD)
    return Watts(
        low=low, middle=min(middle, whole.middle), high=high, how=f"{facts.cpus} vCPUs, at most the socket: {whole.how}"
    )


def _looks_like_client(name: str) -> bool:
    """Whether a hypervisor shows a client part's name, as on a laptop's own virtual machines."""
    return any(word in name.lower() for word in ("core", "ryzen", "pentium", "celeron", "athlon", "apple"))


def _range(share: Watts, fractions: tuple[float, float, float]) -> tuple[float, float]:
    """The 95 % range of a fraction of TDP: two independent ratios, so their logarithms add in quadrature."""
    low, middle, high = fractions
    below = math.hypot(math.log(share.middle / share.low), math.log(middle / low))
    above = math.hypot(math.log(share.high / share.middle), math.log(high / middle))
    return middle * share.middle * math.exp(-below), middle * share.middle * math.exp(above)
