"""Multiply in bfloat16 where the hardware does

**Seen.** A model in float32 without autocast, on hardware with units for bfloat16 (NVIDIA from Ampere on, compute
capability 8.0; CPUs with AMX), whose time goes into matrix products and convolutions.

**Why.** Those units do several times as many bfloat16 multiplications for the same energy, and half as many bytes are
moved. bfloat16 has float32's range: no loss scaling is needed.

**Change.** `torch.autocast(..., dtype=torch.bfloat16)` around the forward pass and the loss. The parameters stay
float32.

**Not where**

- the model is small: casting costs more than it saves. Tried on one AMX CPU, as an illustration: a step took 0.43 of
  its time for a convolutional net and 1.72 for a tiny MLP;
- the CPU has bfloat16 in AVX-512 but no AMX. Tried on one such CPU with PyTorch 2.13: 1.3 to 2.9 times float32's time
  in every one of 14 trainings, from small to 8 million parameters. This rule is silent there;
- results depend on the last digits: reductions over long sums, scientific code.

**Check.** A trial, with the losses of the first steps side by side: `%energy_try`.

**Thresholds.** On a GPU: profiled multiplications at least 40 % of the time, or else a GPU that is busy at least 70 %
of the time with a model of at least a million parameters (0.1 million with convolutions). On a CPU: AMX, steps of at
least 10 ms. At least 10 s of work in the cell. All ours. Sources: [PyTorch on mixed
precision](https://docs.pytorch.org/docs/stable/amp.html), [NVIDIA's
guide](https://docs.nvidia.com/deeplearning/performance/mixed-precision-training/index.html), [Kalamkar et al.
2019](https://arxiv.org/abs/1905.12322).
"""

from __future__ import annotations

from collections.abc import Iterator

from greennb.advisor.base import Found
from greennb.advisor.rules.torch._shared import (
    MULTIPLIERS,
    Pass,
    card,
    count,
    is_cuda,
    is_float32,
    is_multiplying,
    multiplying_evidence,
    passes,
    share,
    steps_of,
    subject,
    variable,
)
from greennb.advisor.signals.cell import CellContext
from greennb.model.finding import Rule, Severity

RULE = Rule(
    code="GNB206",
    name="Multiply in bfloat16 where the hardware does",
    framework="torch",
    severity=Severity.ACT,
    since="0.2",
    source="PyTorch and NVIDIA on mixed precision; Kalamkar et al., arXiv 1905.12322",
    wrong_when=(
        "the model is small: casting costs more than it saves",
        "the CPU has bfloat16 in AVX-512 but no AMX",
        "results depend on the last digits",
    ),
)

LEAST_CAPABILITY = (8, 0)
"""Compute capability from which tensor cores take bfloat16 (CUDA C++ programming guide)."""

LEAST_S = 10.0
"""Seconds of work in a cell below which a change of precision is not worth its checking (ours)."""

LEAST_CPU_STEP_S = 0.010
"""Step on a CPU below which casts and calls weigh more than products (ours, between the two that were tried)."""

LEAST_CPU_PARAMETERS = {True: 20_000, False: 1_000_000}
"""Parameters for a CPU, with convolutions (True) and without (ours)."""


def check(cell: CellContext) -> Iterator[Found]:
    """Passes in float32 that bfloat16 units could do."""
    if cell.torch is None or cell.torch.trainer_bf16 is not None:  # a Trainer has a setting of its own: GNB232
        return
    for it in passes(cell):
        if it.seconds >= LEAST_S and is_float32(it) and (_is_for_cpu(cell, it) or _is_for_card(cell, it)):
            yield Found(
                evidence=multiplying_evidence(cell, it),
                text=f"{subject(it.model)} made {steps_of(it)} in float32 on hardware that multiplies bfloat16. "
                "Try autocast: a trial shows whether it saves here.",
                code=code(cell, it, "bfloat16"),
                share=share(cell, it.seconds),
                subject=subject(it.model),
            )


def _is_for_card(cell: CellContext, it: Pass) -> bool:
    device = card(cell, it.model.device)
    return device is not None and device.capability >= LEAST_CAPABILITY and is_multiplying(cell, it)


def _is_for_cpu(cell: CellContext, it: Pass) -> bool:
    """AMX and work enough. AVX-512's bfloat16 is not enough: see the page."""
    amx = cell.torch is not None and cell.torch.bf16_cpu and cell.machine is not None and cell.machine.amx
    if not amx or it.model.device != "cpu" or it.step_s < LEAST_CPU_STEP_S or not count(it.model, *MULTIPLIERS):
        return False
    return it.model.parameters >= LEAST_CPU_PARAMETERS[bool(count(it.model, "Conv2d", "Conv3d"))]


def code(cell: CellContext, it: Pass, dtype: str) -> str:
    """Autocast around the user's model."""
    if cell.torch is not None and it.model.wrapper == "LightningModule":
        return 'trainer = Trainer(precision="bf16-mixed")'
    kind, name = "cuda" if is_cuda(it.model.device) else "cpu", variable(it.model, "model")
    inside = f'with torch.autocast("{kind}", dtype=torch.{dtype}):\n'
    if it.loop is None:
        return f"{inside}    outputs = {name}(inputs)"
    return f"{inside}    loss = criterion({name}(inputs), targets)\nloss.backward()"
