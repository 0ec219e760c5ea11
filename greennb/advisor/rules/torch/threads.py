"""Give PyTorch the threads that there are cores for

**Seen.** On a CPU, `torch.get_num_threads()` beside the CPUs that this process may use, a container's quota counted
in. Either more threads than CPUs, all of them busy: they wait for each other, and a waiting OpenMP thread spins. Or
one thread, long steps and other cores that stand by: the machine stays awake for longer.

**Change.** `torch.set_num_threads(...)`, at the notebook's head.

**Not where**

- the process shares its cores with others, or several of your own run side by side: one thread each may be right
  then;
- results must agree bit for bit with runs of another thread count: sums are split differently;
- operations are too small to be split.

**Check.** `%energy_compare` of a cell with each: with more threads the power rises and the time falls.

**Thresholds.** More threads than CPUs, with at least 90 % of them busy; or one thread with at least two cores, steps
of at least 50 ms and less than 1.2 CPUs busy. 2 s of work. Ours, after [PyTorch on CPU
threading](https://docs.pytorch.org/docs/stable/notes/cpu_threading_torchscript_inference.html) and its [tuning
guide](https://docs.pytorch.org/tutorials/recipes/recipes/tuning_guide.html). PyTorch's own default counts the
machine's cores and not a container's quota.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from greennb.advisor.base import Found, evidence
from greennb.advisor.rules.torch._shared import Pass, busy, passes, share, steps_of
from greennb.advisor.signals.cell import CellContext
from greennb.model.finding import Evidence, Rule, Severity

RULE = Rule(
    code="GNB226",
    name="Give PyTorch the threads that there are cores for",
    framework="torch",
    severity=Severity.NOTE,
    since="0.2",
    source="PyTorch on CPU threading and performance tuning guide",
    wrong_when=(
        "the process shares its cores with others",
        "results must agree bit for bit with another thread count",
        "operations are too small to be split",
    ),
)

LEAST_S = 2.0
"""Seconds of work in a cell below which nothing is said (ours)."""

BUSY = 0.90
"""Part of the CPUs in use from which too many threads are in each other's way (ours)."""

LEAST_STEP_S = 0.050
"""Step from which one thread's work is worth splitting (ours: a team of threads costs some 10 us an operation)."""

MOST_ALONE = 1.2
"""CPUs in use up to which one thread does the work (ours)."""


def check(cell: CellContext) -> Iterator[Found]:
    """Work on a CPU with a number of threads that the machine does not have cores for, or with one thread."""
    machine, torch = cell.machine, cell.torch
    if machine is None or torch is None:
        return
    work = [it for it in passes(cell) if it.model.device == "cpu"]
    longest = max(work, key=lambda it: it.seconds, default=None)
    if longest is None or longest.seconds < LEAST_S:
        return
    used = (busy(cell) or 0.0) * machine.cpus
    seen: tuple[Evidence, ...] = (
        evidence("PyTorch's threads", torch.threads),
        evidence("usable CPUs", machine.cpus),
        evidence("CPUs in use", used),
        evidence("step", 1e3 * longest.step_s, "ms"),
    )
    if machine.switches_per_s is not None:
        seen = (*seen, evidence("involuntary switches a second", machine.switches_per_s))
    cpus = max(1, math.ceil(machine.cpus))
    if torch.threads > cpus and used >= BUSY * machine.cpus:
        yield _found(cell, longest, seen, min(cpus, machine.cores), f"uses {torch.threads} threads on {cpus} CPUs")
    elif torch.threads == 1 and machine.cores >= 2 and _working_s(longest) >= LEAST_STEP_S and used <= MOST_ALONE:
        cores = min(cpus, machine.cores)
        if cores >= 2:
            yield _found(cell, longest, seen, cores, f"uses one thread, and there are {cores} cores")


def _working_s(it: Pass) -> float:
    """Seconds of a turn without the waiting for its loader, which threads would not shorten."""
    return it.step_s * (1 - (0.0 if it.loop is None else it.loop.wait_share))


def _found(cell: CellContext, it: Pass, seen: tuple[Evidence, ...], threads: int, why: str) -> Found:
    return Found(
        evidence=seen,
        text=f"PyTorch {why} for {steps_of(it)}. Try as many threads as cores.",
        code=f"torch.set_num_threads({max(1, threads)})",
        share=share(cell, it.seconds),
        subject="torch",
    )
