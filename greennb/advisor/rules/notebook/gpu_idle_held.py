"""Let go of a GPU that is held and does nothing

**Seen.** Before this cell nothing ran in the kernel for minutes, and all the while this process held memory on a GPU.
The board's watts are a reading taken just before the cell began.

**Why it costs energy.** A board that a process has opened does not go to its deepest sleep, and nobody else can put
work on the memory that is held. Part of these watts the board would draw without you as well: what letting go saves
on it shows in the panel's live power after you have.

**Change.** Delete what you no longer need on the card and empty the framework's cache before a long pause; shut the
kernel down when you are done. Jupyter can do that by itself: `MappingKernelManager.cull_idle_timeout` and
`cull_interval` in Jupyter Server's configuration. A kernel that was shut down has lost its variables.

**Not where**

- what lies on the card took longer to make than the pause lasts;
- the pause was spent reading this notebook's results, and the next cell needs the card.

**Check.** The panel's live power before and after; `nvidia-smi` for who holds what.

**Thresholds.** 5 minutes without a cell and 1 GiB, or 64 MiB of PyTorch's tensors: ours. A CUDA context alone takes
some hundreds of MiB, and only the kernel's end gives those back. [Jupyter Server's
options](https://jupyter-server.readthedocs.io/en/latest/other/full-config.html).
"""

from __future__ import annotations

from collections.abc import Iterator

from greennb.advisor.base import Found, evidence
from greennb.advisor.rules.notebook._shared import GIB, gib
from greennb.advisor.signals.cell import CellContext
from greennb.advisor.signals.machine import GpuSeen
from greennb.model.finding import Rule, Severity

RULE = Rule(
    code="GNB101",
    name="Let go of a GPU that is held and does nothing",
    framework="machine",
    severity=Severity.NOTE,
    since="0.2",
    source="watts read while nothing ran, in this notebook; Jupyter Server's cull options",
    wrong_when=(
        "what lies on the card takes longer to make than the pause lasts",
        "the pause was spent reading results that the next cell goes on from",
    ),
)

LEAST_IDLE_S = 300.0
"""Seconds without a cell: the catalogue's five minutes. Who reads a result and types the next cell takes less."""

LEAST_HELD_B = GIB
"""A CUDA context alone takes 300 to 600 MiB."""

LEAST_TENSORS_B = 64 * 2**20
"""PyTorch keeps some tens of MiB whatever is released."""


def check(cell: CellContext) -> Iterator[Found]:
    """A pause before the cell, with memory held on a board whose idle watts were read."""
    if cell.idle_before_s < LEAST_IDLE_S or cell.machine is None:
        return
    tensors_b = sum(it.allocated_b for it in cell.torch.cuda) if cell.torch is not None else 0
    for gpu in cell.machine.gpus:
        held_b = gpu.held_b or 0
        if gpu.idle_w is not None and (held_b >= LEAST_HELD_B or tensors_b >= LEAST_TENSORS_B):
            yield _found(cell, gpu, gpu.idle_w, max(held_b, tensors_b))


def _found(cell: CellContext, gpu: GpuSeen, idle_w: float, held_b: int) -> Found:
    minutes = cell.idle_before_s / 60
    code = ""
    if cell.torch is not None:
        code = (
            "import gc\nimport torch\n# first delete what you no longer need on the card: del model, batch\n"
            "gc.collect()\ntorch.cuda.empty_cache()"
        )
    return Found(
        evidence=(
            evidence("pause before the cell", cell.idle_before_s, "s"),
            evidence("memory held", held_b, "B"),
            evidence("power at its end", idle_w, "W"),
            evidence("pause times that power", idle_w * cell.idle_before_s, "J"),
        ),
        text=(
            f"For {minutes:.0f} minutes nothing ran, while this kernel held {gib(held_b)} on {gpu.label}, which drew "
            f"{idle_w:.0f} W. Release it before long pauses, or shut the kernel down."
        ),
        code=code,
        share=0.0,  # the pause is no part of the cell
        subject=gpu.label,
    )
