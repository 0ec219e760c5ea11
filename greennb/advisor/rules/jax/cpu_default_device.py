"""JAX computes on the CPU, and there is a GPU

**Seen.** JAX's default device is the CPU while the machine has an NVIDIA card, in a cell of 5 s or more that JAX
compiled for; nobody asked for the CPU (`JAX_PLATFORMS`), and the card was idle.

**Why.** The plain `pip install jax` has no CUDA in it and falls back to the CPU with one line of warning. The card
then draws its idle power for nothing, and the processor takes longer.

**Change.** `pip install -U "jax[cuda12]"` (or `cuda13`), and restart the kernel; `jax.devices()` must name the card.

**Not where**

- the work is small, or one long chain of small steps: a card starts each one slowly;
- the card is meant for somebody else.

**Check.** The joules of the cell on both: a card draws several times a processor's power, and must be so much
quicker.

**Sources.** [JAX: installation](https://docs.jax.dev/en/latest/installation.html). The floors are ours. Tested on
recorded signals into which the card was put by hand.
"""

from __future__ import annotations

from collections.abc import Iterator

from greennb.advisor.base import Found, evidence
from greennb.advisor.signals.cell import CellContext
from greennb.model.finding import Rule, Severity

RULE = Rule(
    code="GNB503",
    name="JAX is on the CPU beside an idle GPU",
    framework="jax",
    severity=Severity.NOTE,
    since="0.2",
    source="JAX documentation on installation",
    wrong_when=("the work is small", "the card is meant for somebody else"),
)

LEAST_S = 5.0
"""Seconds of the cell below which nothing is said (ours)."""

MOST_BUSY = 0.05
"""Share of time with a kernel running up to which a card is idle (ours)."""

LEAST_CPU = 0.50
"""CPUs that this process computed on, or wanted to, below which the cell was waiting for something else (ours)."""


def check(cell: CellContext) -> Iterator[Found]:
    """Cells that JAX computed on the CPU while a card did nothing."""
    if cell.jax is None or cell.machine is None or cell.jax.platform != "cpu" or cell.jax.asked:
        return
    idle = [
        gpu for gpu in cell.machine.gpus if gpu.util is not None and gpu.util <= MOST_BUSY and gpu.capability > (0, 0)
    ]
    if not idle or not cell.jax.compiles or cell.duration_s < LEAST_S:
        return
    if max(cell.machine.cpu_s / cell.duration_s, cell.machine.runnable or 0.0) < LEAST_CPU:
        return
    power = () if idle[0].power_w is None else (evidence("power of the idle card", idle[0].power_w, "W"),)
    yield Found(
        evidence=(
            evidence("the cell", cell.duration_s, "s"),
            evidence("CPU time", cell.machine.cpu_s, "s"),
            evidence("GPU busy", 100 * (idle[0].util or 0.0), "%"),
            *power,
        ),
        text=f"JAX computed on the CPU while {idle[0].label} was idle. The plain package has no CUDA in it: install "
        "the one that has, and see whether the card does it for fewer joules.",
        code='# in a terminal: pip install -U "jax[cuda12]"; then restart the kernel\njax.devices()',
        share=1.0,
        subject="jax",
    )
