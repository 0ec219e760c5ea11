"""Inference records gradients that nobody uses

**Seen.** A model in `eval()` was called many times with gradients recorded, no `backward()` followed, no optimizer
that holds its parameters took a step, and its input did not ask for gradients either.

**Why.** PyTorch then keeps every intermediate result for a `backward()` that never comes: more memory, more work
around each operation, and faster inference kernels (those of `nn.TransformerEncoder` for instance) are passed by.
`model.eval()` does not turn this off. Tried on one 2-core server CPU, as an illustration: a forward pass took 0.71 of
its time for a small transformer, 0.86 for a small MLP and 1.00 for a convolutional net that is all arithmetic.

**Change.** Run it under `torch.inference_mode()`.

**Not where**

- gradients with respect to the input are wanted later (saliency, adversarial examples);
- its results go into something that is trained: an inference tensor can't be saved for `backward()`; use
  `torch.no_grad()` there.

**Check.** The outputs are the same; `%energy_compare` of the two cells.

**Sources.**
[`torch.inference_mode`](https://docs.pytorch.org/docs/stable/generated/torch.autograd.grad_mode.inference_mode.html);
[creedengo GCI100](https://github.com/green-code-initiative/creedengo-rules-specifications). The floors (50 calls, 1
s, a tenth of the cell) are ours.
"""

from __future__ import annotations

from collections.abc import Iterator

from greennb.advisor.base import Found, evidence
from greennb.advisor.rules.torch._shared import Pass, passes, share, steps_of, subject, variable
from greennb.advisor.signals.cell import CellContext
from greennb.model.finding import Rule, Severity

RULE = Rule(
    code="GNB205",
    name="Inference records gradients that nobody uses",
    framework="torch",
    severity=Severity.ACT,
    since="0.2",
    source="PyTorch documentation on inference mode; creedengo GCI100",
    wrong_when=(
        "gradients with respect to the input are wanted",
        "the results go into something that is trained: no_grad there",
    ),
)

LEAST_CALLS = 50
"""Calls below which it is not worth a line (ours)."""

LEAST_S, LEAST_PART = 1.0, 0.10
"""Seconds of calls, and their part of the cell, below which it is not worth a line (ours)."""


def check(cell: CellContext) -> Iterator[Found]:
    """Models in eval mode whose gradients were recorded for nothing."""
    for it in passes(cell, turns=LEAST_CALLS):
        at_stake = share(cell, it.forwards.seconds)
        if _is_wasted(it) and it.forwards.seconds >= LEAST_S and at_stake >= LEAST_PART:
            name = variable(it.model, "model")
            inputs = variable(it.forwards.batch, "inputs")
            yield Found(
                evidence=(
                    evidence("calls with gradients recorded", it.turns, "calls"),
                    evidence("of them looked at", it.forwards.calls, "calls"),
                    evidence("call", 1e3 * it.step_s, "ms"),
                    evidence("parameters that ask for a gradient", it.model.trainable),
                ),
                text=f"{subject(it.model)} made {steps_of(it)} in eval mode with gradients recorded, and nothing was "
                "differentiated.",
                code=f"with torch.inference_mode():\n    outputs = {name}({inputs})",
                share=at_stake,
                subject=subject(it.model),
            )


def _is_wasted(it: Pass) -> bool:
    forwards = it.forwards
    if forwards.training or not forwards.grad or forwards.inference or forwards.stepped or not it.model.trainable:
        return False
    return forwards.batch is None or not forwards.batch.requires_grad
