"""Give numeric libraries no more threads than there are CPUs

**Seen.** While the cell ran, many more of this process's threads wanted a CPU than it may use, as the scheduler's own
count of waiting tells, and a library's thread pool is that large; or several threads of yours each had a pool of
their own.

**Why it costs energy.** Threads in excess take turns: each switch costs the caches, and those that wait for a
neighbour in the same product spin meanwhile, at full power.

**Change.** One level of parallelism: as many threads in the library as there are CPUs, or many workers with one
thread each. In a container with a quota libraries count the machine's CPUs and not yours: set it by hand.

**Not where**

- most of the threads wait for the network or the disk: those are not counted here, and cost nothing;
- the excess lasts for a moment only.

**Check.** `%energy_compare` of the cell with and without the limit.

**Thresholds.** Twice as many threads as CPUs that want to run, on average over 2 s and more: ours. How pools nest:
[scikit-learn on parallelism](https://scikit-learn.org/stable/computing/parallelism.html) and
[threadpoolctl](https://github.com/joblib/threadpoolctl). Processes that you start are not looked into.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from greennb.advisor.base import Found, evidence
from greennb.advisor.signals.cell import CellContext
from greennb.advisor.signals.machine import MachineSignals
from greennb.model.finding import Rule, Severity

RULE = Rule(
    code="GNB105",
    name="Give numeric libraries no more threads than there are CPUs",
    framework="machine",
    severity=Severity.ACT,
    since="0.2",
    source="scikit-learn documentation, parallelism; threadpoolctl",
    wrong_when=("the threads wait for the network or the disk", "the excess lasts for a moment"),
)

LEAST_S = 2.0
"""Seconds of the cell below which nothing is said (ours)."""

EXCESS = 2.0
"""Times the CPUs that threads must want on average, and that a pool must hold (ours)."""

NESTED = 1.2
"""CPUs that must be in use for nested pools: threads that only wait for Python's own lock use one (ours)."""


def check(cell: CellContext) -> Iterator[Found]:
    """More threads that want a CPU than there are, and the pools they are of."""
    machine = cell.machine
    if machine is None or machine.runnable is None or cell.duration_s < LEAST_S:
        return
    if machine.runnable < EXCESS * machine.cpus:
        return
    pools = _pools(cell, machine)
    name, size = max(pools.items(), key=lambda it: it[1], default=("", 0))
    cpus = max(1, math.floor(machine.cpus))
    if size >= EXCESS * machine.cpus:
        why, limit = f"{name}'s pool has {size} threads", cpus
    elif size > 1 and machine.cpu_s / cell.duration_s >= NESTED and machine.threads > EXCESS * machine.cpus:
        why, limit = f"{machine.threads} threads each may use a pool of {size}", 1
    else:
        return
    yield Found(
        evidence=(
            evidence("threads that want a CPU", machine.runnable),
            evidence("usable CPUs", machine.cpus),
            evidence("largest pool", size, "threads"),
            evidence("threads in all", machine.threads),
            evidence("involuntary switches a second", machine.switches_per_s or 0.0),
        ),
        text=(
            f"{machine.runnable:.0f} threads wanted the {machine.cpus:g} CPUs that there are: {why}. Limit the pool to "
            f"{limit}."
        ),
        code=f"from threadpoolctl import threadpool_limits\nthreadpool_limits(limits={limit})",
        share=1.0,
        subject=name,
    )


def _pools(cell: CellContext, machine: MachineSignals) -> dict[str, int]:
    """Pools of libraries; PyTorch's own are GNB226's where it works in this cell."""
    of_torch = ("torch", "openmp") if cell.torch is not None else ("torch",)
    return {name: size for name, size in machine.pools.items() if name not in of_torch}
