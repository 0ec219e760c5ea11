"""Batches are copied to the GPU from pageable memory

**Seen.** The loader gives batches in ordinary (pageable) memory and they are then copied to the GPU. The driver
copies such a batch into a pinned buffer first and the program waits for it. The finding says how many bytes were
moved in a step, and where steps were profiled, how long that took.

**Change.** `pin_memory=True` in the loader, which then pins in a thread of its own, and `.to(device,
non_blocking=True)`, so that the copy runs while the GPU still computes.

**Not where**

- there is no CUDA device: pinning is then nothing but another copy;
- main memory is short: pinned pages can't be swapped;
- the loader gives tensors that are on the GPU already.

**Check.** `%energy_compare` of an epoch; the profiler's `Memcpy HtoD (Pageable -> Device)` becomes `(Pinned ->
Device)`.

**Thresholds.** Copies take 10 % of a step where steps were profiled. Where they were not, 0.5 GB of batches a second
of training: pageable copies run at a few GB/s on PCIe, so that this is about the same tenth. Sources: PyTorch's
tutorial on [pinned memory and `non_blocking`](https://docs.pytorch.org/tutorials/intermediate/pinmem_nonblock.html);
[creedengo GCI102](https://github.com/green-code-initiative/creedengo-rules-specifications).
"""

from __future__ import annotations

from collections.abc import Iterator

from greennb.advisor.base import Found, evidence
from greennb.advisor.rules.torch._shared import (
    Loop,
    elements_b,
    is_cuda,
    loops,
    part,
    rebuilt,
    share,
    subject,
    variable,
)
from greennb.advisor.signals.cell import CellContext
from greennb.advisor.signals.torch import LoaderSeen
from greennb.model.finding import Evidence, Rule, Severity
from greennb.views import format as fmt

RULE = Rule(
    code="GNB203",
    name="Batches are copied to the GPU from pageable memory",
    framework="torch",
    severity=Severity.NOTE,
    since="0.2",
    source="PyTorch tutorial on pinned memory; creedengo GCI102",
    wrong_when=("there is no CUDA device", "main memory is short", "the data is on the GPU already"),
)

COPY_PART = 0.10
"""Part of the profiled time in copies from which pinning is worth its memory (creedengo's rule has none; ours)."""

BYTES_PER_S = 0.5e9
"""Bytes of batches in a second of training from which pageable copies (a few GB/s) take about a tenth of it (ours)."""

LEAST_S = 2.0
"""Seconds of training below which nothing is said (ours)."""


def check(cell: CellContext) -> Iterator[Found]:
    """Loops on a CUDA device whose loader gives batches that are not pinned."""
    if cell.torch is None:
        return
    for loop in loops(cell):
        loader, forwards = loop.loader, loop.forwards
        if loader is None or loader.pin_memory or loop.optimizer.seconds < LEAST_S or not is_cuda(loop.device):
            continue
        batch = None if forwards is None else forwards.batch
        if batch is None or not batch.from_cpu or batch.pinned:
            continue
        bytes_ = elements_b(batch.shape, batch.dtype)
        seen = [evidence("batch", bytes_, "B"), evidence("step", 1e3 * loop.step_s, "ms")]
        profiled = cell.torch.profiled
        if profiled is not None:
            copies = part(profiled.copy_s, profiled.total_s)
            seen.append(evidence("copies", 100 * copies, "%"))
            worth_it, at_stake = copies >= COPY_PART, copies
        else:
            worth_it, at_stake = bytes_ / loop.step_s >= BYTES_PER_S, COPY_PART
        if worth_it:
            yield _found(cell, loop, loader, tuple(seen), at_stake)


def _found(cell: CellContext, loop: Loop, loader: LoaderSeen, seen: tuple[Evidence, ...], at_stake: float) -> Found:
    megabytes = seen[0].value / 1e6
    name = variable(loader, "loader")
    return Found(
        evidence=seen,
        text=f"{subject(loader)} gives {megabytes:.3g} MB for each {fmt.seconds(loop.step_s)} step in pageable memory, "
        "and it is copied to the GPU while the program waits. Pin the batches, and copy without waiting.",
        code=f"{rebuilt(loader, pin_memory='True')}\n"
        f"for inputs, targets in {name}:\n"
        f'    inputs = inputs.to("{loop.device}", non_blocking=True)\n'
        f'    targets = targets.to("{loop.device}", non_blocking=True)',
        share=share(cell, at_stake * loop.optimizer.seconds),
        subject=subject(loader),
    )
