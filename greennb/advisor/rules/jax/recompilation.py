"""The same function is compiled again and again

**Seen.** How often JAX compiled a function of one name in this cell, and the seconds that tracing and compiling took,
as JAX reports them to its own monitoring.

**Why.** JAX compiles a jitted function once for each combination of shapes, dtypes and static arguments. Compiling
takes a hundred to a thousand times as long as most steps take, and none of it is the computation that was wanted.

**Change.** Give the function the same shapes each time: drop or pad the last batch, pad sequences to a few lengths.
Make what changes with each call an array and not a static argument. Jit a function once, outside of the loop: each
new `jax.jit(lambda ...)` is a new function.

**Not where**

- each of the shapes is used often enough to be worth its compilation;
- several functions share the name: JAX tells no more than the name.

**Check.** `jax.config.update("jax_explain_cache_misses", True)` says why it compiled; then the joules of the cell.

**Sources.** [JAX: just-in-time compilation](https://docs.jax.dev/en/latest/jit-compilation.html) and
[`jax.monitoring`](https://docs.jax.dev/en/latest/jax.monitoring.html). The floors of 5 compilations, 1 s and 10 % of
the cell are ours.
"""

from __future__ import annotations

from collections.abc import Iterator

from greennb.advisor.base import Found, evidence
from greennb.advisor.signals.cell import CellContext
from greennb.model.finding import Rule, Severity
from greennb.views import format as fmt

RULE = Rule(
    code="GNB501",
    name="Stop compiling the same function again",
    framework="jax",
    severity=Severity.ACT,
    since="0.2",
    source="JAX documentation on just-in-time compilation",
    wrong_when=("each shape is used often enough", "several functions share the name"),
)

LEAST_TIMES = 5
"""Compilations of one name: the second or third is a last batch, or training and evaluation (ours)."""

LEAST_S = 1.0
"""Seconds of compiling that name below which nothing is said (ours)."""

LEAST_PART = 0.10
"""Part of the cell below which nothing is said (ours)."""


def check(cell: CellContext) -> Iterator[Found]:
    """Functions of the notebook's that were compiled often; JAX's own operations are its business."""
    if cell.jax is None:
        return
    for it in cell.jax.compiled:
        share = min(1.0, it.seconds / cell.duration_s) if cell.duration_s > 0 else 0.0
        if not it.own or it.times < LEAST_TIMES or it.seconds < LEAST_S or share < LEAST_PART:
            continue
        again = (it.times - 1) / it.times
        yield Found(
            evidence=(
                evidence("compilations", it.times, "calls"),
                evidence("seconds of compiling it", it.seconds, "s"),
                evidence("the cell", cell.duration_s, "s"),
            ),
            text=f"{it.name} was compiled {it.times:,} times in this cell, {fmt.seconds(it.seconds)} in all. Keep "
            "shapes and static arguments the same from call to call, and jit it once, outside of loops.",
            code='jax.config.update("jax_explain_cache_misses", True)  # JAX then says why it compiles',
            share=share * again,
            subject=it.name,
        )
