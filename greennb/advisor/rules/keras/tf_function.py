"""A training loop runs operation by operation

**Seen.** `GradientTape.gradient` asked for again and again outside of a `tf.function`, and how much of the time
between two of them the thread that asks was computing: Python starting one operation after the other.

**Why.** Run eagerly, every operation of a step, forward and backward, is a call from Python by itself. A traced
function is one call, and what is in it may run side by side and be joined.

**Change.** `@tf.function` on the function that does one step; where the loop stands in the cell itself, make such a
function. Give it tensors, not Python numbers: each new number would be traced again.

**Not where**

- the step has side effects in Python (printing, lists, early exits by value): those happen when it is traced, once;
- shapes change from step to step: give an `input_signature`, or it is traced again and again;
- the model is made anew in each step.

**Check.** The loss of the first 20 steps with the same seed; then the joules of an epoch.

**Sources.** [TensorFlow: better performance with tf.function](https://www.tensorflow.org/guide/function). The floors
of 50 gradients and 1 s, and of half a step on the calling thread, are ours.
"""

from __future__ import annotations

from collections.abc import Iterator

from greennb.advisor.base import Found, evidence
from greennb.advisor.rules.keras._shared import part, share
from greennb.advisor.signals.cell import CellContext
from greennb.model.finding import Rule, Severity
from greennb.views import format as fmt

RULE = Rule(
    code="GNB405",
    name="Trace the training step: tf.function",
    framework="keras",
    severity=Severity.ACT,
    since="0.2",
    source="TensorFlow guide on tf.function",
    wrong_when=("the step has side effects in Python", "shapes change from step to step"),
)

LEAST_GRADIENTS = 50
"""Eager gradients below which nothing is said (ours)."""

LEAST_S = 1.0
"""Seconds from the first to the last of them (ours): tracing takes about as long."""

LEAST_HOST = 0.50
"""Part of a step that the asking thread computes, below which this is a note only (ours).

A step whose operations are large is mostly waited for, and tracing it changes less.
"""


def check(cell: CellContext) -> Iterator[Found]:
    """Loops of eager gradients."""
    tape = None if cell.keras is None else cell.keras.tape
    if tape is None or tape.gradients < LEAST_GRADIENTS or tape.seconds < LEAST_S:
        return
    lines = () if cell.code is None else cell.code.of("tape_loop")
    where = f" (line {lines[0].line})" if len(lines) == 1 else ""
    yield Found(
        evidence=(
            evidence("gradients outside of a tf.function", tape.gradients, "calls"),
            evidence("from one to the next", 1e3 * tape.step_s, "ms"),
            evidence("of that on the calling thread", 1e3 * tape.host_s, "ms"),
            evidence("seconds", tape.seconds, "s"),
        ),
        text=f"The training loop{where} ran {tape.gradients:,} steps operation by operation, "
        f"{fmt.seconds(tape.step_s)} each. Put one step into a function and trace it.",
        code=_CODE,
        share=share(cell, tape.seconds),
        subject="training loop",
        severity=None if part(tape.host_s, tape.step_s) >= LEAST_HOST else Severity.NOTE,
    )


_CODE = """@tf.function
def train_step(x, y):
    with tf.GradientTape() as tape:
        loss = loss_fn(y, model(x, training=True))
    gradients = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(gradients, model.trainable_variables))
    return loss
"""
