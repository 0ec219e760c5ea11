"""Keep pictures with their channels last

**Seen.** A convolutional net on 4-D input whose weights lie in PyTorch's default order (channels first), where the
other order has been measured to be quicker: on a GPU in 16-bit autocast or with TF32, whose tensor cores want the
channels last and to which cuDNN transposes otherwise; on a CPU for nets that pool.

**Change.** `memory_format=torch.channels_last` for the model and for its input. Shapes and results stay as they are.

**Not where**

- convolutions are grouped or depthwise: some kernels are many times slower ([PyTorch
  #34977](https://github.com/pytorch/pytorch/issues/34977));
- it runs on an Apple GPU ([#193349](https://github.com/pytorch/pytorch/issues/193349));
- a CPU net has few pooling layers: see below;
- the code uses `view` on activations: it needs `reshape` or `flatten`.

**Check.** A trial: `%energy_try`. A net that leaves the format halfway (`is_contiguous` of its activations) gains
nothing.

**Thresholds.** On a CPU, tried on one thread of one AVX-512 server with PyTorch 2.13, as an illustration: training
steps took 0.57 to 0.83 of their time where a pooling layer follows each convolution, 0.64 to 0.80 with two for three
and batch norms, and 0.96 to 1.5 of it without pooling. So pooling layers must be at least half as many as
convolutions, pictures at least 28 x 28, a step at least 10 ms, 2 s in the cell. On a GPU 16-bit autocast (compute
capability 7.0) or float32 from 8.0 on, 10 s. Source: [PyTorch's
tutorial](https://docs.pytorch.org/tutorials/intermediate/memory_format_tutorial.html).
"""

from __future__ import annotations

from collections.abc import Iterator

from greennb.advisor.base import Found, evidence
from greennb.advisor.rules.torch._shared import Pass, card, count, passes, share, steps_of, subject, variable
from greennb.advisor.signals.cell import CellContext
from greennb.model.finding import Rule, Severity

RULE = Rule(
    code="GNB210",
    name="Keep pictures with their channels last",
    framework="torch",
    severity=Severity.NOTE,
    since="0.2",
    source="PyTorch tutorial on channels last; trainings timed on one CPU",
    wrong_when=(
        "convolutions are grouped (PyTorch issue 34977)",
        "it runs on an Apple GPU (PyTorch issue 193349)",
        "a net on a CPU hardly pools",
    ),
)

LEAST_SIDE = 28
"""Height and width of a picture for a CPU: smaller ones gain too little time to speak of (ours, tried from 8 to 64)."""

LEAST_STEP_S, LEAST_S = 0.010, 2.0
"""Step on a CPU, and seconds in the cell, below which nothing is said (ours)."""

LEAST_POOLS = 0.5
"""Pooling layers a convolution from which a CPU was seen to gain (ours, tried: the page has the figures)."""

LEAST_CARD_S = 10.0
"""Seconds on a card below which nothing is said (ours)."""


def check(cell: CellContext) -> Iterator[Found]:
    """Nets for pictures in the default memory format, where the other was seen to be quicker."""
    for it in passes(cell):
        batch, model = it.forwards.batch, it.model
        if batch is None or len(batch.shape) != 4 or model.channels_last or model.conv2d_grouped or model.compiled:
            continue
        if count(model, "Conv2d") and (_gains_on_card(cell, it) or _gains_on_cpu(it, batch.shape)):
            name = variable(model, "model")
            inputs = variable(batch, "inputs")
            yield Found(
                evidence=(
                    evidence("step", 1e3 * it.step_s, "ms"),
                    evidence("steps", it.turns),
                    evidence("convolutions", count(model, "Conv2d")),
                    evidence("pooling layers", _pools(it)),
                    evidence("picture", batch.shape[2] * batch.shape[3], "pixels"),
                ),
                text=f"{subject(model)} made {steps_of(it)} on {batch.shape[2]} × {batch.shape[3]} pictures with the "
                "channels first. Try them last: a trial shows whether it saves here.",
                code=f"{name} = {name}.to(memory_format=torch.channels_last)\n"
                f"{inputs} = {inputs}.to(memory_format=torch.channels_last)",
                share=share(cell, it.seconds),
                subject=subject(model),
            )


def _gains_on_cpu(it: Pass, shape: tuple[int, ...]) -> bool:
    if it.model.device != "cpu" or it.step_s < LEAST_STEP_S or it.seconds < LEAST_S or min(shape[2:]) < LEAST_SIDE:
        return False
    return _pools(it) >= LEAST_POOLS * count(it.model, "Conv2d") and not it.forwards.autocast


def _pools(it: Pass) -> int:
    return count(it.model, "MaxPool2d", "AvgPool2d")


def _gains_on_card(cell: CellContext, it: Pass) -> bool:
    device = card(cell, it.model.device)
    if device is None or it.seconds < LEAST_CARD_S or it.model.dtypes[:1] == ("float64",):
        return False
    return device.capability >= ((7, 0) if it.forwards.autocast or it.model.dtypes[:1] != ("float32",) else (8, 0))
