"""The card's memory is full at the smallest batch: checkpointing makes room for a larger one

**Seen.** Training with a batch of a few samples on a card whose memory ran out, or of which more than 90 %
were reserved.

**Why.** So small a batch leaves most of the card's units idle while it draws most of its power. What fills
the memory is what forward keeps for backward. Checkpointing keeps less of it and computes it again.

**Change.** Put `torch.utils.checkpoint` around the blocks of the model, and give the batch the room that this
frees. By itself it **costs** energy, a second forward pass: it saves only if the larger batch saves more.

**Not where.** Where the batch stays as it is. First try bf16 autocast, which halves what is kept. Sequences
that can be shortened need no checkpoints.

**Check.** Joules per sample, not per step, before and after, with the larger batch.

**Sources.** [torch.utils.checkpoint](https://docs.pytorch.org/docs/stable/checkpoint.html), which recommends
`use_reentrant=False`; 90 % is the threshold of [PyTorch's profiler
plug-in](https://github.com/pytorch/kineto/tree/main/tb_plugin) for "memory usage".
"""

from __future__ import annotations

from collections.abc import Iterator

from greennb.advisor.base import Found, evidence
from greennb.advisor.rules.torch._loops import loader_of, trained
from greennb.advisor.rules.torch._shared import card, share, subject, variable
from greennb.advisor.rules.torch.smaller_batch import SMALL_BATCH, short
from greennb.advisor.signals.cell import CellContext
from greennb.advisor.signals.torch import CudaSeen
from greennb.model.finding import Rule, Severity

RULE = Rule(
    code="GNB215",
    name="Memory is full at a tiny batch: checkpointing",
    framework="torch",
    severity=Severity.NOTE,
    since="0.2",
    source="torch.utils.checkpoint; 90 % memory as in PyTorch's profiler plug-in (kineto)",
    wrong_when=("the batch stays as small as it is: a checkpoint alone costs energy",),
)

FULL = 0.9
"""Reserved share of the card's memory: kineto's threshold."""

STEPS = 20
"""Steps below which nothing is said. Our choice: a trial run of a few steps is no training."""

SECONDS = 2.0
"""Seconds of training below which nothing is said. Our choice."""


def check(cell: CellContext) -> Iterator[Found]:
    """Training with a tiny batch on a full card."""
    for optimizer, model in trained(cell, steps=STEPS, seconds=SECONDS):
        seen = card(cell, optimizer.device)
        loader = loader_of(cell, optimizer)
        batch = loader.batch_size if loader is not None else None
        if seen is None or not _full(seen) or batch is None or batch > SMALL_BATCH:
            continue
        yield Found(
            evidence=(
                evidence("batch", batch, "rows"),
                evidence("reserved on the card", seen.peak_b, "B"),
                evidence("memory of the card", seen.total_b, "B"),
                evidence("median step", optimizer.step_s * 1e3, "ms"),
            ),
            text=f"{subject(model or optimizer)} fills {seen.name} with {batch} samples a step. Checkpointing its "
            "blocks makes room for a larger batch; alone, without one, it costs energy.",
            code=_code(variable(model, "model")),
            share=share(cell, optimizer.seconds),
            subject=subject(model or optimizer),
        )


def _full(seen: CudaSeen) -> bool:
    return short(seen) or (seen.total_b > 0 and seen.peak_b > FULL * seen.total_b)


def _code(model: str) -> str:
    return f"""from torch.utils.checkpoint import checkpoint


def checkpointed(block):
    forward = block.forward
    block.forward = lambda *inputs: checkpoint(forward, *inputs, use_reentrant=False)


for block in {model}.children():  # the large blocks are enough; then a larger batch_size
    checkpointed(block)
"""
