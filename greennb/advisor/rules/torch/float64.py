"""The model computes in float64, which seldom buys anything that is learned

**Seen.** Most of the model's floating-point parameters are float64, and calls of it took a second or more in
this cell.

**Why.** Each number is twice as many bytes to move, and a vector unit holds half as many. On most graphics
cards the units for float64 are a small fraction of those for float32. float64 usually comes in unasked: NumPy
arrays are float64, and `torch.from_numpy` keeps that.

**Change.** Convert the model and what it is fed with to float32.

**Not where.** Solvers, physics-informed networks, `gradcheck`, second-order methods and ill-conditioned
problems may need the digits.

**Check.** Train both with the same seed and compare the validation metric and the joules.

**Sources.**
[torch.set_default_dtype](https://docs.pytorch.org/docs/stable/generated/torch.set_default_dtype.html); [CUDA
C++ Programming Guide, arithmetic
throughput](https://docs.nvidia.com/cuda/cuda-c-programming-guide/#arithmetic-instructions) for the rate of
64-bit operations by compute capability.
"""

from __future__ import annotations

from collections.abc import Iterator

from greennb.advisor.base import Found, evidence
from greennb.advisor.rules.torch._loops import longest, loop_s
from greennb.advisor.rules.torch._shared import share, subject, variable
from greennb.advisor.signals.cell import CellContext
from greennb.advisor.signals.torch import Forwards, ModelSeen
from greennb.model.finding import Rule, Severity

RULE = Rule(
    code="GNB219",
    name="The model computes in float64",
    framework="torch",
    severity=Severity.ACT,
    since="0.2",
    source="CUDA C++ Programming Guide (throughput of 64-bit operations); bytes per number",
    wrong_when=("the problem needs the digits: solvers, physics-informed networks, gradcheck",),
)

SECONDS = 1.0
"""Seconds in calls of the model and the loop around them below which nothing is said. Our choice."""


def check(cell: CellContext) -> Iterator[Found]:
    """A model in float64 that ran for a while; one finding for a model, of its longest loop."""
    if cell.torch is None:
        return
    for model in cell.torch.models:
        if not model.dtypes or model.dtypes[0] != "float64":
            continue
        loop = longest(cell, model)
        if loop is not None and loop_s(cell, loop) >= SECONDS:
            yield _found(cell, model, loop)


def _found(cell: CellContext, model: ModelSeen, loop: Forwards) -> Found:
    batch = loop.batch.name if loop.batch is not None and loop.batch.dtype == "float64" else None
    inputs = f"{batch} = {batch}.float()" if batch else "x = x.float()  # each tensor that it is called with"
    target = "  # and float targets likewise" if loop.stepped else ""
    return Found(
        evidence=(
            evidence("parameters in float64", model.parameters),
            evidence("calls", loop.calls_estimated, "calls"),
            evidence("seconds of the loop", loop_s(cell, loop), "s"),
        ),
        text=f"{subject(model)} has float64 parameters. float32 moves half the bytes and fits twice as many numbers "
        "into a vector register; NumPy arrays are what usually brings float64 in.",
        code=f"{variable(model, 'model')} = {variable(model, 'model')}.float()\n{inputs}{target}\n",
        share=share(cell, loop_s(cell, loop)),
        subject=subject(model),
    )
