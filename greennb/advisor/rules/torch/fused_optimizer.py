"""Update all parameters in one kernel

**Seen.** `optimizer.step()` itself, without `backward()`, is a real part of each training step, and `fused` is unset.

**Why.** Without it an update is several operations for each parameter, each with its own trip to memory. The fused
kernels read and write each number once. Tried on one server CPU, as an illustration: with AdamW, trainings of MLPs
whose update was 20 to 61 % of a step took 0.44 to 0.68 of their time; with SGD 0.79 to 0.96; where the update was
below 10 %, as for convolutional nets and transformers, 0.89 to 0.98.

**Change.** `fused=True` where the optimizer is made.

**Not where**

- a parameter is not floating point, or a sparse gradient is used: it raises;
- the optimizer is not one of `Adam`, `AdamW`, `SGD` and `Adagrad`;
- a subclass or a hook changes gradients between their unscaling and the step.

**Check.** A trial: `%energy_try`. Losses agree up to rounding.

**Thresholds.** The update is at least 20 % of a step and 2 s of the cell (ours, from the trials above). Source:
[PyTorch on optimizers](https://docs.pytorch.org/docs/stable/optim.html#algorithms).
"""

from __future__ import annotations

from collections.abc import Iterator

from greennb.advisor.base import Found, evidence
from greennb.advisor.rules.torch._shared import Loop, is_cuda, loops, part, share, subject, variable
from greennb.advisor.signals.cell import CellContext
from greennb.advisor.signals.torch import OptimizerSeen
from greennb.model.finding import Rule, Severity
from greennb.views import format as fmt

RULE = Rule(
    code="GNB216",
    name="Update all parameters in one kernel",
    framework="torch",
    severity=Severity.NOTE,
    since="0.2",
    source="PyTorch documentation on optimizers; updates timed on one CPU",
    wrong_when=(
        "a parameter is not floating point or a gradient is sparse",
        "something changes gradients between unscaling and step",
    ),
)

KINDS = ("Adam", "AdamW", "SGD", "Adagrad")
"""Optimizers of torch.optim with ``fused`` (PyTorch documentation); Adagrad's is for CPUs only."""

UPDATING = 0.20
"""Part of a step in the update itself from which it is worth a change (ours, tried)."""

LEAST_S = 2.0
"""Seconds of updates in a cell below which nothing is said (ours)."""


def check(cell: CellContext) -> Iterator[Found]:
    """Optimizers that take their time over the update, with ``fused`` unset."""
    for loop in loops(cell):
        optimizer = loop.optimizer
        update = part(optimizer.update_s, loop.step_s)
        update_s = optimizer.update_s * optimizer.steps
        if _can_be_fused(loop) and update >= UPDATING and update_s >= LEAST_S:
            yield Found(
                evidence=(
                    evidence("update", 1e3 * optimizer.update_s, "ms"),
                    evidence("step", 1e3 * loop.step_s, "ms"),
                    evidence("updating", 100 * update, "%"),
                    evidence("steps", optimizer.steps),
                ),
                text=f"Of each training step's {fmt.seconds(loop.step_s)}, {fmt.seconds(optimizer.update_s)} is "
                f"{optimizer.kind}'s update of {optimizer.parameters} tensors, which it can do in one kernel.",
                code=made_again(optimizer, ", fused=True"),
                share=share(cell, update_s),
                subject=subject(optimizer),
            )


def _can_be_fused(loop: Loop) -> bool:
    optimizer = loop.optimizer
    if not optimizer.builtin or optimizer.kind not in KINDS or not optimizer.float_parameters or optimizer.closure:
        return False
    if optimizer.fused is not None or optimizer.foreach is not None:  # chosen by somebody; GNB217 has the other case
        return False
    return loop.device == "cpu" or (is_cuda(loop.device) and optimizer.kind != "Adagrad")


def made_again(optimizer: OptimizerSeen, settings: str) -> str:
    """Code that makes an optimizer again with its groups and their settings, but for ``foreach`` and ``fused``."""
    name = variable(optimizer, "optimizer")
    return (
        "# before a scheduler is made of it\n"
        f'groups = [{{k: v for k, v in group.items() if k not in ("foreach", "fused")}}'
        f" for group in {name}.param_groups]\n"
        f"{name} = torch.optim.{optimizer.kind}(groups{settings})"
    )
