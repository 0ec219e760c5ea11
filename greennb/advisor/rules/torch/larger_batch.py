"""Do more samples in a step

**Seen.** On a GPU: it is less than half busy and its memory less than half used, and the loop does not wait for data.
On a CPU: a few samples in a step so short that its fixed cost (Python, autograd, the optimizer's update) is most of
it.

**Why.** That fixed cost is paid for each step, whatever is in it. Tried on one thread of one server CPU, as an
illustration: a sample's share of a step fell from 34 to 7.5 us for a small MLP and from 198 to 26 us for a small
convolutional net from batch 8 to batch 64.

**Change.** Twice or four times the batch, then as far as joules a sample fall. The optimizer then takes fewer steps:
its learning rate needs another look (for SGD, often in proportion to the batch).

**Not where**

- it needs the noise of small batches, or more epochs, to reach the same result: joules a sample may fall while joules
  to the result rise. Whether it converges as well is not verified here;
- the data set is small: few steps would be left in an epoch;
- batch norms' statistics and the learning-rate schedule are tuned to this batch.

**Check.** Joules until the same validation loss, not joules an epoch.

**Thresholds.** GPU: utilisation and memory below 50 %, waiting below 20 % of a step, 10 s. CPU: at most 16 samples a
step, steps below 2 ms, 2,000 steps, 2 s; and at least 1,000 items. Ours; the GPU's after [NVIDIA's
guide](https://docs.nvidia.com/deeplearning/performance/dl-performance-getting-started/index.html) and
[Zeus](https://www.usenix.org/conference/nsdi23/presentation/you), which tunes the batch for energy to a target.
"""

from __future__ import annotations

from collections.abc import Iterator

from greennb.advisor.base import Found, evidence
from greennb.advisor.rules.torch._shared import Loop, board, card, loops, part, share, subject, variable
from greennb.advisor.signals.cell import CellContext
from greennb.model.finding import Evidence, Rule, Severity
from greennb.views import format as fmt

RULE = Rule(
    code="GNB213",
    name="Do more samples in a step",
    framework="torch",
    severity=Severity.NOTE,
    since="0.2",
    source="Zeus (NSDI 2023); NVIDIA performance guide; steps timed on one CPU",
    wrong_when=(
        "small batches are wanted for their noise: convergence is not verified",
        "the data set is small",
        "batch norms and schedules are tuned to this batch",
    ),
)

MOST_UTIL, MOST_MEMORY, MOST_WAIT = 0.50, 0.50, 0.20
"""On a GPU: time with a kernel running, memory in use, part of a step in the loader (ours)."""

LEAST_CARD_S = 10.0
"""Seconds of training on a GPU below which nothing is said (ours)."""

MOST_CPU_BATCH, MOST_CPU_STEP_S = 16, 0.002
"""On a CPU: samples in a step, and its seconds, up to which the fixed cost is most of it (ours, tried)."""

LEAST_CPU_STEPS, LEAST_CPU_S = 2_000, 2.0
"""On a CPU: steps, and their seconds, below which nothing is said (ours)."""

LEAST_ITEMS = 1_000
"""Items of a data set below which larger batches leave too few steps (ours)."""

TIMES = 4
"""How many times the batch to try."""


def check(cell: CellContext) -> Iterator[Found]:
    """Loops whose steps have room for more samples."""
    for loop in loops(cell):
        batch = loop.batch
        if batch is None or loop.optimizer.closure or _is_small(loop):
            continue
        why = _on_card(cell, loop) or _on_cpu(loop, batch)
        if why:
            text, seen = why
            name = "batch_size" if loop.loader is None else variable(loop.loader, "loader")
            yield Found(
                evidence=(*seen, evidence("step", 1e3 * loop.step_s, "ms"), evidence("samples in a step", batch)),
                text=f"{text} Try {TIMES * batch} samples and look at the learning rate again: joules a sample may "
                "fall, and whether it still learns as well must be seen.",
                code=f"batch_size = {TIMES * batch}  # of {name}; was {batch}",
                share=share(cell, loop.optimizer.seconds),
                subject=subject(loop.model or loop.optimizer),
            )


def _is_small(loop: Loop) -> bool:
    return loop.loader is not None and loop.loader.length is not None and loop.loader.length < LEAST_ITEMS


def _on_card(cell: CellContext, loop: Loop) -> tuple[str, tuple[Evidence, ...]] | None:
    device, gpu = card(cell, loop.device), board(cell, loop.device)
    if device is None or gpu is None or gpu.util is None or not device.total_b or not device.peak_b:
        return None
    memory = part(device.peak_b, device.total_b)
    if gpu.util >= MOST_UTIL or memory >= MOST_MEMORY or loop.wait_share >= MOST_WAIT:
        return None
    if loop.optimizer.seconds < LEAST_CARD_S:
        return None
    text = f"The GPU is {fmt.percent(gpu.util)} busy and {fmt.percent(memory)} of its memory is used."
    return text, (evidence("GPU busy", 100 * gpu.util, "%"), evidence("GPU memory", 100 * memory, "%"))


def _on_cpu(loop: Loop, batch: int) -> tuple[str, tuple[Evidence, ...]] | None:
    if loop.device != "cpu" or batch > MOST_CPU_BATCH or loop.step_s >= MOST_CPU_STEP_S:
        return None
    if loop.optimizer.steps < LEAST_CPU_STEPS or loop.optimizer.seconds < LEAST_CPU_S or loop.wait_share >= MOST_WAIT:
        return None
    steps = loop.optimizer.steps
    text = (
        f"{steps:,} steps of {fmt.seconds(loop.step_s)} with {batch} samples each: most of it is a step's fixed cost."
    )
    return text, (evidence("steps", steps),)
