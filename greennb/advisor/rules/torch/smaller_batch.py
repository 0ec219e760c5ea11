"""The card's memory ran out: a smaller batch, with accumulation, does the same update

**Seen.** During training PyTorch's allocator could serve requests only after it had emptied its cache
(retries), or an allocation failed outright, while the batch was larger than a handful.

**Why.** A retry waits for the device, gives every cached block back to the driver and asks for it again: the
card idles meanwhile and draws its idle power and more. A failed allocation throws away all that the cell did.

**Change.** Halve the batch and accumulate the gradients of two of them before a step: the update sees as many
samples as before. Memory that is merely nearly full, without retries, is no fault: a full card is a busy
card.

**Not where.** BatchNorm takes its statistics from the smaller batch, so that results change a little;
sequences of varying length can be sorted by length instead; if another process fills the card, that is what
to look at.

**Check.** `torch.cuda.memory_stats()["num_alloc_retries"]` before and after the cell, and the joules of an
epoch.

**Sources.** retries and failed allocations are counters of [PyTorch's
allocator](https://docs.pytorch.org/docs/stable/generated/torch.cuda.memory.memory_stats.html).
"""

from __future__ import annotations

from collections.abc import Iterator

from greennb.advisor.base import Found, evidence
from greennb.advisor.rules.torch._loops import loader_of, trained
from greennb.advisor.rules.torch._shared import card, share, subject, variable
from greennb.advisor.signals.cell import CellContext
from greennb.advisor.signals.torch import CudaSeen
from greennb.model.finding import Rule, Severity

RULE = Rule(
    code="GNB214",
    name="Memory ran out: smaller batch with accumulation",
    framework="torch",
    severity=Severity.ACT,
    since="0.2",
    source="counters of PyTorch's CUDA allocator (torch.cuda.memory_stats)",
    wrong_when=("BatchNorm's statistics need the large batch", "another process fills the card"),
)

RETRIES = 3
"""Allocations that had to empty the cache first: one or two happen while a cell warms up. Our choice."""

SMALL_BATCH = 4
"""A batch up to this can hardly be halved with profit: checkpointing (GNB215) is for these."""


def check(cell: CellContext) -> Iterator[Found]:
    """Training on a card that ran out of memory, with a batch that can be halved."""
    for optimizer, model in trained(cell, steps=1, seconds=0.0):
        seen = card(cell, optimizer.device)
        loader = loader_of(cell, optimizer)
        batch = loader.batch_size if loader is not None else None
        if seen is None or not short(seen) or (batch is not None and batch <= SMALL_BATCH):
            continue
        yield Found(
            evidence=(
                evidence("allocations that emptied the cache first", seen.retries),
                evidence("reserved on the card", seen.peak_b, "B"),
                evidence("memory of the card", seen.total_b, "B"),
                *((evidence("batch", batch, "rows"),) if batch else ()),
            ),
            text=f"{seen.name} ran out of memory while {subject(model or optimizer)} was trained"
            f"{', and an allocation failed' if seen.oom else ''}. "
            "Halve the batch and let two of them make one step.",
            code=_code(variable(model, "model"), variable(optimizer, "optimizer"), variable(loader, "loader"), batch),
            share=share(cell, optimizer.seconds) if not seen.oom else 1.0,
            subject=subject(model or optimizer),
        )


def short(seen: CudaSeen) -> bool:
    """Whether the card's memory ran out in this cell."""
    return seen.oom or seen.retries >= RETRIES


def _code(model: str, optimizer: str, loader: str, batch: int | None) -> str:
    half = f"batch_size={batch // 2}" if batch else "half the batch_size"
    return f"""accumulate = 2  # and {half} in {loader}
for step, (x, y) in enumerate({loader}, 1):
    loss = criterion({model}(x.to("cuda")), y.to("cuda")) / accumulate
    loss.backward()
    if step % accumulate == 0:
        {optimizer}.step()
        {optimizer}.zero_grad()
"""
