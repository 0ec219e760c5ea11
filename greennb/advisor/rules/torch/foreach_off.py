"""Leave the optimizer its grouped kernels

**Seen.** An optimizer on a GPU made with `foreach=False`, whose update is a real part of each step. It then launches
several kernels for each parameter tensor, one after the other, where the default does them for all tensors together.

**Change.** Take `foreach=False` out, or use `fused=True` where the optimizer has it (GNB216).

**Not where**

- memory is what it was for: the grouped update needs about as much again as the parameters for a moment. `fused=True`
  needs neither that memory nor the launches;
- it runs on a CPU. Tried on one, as an illustration: updates with and without `foreach` took the same time within a
  tenth, so that this rule speaks of GPUs only.

**Check.** A trial: `%energy_try`. Results agree up to rounding.

**Thresholds.** The update is at least 5 % of a step in the time that the program spends in it, 100 steps, 2 s; ours.
Source: [PyTorch on optimizers](https://docs.pytorch.org/docs/stable/optim.html#algorithms), where foreach is the
default on CUDA.
"""

from __future__ import annotations

from collections.abc import Iterator

from greennb.advisor.base import Found, evidence
from greennb.advisor.rules.torch._shared import is_cuda, loops, part, share, subject
from greennb.advisor.rules.torch.fused_optimizer import made_again
from greennb.advisor.signals.cell import CellContext
from greennb.model.finding import Rule, Severity
from greennb.views import format as fmt

RULE = Rule(
    code="GNB217",
    name="Leave the optimizer its grouped kernels",
    framework="torch",
    severity=Severity.NOTE,
    since="0.2",
    source="PyTorch documentation on optimizers",
    wrong_when=("memory is what it was for (use fused then)", "it runs on a CPU"),
)

UPDATING = 0.05
"""Part of a step in the update itself from which its launches matter (ours)."""

LEAST_STEPS, LEAST_S = 100, 2.0
"""Steps, and their seconds, below which nothing is said (ours)."""


def check(cell: CellContext) -> Iterator[Found]:
    """Optimizers on a card that go from tensor to tensor because they were told to."""
    for loop in loops(cell, steps=LEAST_STEPS):
        optimizer = loop.optimizer
        update = part(optimizer.update_s, loop.step_s)
        if optimizer.foreach is not False or optimizer.fused or not optimizer.builtin or not is_cuda(loop.device):
            continue
        if update >= UPDATING and optimizer.seconds >= LEAST_S:
            yield Found(
                evidence=(
                    evidence("update", 1e3 * optimizer.update_s, "ms"),
                    evidence("step", 1e3 * loop.step_s, "ms"),
                    evidence("updating", 100 * update, "%"),
                    evidence("parameter tensors", optimizer.parameters),
                ),
                text=f"Of each training step's {fmt.seconds(loop.step_s)}, {fmt.seconds(optimizer.update_s)} goes into "
                f"updating {optimizer.parameters} tensors one after the other: foreach=False asks for that.",
                code=made_again(optimizer, ""),
                share=share(cell, update * optimizer.seconds),
                subject=subject(optimizer),
            )
