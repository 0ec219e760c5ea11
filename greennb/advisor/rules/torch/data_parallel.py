"""DataParallel on several cards: one process copies the model to each of them in every step

**Seen.** A model wrapped in `nn.DataParallel` was trained with more than one card in use, for at least 20
steps.

**Why.** One process and its one interpreter lock feed all cards: each step it copies the weights to every
card, splits the batch, collects the outputs on the first card, and sums the gradients there. The other cards
wait at idle power, and the first one's memory sets the limit. With `DistributedDataParallel` each card has a
process of its own, and gradients are summed while backward still runs.

**Change.** Write the training as a script and start it with `torchrun`, one process a card; from a notebook,
`%%writefile` and `!torchrun`. If one card is enough for the batch, use one: the others then need not be
awake.

**Not where.**

- the work is so small that one card does it as well: drop the wrapper instead;
- each process sees its own part of the data: metrics and early stopping have to be gathered.

**Check.** Joules per sample over all cards, as `%%energy` has them, not seconds alone.

**Sources.** [PyTorch: use DistributedDataParallel instead of
DataParallel](https://docs.pytorch.org/docs/stable/notes/cuda.html#use-nn-parallel-distributeddataparallel-instead-of-multiprocessing-or-nn-dataparallel);
PyTorch's [profiler plug-in](https://github.com/pytorch/kineto/tree/main/tb_plugin) recommends it on the same
trigger.
"""

from __future__ import annotations

from collections.abc import Iterator

from greennb.advisor.base import Found, evidence
from greennb.advisor.rules.torch._loops import trained
from greennb.advisor.rules.torch._shared import FEW_STEPS, is_cuda, share, subject, variable
from greennb.advisor.signals.cell import CellContext
from greennb.model.finding import Rule, Severity

RULE = Rule(
    code="GNB225",
    name="DataParallel feeds several cards from one process",
    framework="torch",
    severity=Severity.ACT,
    since="0.2",
    source="PyTorch documentation, CUDA semantics; PyTorch's profiler plug-in (kineto)",
    wrong_when=("one card does the work as well: then drop the wrapper",),
)

SECONDS = 2.0
"""Seconds of training below which nothing is said: a script is more work than a setting. Our choice."""


def check(cell: CellContext) -> Iterator[Found]:
    """A wrapped model that was trained with more than one card in use."""
    for optimizer, model in trained(cell, steps=FEW_STEPS, seconds=SECONDS):
        cards = [card for card in cell.torch.cuda if card.allocated_b or card.peak_b] if cell.torch is not None else []
        if model is None or model.wrapper != "DataParallel" or not is_cuda(optimizer.device) or len(cards) < 2:
            continue
        yield Found(
            evidence=(
                evidence("cards in use", len(cards)),
                evidence("steps", optimizer.steps, "steps"),
                evidence("median step", optimizer.step_s * 1e3, "ms"),
                evidence("parameters copied to each card in each step", model.parameters),
            ),
            text=f"{subject(model)} is copied from one card to {len(cards) - 1} more in each of {optimizer.steps} "
            "steps by one process. A process for each card (DistributedDataParallel) keeps the weights where they are.",
            code=_code(variable(model, "model"), variable(optimizer, "optimizer"), optimizer.kind, len(cards)),
            share=share(cell, optimizer.seconds),
            subject=subject(model),
        )


def _code(model: str, optimizer: str, kind: str, cards: int) -> str:
    return f"""# train.py, started by: torchrun --nproc-per-node={cards} train.py
import os
import torch
from torch.nn.parallel import DistributedDataParallel
from torch.utils.data import DataLoader, DistributedSampler

torch.distributed.init_process_group("nccl")
rank = int(os.environ["LOCAL_RANK"])
torch.cuda.set_device(rank)
{model} = DistributedDataParallel({model}.to(rank), device_ids=[rank])  # what was inside DataParallel
{optimizer} = torch.optim.{kind}({model}.parameters())  # with the settings that you have
sampler = DistributedSampler(dataset)
loader = DataLoader(dataset, batch_size=batch_size // {cards}, sampler=sampler)
"""
