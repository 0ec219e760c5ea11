"""A number is fetched from the card in every step, and every step waits for it

**Seen.** `.item()`, `.cpu()`, `.tolist()`, `float(loss)` or `print(loss)` in the loop that trains, not under
an `if`; more than 100 steps of at most 50 ms on a CUDA device that had no kernel to run in at least 10 % of
the cell's time.

**Why.** PyTorch queues work for the card and runs ahead of it. To fetch a number it has to wait until the
card has done all that is queued, and only then can it queue the next step: in between the card idles, at a
power well above nothing.

**Change.** Add up on the card, with `detach()`, and fetch the sum every hundred steps or once an epoch.

**Not where.** The loop decides something from the number (early stopping, a NaN check). On a CPU there is no
queue and nothing to win: this rule is silent there.

**Check.** `torch.cuda.set_sync_debug_mode("warn")` names every place that waits. Then compare the joules of
an epoch.

**Sources.** [PyTorch's tuning guide](https://docs.pytorch.org/tutorials/recipes/recipes/tuning_guide.html),
"avoid unnecessary CPU-GPU synchronization";
[set_sync_debug_mode](https://docs.pytorch.org/docs/stable/generated/torch.cuda.set_sync_debug_mode.html).
"""

from __future__ import annotations

from collections.abc import Iterator

from greennb.advisor.base import Found, evidence
from greennb.advisor.rules.torch._loops import BUSY, trained, unused
from greennb.advisor.rules.torch._shared import share, subject
from greennb.advisor.signals.cell import CellContext
from greennb.advisor.signals.source import SourceFact, SourceSignals
from greennb.advisor.signals.torch import OptimizerSeen
from greennb.model.finding import Rule, Severity

RULE = Rule(
    code="GNB220",
    name="Every step waits for a number from the card",
    framework="torch",
    severity=Severity.NOTE,
    since="0.2",
    source="PyTorch tuning guide: avoid unnecessary CPU-GPU synchronization",
    wrong_when=("the loop decides something from the number in every step",),
)

STEPS = 100
"""More steps than this are needed: the advisor's catalogue, from the linters that have such a rule."""

SECONDS = 1.0
"""Seconds of training below which nothing is said. Our choice."""

STEP_S = 0.05
"""Longest median step: one wait (tens of microseconds and the time to queue a step) is lost in a longer one. Ours."""


def check(cell: CellContext) -> Iterator[Found]:
    """Short steps on a card that was not busy, and the source line that fetches; one finding for an optimizer."""
    fact = fetched_each_step(cell.code)
    if fact is None:
        return
    for optimizer, model in trained(cell, steps=STEPS + 1, seconds=SECONDS):
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
            text=f"Line {fact.line} (`{fact.text}`) makes each of {optimizer.steps} steps wait for the card. "
            "Add up on the card and fetch the sum now and then.",
            code=_code(fact, optimizer),
            share=idle * share(cell, optimizer.seconds),
            subject=subject(model or optimizer),
        )


def fetched_each_step(code: SourceSignals | None) -> SourceFact | None:
    """The first fetch in each step of a loss, or of what ``backward()`` is called on; none that is under an if."""
    steps = [fact for fact in code.of("backward") if fact.in_loop] if code is not None else []
    if code is None or not steps:
        return None
    depth = max(fact.loop_depth for fact in steps)
    names = {fact.name for fact in steps}
    return next(
        (
            fact
            for fact in code.of("item_in_loop")
            if not fact.guarded and fact.loop_depth >= depth and (fact.name in names or "loss" in fact.name.lower())
        ),
        None,
    )


def _code(fact: SourceFact, optimizer: OptimizerSeen) -> str:
    loss = fact.name if fact.name.isidentifier() else "loss"
    return f"""total = torch.zeros((), device="{optimizer.device}")  # before the loop
for step, (x, y) in enumerate(loader, 1):
    ...
    total += {loss}.detach()  # instead of line {fact.line}
    if step % 100 == 0:
        print(step, (total / step).item())
"""
