"""Compile a model that runs for long

**Seen.** A model called through eager PyTorch, with inputs of steady shape, for so long that the time to compile it
is a small part: more than 20 times 30 s in this notebook so far.

**Why.** `torch.compile` fuses the operations between matrix products and convolutions into fewer kernels: fewer
launches, and less traffic to memory, which is where most of a GPU's energy for small operations goes.

**Change.** `model = torch.compile(model)`; with `mode="reduce-overhead"` where launches are what takes the time
(GNB212).

**Not where**

- shapes vary: each new one may compile again (`dynamic=True` helps);
- it is an MLP, or a transformer on a CPU. Tried on CPUs, as an illustration: a step took 0.83 to 1.01 of its time for
  convolutional nets, 0.90 to 1.60 for MLPs and 1.45 for a small transformer. On a CPU this rule speaks of nets with
  convolutions and norms only;
- the model is saved or changed afterwards: keep a reference to the eager one;
- there is no C++ compiler (CPU) or no Triton (GPU).

**Check.** A trial, which times the compilation apart and says after how many steps it is paid back: `%energy_try`.

**Thresholds.** Compiling took 5 to 43 s for small models on two CPUs that were tried; 30 s is assumed. The factor of
20 keeps it below a twentieth of the work; ours. Source:
[torch.compile](https://docs.pytorch.org/docs/stable/torch.compiler.html).
"""

from __future__ import annotations

from collections.abc import Iterator

from greennb.advisor.base import Found, evidence
from greennb.advisor.rules.torch._shared import (
    CONVOLUTIONS,
    Pass,
    card,
    count,
    passes,
    share,
    steps_of,
    subject,
    variable,
)
from greennb.advisor.signals.cell import CellContext
from greennb.model.finding import Rule, Severity
from greennb.views import format as fmt

RULE = Rule(
    code="GNB211",
    name="Compile a model that runs for long",
    framework="torch",
    severity=Severity.NOTE,
    since="0.2",
    source="PyTorch documentation on torch.compile; compile times of small models, measured",
    wrong_when=("shapes vary", "it is an MLP, or a transformer on a CPU", "there is no C++ compiler or no Triton"),
)

COMPILE_S = 30.0
"""Expected seconds to compile (ours: 5 to 43 s were measured for small models)."""

TIMES = 20.0
"""How many times that the model must have run (ours: compilation is then at most a twentieth of the work)."""

MOST_SHAPES = 2
"""Shapes of the input: one, and that of the last, smaller batch."""

LEAST_CPU_STEP_S = 0.010
"""Step on a CPU from which there is something to fuse (ours)."""

NORMS = ("BatchNorm1d", "BatchNorm2d", "BatchNorm3d", "GroupNorm", "LayerNorm", "InstanceNorm2d")


def check(cell: CellContext) -> Iterator[Found]:
    """Eager models that have run for long enough to compile them."""
    for it in passes(cell):
        batch, model = it.forwards.batch, it.model
        if model.compiled or model.wrapper == "DataParallel" or batch is None or batch.shapes > MOST_SHAPES:
            continue
        ran_s = it.seconds + _before_s(cell, it)
        if ran_s > TIMES * COMPILE_S and (_on_card(cell, it) or _on_cpu(it)):
            name = variable(model, "model")
            yield Found(
                evidence=(
                    evidence("time in this notebook", ran_s, "s"),
                    evidence("step", 1e3 * it.step_s, "ms"),
                    evidence("steps in this cell", it.turns),
                    evidence("input shapes", batch.shapes),
                    evidence("layers", sum(model.layers.values())),
                ),
                text=f"{subject(model)} has run for {fmt.seconds(ran_s)} in eager mode ({steps_of(it)} in this cell) "
                "with steady shapes: long enough to try compiling it. A trial shows whether it saves here.",
                code=f"{name} = torch.compile({name})",
                share=share(cell, it.seconds),
                subject=subject(model),
            )


def _before_s(cell: CellContext, it: Pass) -> float:
    """Seconds that the same model ran in the same mode in earlier cells, those seen by this kernel."""
    earlier = (then for past in cell.past for then in passes(past))
    return sum(then.seconds for then in earlier if then.model.id == it.model.id and not then.model.compiled)


def _on_card(cell: CellContext, it: Pass) -> bool:
    """Triton wants compute capability 7.0."""
    device = card(cell, it.model.device)
    return device is not None and device.capability >= (7, 0)


def _on_cpu(it: Pass) -> bool:
    model = it.model
    if model.device != "cpu" or it.step_s < LEAST_CPU_STEP_S:
        return False
    return count(model, *CONVOLUTIONS) > 0 and count(model, *NORMS) > 0
