"""The GPU waits for its next kernel

**Seen.** A training loop that keeps the GPU less than half busy although it hardly waits for data, with steps so
short for the model's number of layers that each kernel has only some ten microseconds: Python and the launches set
the pace.

**Why.** A kernel launch takes the CPU 5 to 10 us, and Python around it more. The GPU stands by meanwhile, at a power
far above its idle one.

**Change.** Fewer launches: `torch.compile(model, mode="reduce-overhead")`, which fuses kernels and replays them as
one CUDA graph. A larger batch (GNB213) does more in each launch.

**Not where**

- shapes vary, or the step has control flow that depends on data: graphs can't replay it;
- tensors of the last step are kept: a CUDA graph writes the next step's into the same memory.

**Check.** The GPU's utilisation, and a trial that times the compilation apart: `%energy_try`.

**Thresholds.** Utilisation below 50 %, waiting below 5 % of a step, 100 steps and 5 s, at most 30 us for each kernel:
as profiled, or else from the step and three kernels a layer (forward, two backward), which is fewer than there are.
Ours, after [PyTorch on CUDA graphs](https://pytorch.org/blog/accelerating-pytorch-with-cuda-graphs/) and the
[`torch.compile` modes](https://docs.pytorch.org/docs/stable/generated/torch.compile.html).
"""

from __future__ import annotations

from collections.abc import Iterator

from greennb.advisor.base import Found, evidence
from greennb.advisor.rules.torch._shared import Loop, board, loops, share, subject, variable
from greennb.advisor.signals.cell import CellContext
from greennb.model.finding import Rule, Severity
from greennb.views import format as fmt

RULE = Rule(
    code="GNB212",
    name="The GPU waits for its next kernel",
    framework="torch",
    severity=Severity.ACT,
    since="0.2",
    source="PyTorch on CUDA graphs; torch.compile modes",
    wrong_when=("shapes vary, or the step's control flow depends on data", "tensors of the last step are kept"),
)

MOST_UTIL, MOST_WAIT = 0.50, 0.05
"""Share of time with a kernel running, and part of a step in the loader, up to which launches are to blame (ours)."""

LEAST_STEPS, LEAST_S = 100, 5.0
"""Steps, and their seconds, below which nothing is said (ours)."""

MOST_SECONDS_A_KERNEL = 30e-6
"""Time for each kernel up to which its launch, 5 to 10 us and Python besides, sets the pace (ours)."""

KERNELS_A_LAYER = 3
"""One forward and two backward: fewer than there are, so that the time for each is not made too short."""

MOST_SHAPES = 2
"""Input shapes up to which graphs can be replayed: one, and the last, smaller batch's."""


def check(cell: CellContext) -> Iterator[Found]:
    """Loops on a card that launches hold up."""
    for loop in loops(cell, steps=LEAST_STEPS):
        gpu, model = board(cell, loop.device), loop.model
        if gpu is None or gpu.util is None or gpu.util >= MOST_UTIL or loop.wait_share >= MOST_WAIT:
            continue
        if model is None or model.compiled or loop.optimizer.seconds < LEAST_S or not _is_steady(loop):
            continue
        kernels = _kernels(cell, loop)
        if kernels and loop.step_s / kernels <= MOST_SECONDS_A_KERNEL:
            name = variable(model, "model")
            yield Found(
                evidence=(
                    evidence("GPU busy", 100 * gpu.util, "%"),
                    evidence("step", 1e3 * loop.step_s, "ms"),
                    evidence("waiting for data", 100 * loop.wait_share, "%"),
                    evidence("kernels in a step, at least", kernels),
                    evidence("steps", loop.optimizer.steps),
                ),
                text=f"A step of {subject(model)} takes {fmt.seconds(loop.step_s)} for at least {kernels:.0f} kernels "
                f"and keeps the GPU {fmt.percent(gpu.util)} busy: launching them sets the pace.",
                code=f'{name} = torch.compile({name}, mode="reduce-overhead")',
                share=share(cell, (1 - gpu.util) * loop.optimizer.seconds),
                subject=subject(model),
            )


def _is_steady(loop: Loop) -> bool:
    batch = None if loop.forwards is None else loop.forwards.batch
    return batch is None or batch.shapes <= MOST_SHAPES


def _kernels(cell: CellContext, loop: Loop) -> float:
    """Kernels in a step: as profiled, else the least that its layers can take."""
    profiled = None if cell.torch is None else cell.torch.profiled
    if profiled is not None and profiled.steps:
        return profiled.kernels / profiled.steps
    return 0 if loop.model is None else KERNELS_A_LAYER * sum(loop.model.layers.values())
