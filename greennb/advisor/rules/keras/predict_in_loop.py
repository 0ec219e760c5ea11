"""predict is called for a row at a time

**Seen.** `model.predict` called twenty times or more in one cell with a few rows each, and how much of each call was
not the model's step: preparing an input pipeline, a progress bar, gathering the results.

**Why.** `predict` is made for many batches. For each call it builds a pipeline and an iterator, which takes
milliseconds whatever the model.

**Change.** Gather the rows and call `predict` once. Where they come one by one, call the model itself: `model(x,
training=False)`, whose result is a tensor.

**Not where**

- the rows do not fit into memory together: give `predict` a data set;
- each answer decides what is asked next: then the model itself is the one to call.

**Check.** The same predictions (to rounding: batches of another size may sum in another order); the joules of the
cell.

**Sources.** [Keras FAQ: the difference between `predict` and calling the
model](https://keras.io/getting_started/faq/#whats-the-difference-between-model-methods-predict-and-call). The floors
are ours.
"""

from __future__ import annotations

from collections.abc import Iterator

from greennb.advisor.base import Found, evidence
from greennb.advisor.rules.keras._shared import calls, part, share, subject, told, variable
from greennb.advisor.signals.cell import CellContext
from greennb.advisor.signals.keras import KerasCall
from greennb.model.finding import Rule, Severity
from greennb.views import format as fmt

RULE = Rule(
    code="GNB408",
    name="Predict many rows in one call",
    framework="keras",
    severity=Severity.ACT,
    since="0.2",
    source="Keras FAQ: predict and calling the model",
    wrong_when=("the rows do not fit into memory together",),
)

LEAST_CALLS = 20
"""Calls of predict on one model below which nothing is said (ours)."""

MOST_ROWS = 32
"""Rows a call above which it is a batch, and not a row in a loop: Keras' own batch (its default)."""

LEAST_OVERHEAD = 0.50
"""Part of a call outside of the model's step from which the calling is what the time goes to (ours)."""

LEAST_S = 0.5
"""Seconds of overhead below which nothing is said (ours)."""


def check(cell: CellContext) -> Iterator[Found]:
    """Models asked row by row."""
    for call in calls(cell, "predict", seconds=LEAST_S):
        over_s = max(0.0, call.seconds - call.steps_s)
        if not _by_row(call) or part(over_s, call.seconds) < LEAST_OVERHEAD or over_s < LEAST_S:
            continue
        rows = (call.rows or 0) / call.calls
        name = variable(call, "model")
        yield Found(
            evidence=(
                evidence("calls of predict", call.calls, "calls"),
                evidence("rows a call", rows, "rows"),
                evidence("a call", 1e3 * call.seconds / call.calls, "ms"),
                evidence("of that outside of the model's step", 1e3 * over_s / call.calls, "ms"),
            ),
            text=f"predict of {told(call)} was called {call.calls:,} times with {rows:.3g} "
            f"{'row' if rows == 1 else 'rows'} each; of a call's "
            f"{fmt.seconds(call.seconds / call.calls)}, {fmt.seconds(over_s / call.calls)} were not the model's step. "
            "Predict all rows at once, or call the model itself.",
            code=f"predictions = {name}.predict(rows)  # all rows in one array\n"
            f"prediction = {name}(row, training=False)  # or one at a time",
            share=share(cell, over_s),
            subject=subject(call),
        )


def _by_row(call: KerasCall) -> bool:
    return call.calls >= LEAST_CALLS and call.rows is not None and 0 < call.rows <= MOST_ROWS * call.calls
