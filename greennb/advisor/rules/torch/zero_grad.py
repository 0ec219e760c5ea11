"""zero_grad(set_to_none=False) writes zeros that backward then has to add to

**Seen.** `zero_grad(set_to_none=False)` in the source of a cell that took at least 100 optimizer steps.

**Why.** Every gradient is overwritten with zeros, and backward reads, adds and writes where it could just
have written. All of it is memory traffic in proportion to the number of parameters. Since PyTorch 2.0
gradients are set to None unless one asks for this.

**Change.** Remove the argument.

**Not where.** Code of yours reads `p.grad` of parameters that took no part in the loss and expects zeros; an
optimizer with momentum or weight decay skips parameters whose gradient is None, but not those whose gradient
is zero.

**Check.** Same seed, some hundred steps either way: the losses are the same, compare the joules.

**Sources.**
[Optimizer.zero_grad](https://docs.pytorch.org/docs/stable/generated/torch.optim.Optimizer.zero_grad.html);
[TorchFix](https://github.com/pytorch-labs/torchfix) has it as TOR402.
"""

from __future__ import annotations

from collections.abc import Iterator

from greennb.advisor.base import Found, evidence
from greennb.advisor.rules.torch._loops import trained
from greennb.advisor.rules.torch._shared import part, share, subject, variable
from greennb.advisor.signals.cell import CellContext
from greennb.model.finding import Rule, Severity

RULE = Rule(
    code="GNB218",
    name="zero_grad writes zeros instead of dropping gradients",
    framework="torch",
    severity=Severity.NOTE,
    since="0.2",
    source="PyTorch documentation of Optimizer.zero_grad; TorchFix TOR402",
    wrong_when=("code reads p.grad of parameters that took no part and expects zeros",),
)

STEPS = 100
"""Optimizer steps below which nothing is said. Our choice."""

SECONDS = 1.0
"""Seconds from the first step to the last below which nothing is said. Our choice."""

UPDATE = 0.02
"""Least part of a step that the update takes; below, the parameters' memory traffic is not where the time goes.

Zeroing and adding touch the gradients as the update does: writing zeros took 0.04 to 0.55 of an update's CPU time in an
MLP with 1.3 million parameters (torch 2.13, one thread, Adam and SGD), so that the update's time is a bound for it.
"""


def check(cell: CellContext) -> Iterator[Found]:
    """An optimizer that took many steps, and the argument in the source."""
    facts = cell.code.of("zero_grad_false") if cell.code is not None else ()
    all_trained = list(trained(cell, steps=STEPS, seconds=SECONDS)) if facts else []
    for optimizer, _model in all_trained:
        named = [fact for fact in facts if fact.name == optimizer.name]
        fact = named[0] if named else facts[0]
        update = part(optimizer.update_s, optimizer.step_s)
        if (len(all_trained) > 1 and not named) or update < UPDATE:
            continue
        yield Found(
            evidence=(
                evidence("steps", optimizer.steps, "steps"),
                evidence("median step", optimizer.step_s * 1e3, "ms"),
                evidence("of that in the update", optimizer.update_s * 1e3, "ms"),
                evidence("line", fact.line),
            ),
            text=f"Line {fact.line} overwrites {optimizer.parameters} gradients with zeros in each of {optimizer.steps}"
            " steps, and backward adds to them. Without the argument they are dropped and written once.",
            code=f"{variable(optimizer, 'optimizer')}.zero_grad()\n",
            share=share(cell, update * optimizer.seconds),
            subject=subject(optimizer),
        )
