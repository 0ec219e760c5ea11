"""Let float32 matrix products use tensor cores

**Seen.** Linear layers in float32 on a GPU with compute capability 8.0 or above, with
`torch.get_float32_matmul_precision()` at "highest", its default: matrix products pass the tensor cores by.
(Convolutions use TF32 by default.)

**Change.** `torch.set_float32_matmul_precision("high")`, once, at the notebook's head. Products are then computed
from inputs rounded to TF32's 10 bits of mantissa and summed in float32. Nothing else changes: no dtype, no loss
scaling.

**Not where**

- it is linear algebra (solvers, covariances, physics) that needs float32's digits;
- autocast is on anyway: it makes no difference there, and bfloat16 (GNB206) is the larger step.

**Check.** `%energy_compare`, and the losses of some hundred steps side by side.

**Thresholds.** 100 steps, 10 s, and matrix products that the time goes to, judged as in GNB206; ours. Source:
[PyTorch](https://docs.pytorch.org/docs/stable/generated/torch.set_float32_matmul_precision.html), whose profiler
[looks for the same](https://docs.pytorch.org/docs/stable/notes/cuda.html#tf32-on-ampere).
"""

from __future__ import annotations

from collections.abc import Iterator

from greennb.advisor.base import Found
from greennb.advisor.rules.torch._shared import (
    Pass,
    card,
    count,
    is_float32,
    is_multiplying,
    multiplying_evidence,
    passes,
    share,
    steps_of,
    subject,
)
from greennb.advisor.signals.cell import CellContext
from greennb.model.finding import Rule, Severity

RULE = Rule(
    code="GNB208",
    name="Let float32 matrix products use tensor cores",
    framework="torch",
    severity=Severity.ACT,
    since="0.2",
    source="PyTorch documentation on float32 matmul precision",
    wrong_when=("it is linear algebra that needs float32's digits", "autocast is on anyway"),
)

LEAST_CAPABILITY = (8, 0)
"""Compute capability from which tensor cores take TF32 (CUDA C++ programming guide)."""

LEAST_STEPS, LEAST_S = 100, 10.0
"""Steps, and their seconds, below which nothing is said (ours)."""

LEAST_LINEAR = 0.20
"""Part of the parameters in linear layers from which products are matrix products: convolutions have TF32 (ours)."""


def check(cell: CellContext) -> Iterator[Found]:
    """Linear layers in full float32 on a card with TF32."""
    if cell.torch is None or cell.torch.matmul_precision != "highest":
        return
    for it in passes(cell, turns=LEAST_STEPS):
        if it.seconds >= LEAST_S and is_float32(it) and _has_tf32(cell, it) and is_multiplying(cell, it):
            yield Found(
                evidence=multiplying_evidence(cell, it),
                text=f"{subject(it.model)} made {steps_of(it)} in full float32, and this card's tensor cores take "
                "TF32. Try it: a trial shows whether it saves here.",
                code='torch.set_float32_matmul_precision("high")',
                share=share(cell, it.seconds),
                subject=subject(it.model),
            )


def _has_tf32(cell: CellContext, it: Pass) -> bool:
    device = card(cell, it.model.device)
    if device is None or device.capability < LEAST_CAPABILITY or device.name.startswith("AMD"):
        return False
    return it.model.linear_share >= LEAST_LINEAR or count(it.model, "MultiheadAttention", "Conv1D") > 0
