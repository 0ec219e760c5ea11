"""Training waits for its data loader

**Seen.** The time inside `next()` of a `DataLoader` without worker processes, a batch at a time, beside the time of a
whole step. While the loader reads, decodes and collates, the model's cores or its GPU wait at almost full idle power.

**Change.** Let worker processes prepare the next batches while the model computes: `num_workers=`, 1 to 4 of them to
begin with and no more than there are cores to spare, with `persistent_workers=True`, so that they are started once.

A `TensorDataset` is another matter: there is nothing to decode, and workers make it slower by orders of magnitude.
Its time goes into fetching samples one by one to stack them again. Give the loader whole batches of indices instead
(`batch_size=None` with a `BatchSampler`): the same batches, each from one indexing of the tensors. This is said only
from 10 s of waiting on.

**Not where**

- the data set is small and quick: starting processes and sending batches costs more than it hides ([Lightning
  #17410](https://github.com/Lightning-AI/pytorch-lightning/issues/17410));
- the cores are busy already (see GNB204);
- on macOS or Windows the data set's class is defined in the notebook: workers can't find it there, move it to a
  module.

**Check.** Compare a step's time or the joules of an epoch before and after: `%energy_compare`. The most there is to
gain is the waiting.

**Thresholds.** Waiting above 5 % of a step is worth a note and above 20 % worth acting on, as TensorFlow's
[profiler](https://www.tensorflow.org/guide/profiler) and PyTorch's [Kineto
plug-in](https://github.com/pytorch/kineto/tree/main/tb_plugin) judge input; the floors in seconds are ours.
Documentation: [multi-process loading](https://docs.pytorch.org/docs/stable/data.html#multi-process-data-loading).
"""

from __future__ import annotations

from collections.abc import Iterator

from greennb.advisor.base import Found, evidence
from greennb.advisor.rules.torch._shared import FEW_STEPS, busy, loops, part, rebuilt, share, subject, variable
from greennb.advisor.rules.torch.cpu_bound_input import BUSY
from greennb.advisor.signals.cell import CellContext
from greennb.advisor.signals.torch import LoaderSeen
from greennb.model.finding import Rule, Severity
from greennb.views import format as fmt

RULE = Rule(
    code="GNB201",
    name="Training waits for its data loader",
    framework="torch",
    severity=Severity.ACT,
    since="0.2",
    source="PyTorch's Kineto and TensorFlow's profiler (5 % and 20 % of a step); PyTorch documentation on data loading",
    wrong_when=(
        "the data set is small and quick: processes cost more than they hide",
        "the cores are busy already",
        "the data set's class is defined in a notebook on macOS or Windows",
    ),
)

NOTE_PART, ACT_PART = 0.05, 0.20
"""Parts of a step from which waiting is worth a note, and worth acting on (Kineto, xprof)."""

NOTE_S, ACT_S = 5.0, 1.0
"""Seconds of waiting in a cell below which nothing is said: starting workers costs some tenths of a second (ours)."""

LEAST_WAIT_S = 0.001
"""Median wait for a batch below which a worker can't help: sending a batch costs about as much (ours, tried)."""

IN_MEMORY_S = 10.0
"""Seconds of waiting from which a data set of tensors is spoken of: short trainings have other worries (ours)."""

MOST_WORKERS = 4
"""To begin with; each holds a copy of what the data set touches."""


def check(cell: CellContext) -> Iterator[Found]:
    """Loaders without workers that are waited for."""
    if cell.torch is None:
        return
    steps = {loop.optimizer.loader: loop.step_s for loop in loops(cell)}
    for index, loader in enumerate(cell.torch.loaders):
        if loader.num_workers or loader.batches < FEW_STEPS:
            continue
        turn_s = steps.get(index) or loader.seconds / loader.batches
        waits = part(loader.wait_s, turn_s)
        seen = (
            evidence("waiting for a batch", 1e3 * loader.wait_s, "ms"),
            evidence("step", 1e3 * turn_s, "ms"),
            evidence("waiting", 100 * waits, "%"),
            evidence("batches", loader.batches, "1"),
        )
        if loader.in_memory:
            if waits >= ACT_PART and loader.wait_total_s >= IN_MEMORY_S and loader.batch_size is not None:
                yield Found(
                    evidence=seen,
                    text=f"{_told(loader, turn_s)} Its tensors are fetched sample by sample and stacked again: let the "
                    "loader index them by whole batches.",
                    code=_by_batch(loader),
                    share=share(cell, loader.wait_total_s),
                    subject=subject(loader),
                )
        elif loader.wait_s >= LEAST_WAIT_S and _is_worth_it(loader, waits) and _has_cores(cell):
            workers = _workers(cell)
            yield Found(
                evidence=seen,
                text=f"{_told(loader, turn_s)} {_processes(workers)} can prepare the next batches meanwhile.",
                code=rebuilt(loader, num_workers=str(workers), persistent_workers="True"),
                share=share(cell, loader.wait_total_s),
                subject=subject(loader),
                severity=None if waits >= ACT_PART else Severity.NOTE,
            )


def _is_worth_it(loader: LoaderSeen, waits: float) -> bool:
    least_s = ACT_S if waits >= ACT_PART else NOTE_S
    return waits >= NOTE_PART and loader.wait_total_s >= least_s


def _has_cores(cell: CellContext) -> bool:
    """Whether a core is free for a worker while the loader is waited for."""
    used = busy(cell)
    return cell.machine is None or (cell.machine.cpus >= 2 and (used is None or used < BUSY))


def _workers(cell: CellContext) -> int:
    cpus = 2 if cell.machine is None else int(cell.machine.cpus)
    return max(1, min(MOST_WORKERS, cpus - 1))


def _processes(workers: int) -> str:
    return "A worker process" if workers == 1 else f"{workers} worker processes"


def _told(loader: LoaderSeen, turn_s: float) -> str:
    return (
        f"Of each step's {fmt.seconds(turn_s)}, {fmt.seconds(loader.wait_s)} is waiting for "
        f"{subject(loader)}, {fmt.seconds(loader.wait_total_s)} in all."
    )


def _by_batch(loader: LoaderSeen) -> str:
    name = variable(loader, "loader")
    return (
        f"batches = torch.utils.data.BatchSampler({name}.sampler, {name}.batch_size, {name}.drop_last)\n"
        f"{name} = torch.utils.data.DataLoader({name}.dataset, batch_size=None, sampler=batches)"
    )
