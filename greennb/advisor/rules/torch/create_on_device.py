"""Tensors are made on the CPU in every step and then moved to the card

**Seen.** `torch.zeros(...).to("cuda")` or the like in a loop of a cell that took at least 100 optimizer steps
on a CUDA device which had no kernel to run in at least 10 % of the time.

**Why.** The CPU fills the tensor and copies it over, from memory that is not pinned, so that the loop waits
for the copy. The card could have made it itself, without anything being moved.

**Change.** Say where: `torch.zeros(..., device="cuda")`; or make it once, before the loop.

**Not where.** Random numbers that have to be those of the CPU's generator: the card's are others for the same
seed.

**Check.** Profile a few steps: `Memcpy HtoD` should be gone. Then compare the joules of an epoch.

**Source.** [PyTorch's tuning guide](https://docs.pytorch.org/tutorials/recipes/recipes/tuning_guide.html),
"create tensors directly on the target device".
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from greennb.advisor.base import Found, evidence
from greennb.advisor.rules.torch._loops import BUSY, trained, unused
from greennb.advisor.rules.torch._shared import share, subject
from greennb.advisor.signals.cell import CellContext
from greennb.advisor.signals.source import SourceFact
from greennb.model.finding import Rule, Severity

RULE = Rule(
    code="GNB221",
    name="Tensors are made on the CPU and moved in every step",
    framework="torch",
    severity=Severity.NOTE,
    since="0.2",
    source="PyTorch tuning guide: create tensors directly on the target device",
    wrong_when=("the random numbers have to be those of the CPU's generator",),
)

STEPS = 100
"""Steps below which nothing is said. Our choice."""

SECONDS = 1.0
"""Seconds of training below which nothing is said. Our choice."""

STEP_S = 0.05
"""Longest median step: a copy of a small tensor is lost in a longer one. Our choice."""

MOVED = re.compile(r"^(?P<made>torch\.\w+\(.*)\)\.(?:to\((?P<where>[^()]*)\)|cuda\(\))$", re.DOTALL)
"""``torch.zeros(n).to("cuda")`` and ``torch.zeros(n).cuda()``, as the source has them."""


def check(cell: CellContext) -> Iterator[Found]:
    """Short steps on a card that was not busy, and the source line that makes and moves."""
    facts = cell.code.of("created_on_cpu") if cell.code is not None else ()
    fact = next((fact for fact in facts if fact.in_loop and not fact.guarded), None)
    if fact is None:
        return
    for optimizer, model in trained(cell, steps=STEPS, seconds=SECONDS):
        idle = unused(cell, optimizer.device)
        if idle is None or idle < 1 - BUSY or not 0 < optimizer.step_s <= STEP_S:
            continue
        yield Found(
            evidence=(
                evidence("steps", optimizer.steps, "steps"),
                evidence("median step", optimizer.step_s * 1e3, "ms"),
                evidence("time without a kernel on the card", idle * 100, "%"),
                evidence("line", fact.line),
            ),
            text=f"Line {fact.line} makes a tensor on the CPU and moves it, in a loop of {optimizer.steps} steps. "
            "The card can make it itself.",
            code=_code(fact),
            share=idle * share(cell, optimizer.seconds),
            subject=subject(model or optimizer),
        )


def _code(fact: SourceFact) -> str:
    found = MOVED.match(fact.text.strip())
    if found is None:
        return 'torch.zeros(8, device="cuda")  # instead of torch.zeros(8).to("cuda")\n'
    where = found["where"] or '"cuda"'
    comma = "" if found["made"].endswith("(") else ", "
    name = f"{fact.name} = " if fact.name.isidentifier() else ""
    return f"{name}{found['made']}{comma}device={where})\n"
