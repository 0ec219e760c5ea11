"""fit runs operation by operation: run_eagerly is on

**Seen.** A `fit` (or `evaluate`, `predict`) of a model whose `run_eagerly` is on, or under
`tf.config.run_functions_eagerly(True)`, over 20 steps and 1 s or more.

**Why.** Every operation of a step is then a call from Python by itself. That is for looking at values while searching
for a fault; for training it is work for the processor and waiting for a card.

**Change.** Compile without `run_eagerly=True`; take `tf.config.run_functions_eagerly(True)` out.

**Not where**

- a fault is being searched for;
- the model's own `train_step` or `call` needs Python's values, and can't be traced.

**Check.** The loss with the same seed; then the joules of an epoch, without the first: it compiles.

**Sources.** [Keras: compile](https://keras.io/api/models/model_training_apis/): "run_eagerly" is for debugging. The
floors are ours.
"""

from __future__ import annotations

from collections.abc import Iterator

from greennb.advisor.base import Found, evidence
from greennb.advisor.rules.keras._shared import FEW_STEPS, calls, share, subject, told, variable
from greennb.advisor.signals.cell import CellContext
from greennb.advisor.signals.keras import KerasCall
from greennb.model.finding import Rule, Severity
from greennb.views import format as fmt

RULE = Rule(
    code="GNB407",
    name="Turn run_eagerly off",
    framework="keras",
    severity=Severity.ACT,
    since="0.2",
    source="Keras documentation of compile",
    wrong_when=("a fault is being searched for", "the step needs Python's values and can't be traced"),
)

LEAST_S = 1.0
"""Seconds in the method below which nothing is said (ours): compiling takes about as long."""


def check(cell: CellContext) -> Iterator[Found]:
    """Methods that ran eagerly for long."""
    if cell.keras is None or cell.keras.backend == "torch":  # PyTorch is eager unless told otherwise
        return
    for method in ("fit", "evaluate", "predict"):
        for call in calls(cell, method, seconds=LEAST_S):
            if not (call.eager or cell.keras.functions_eagerly) or call.steps < FEW_STEPS:
                continue
            yield Found(
                evidence=(
                    evidence("steps", call.steps, "steps"),
                    evidence("step", 1e3 * call.steps_s / call.steps, "ms"),
                    evidence(f"seconds in {method}", call.seconds, "s"),
                ),
                text=f"{method} ran {call.steps:,} steps of {told(call)} operation by operation, "
                f"{fmt.seconds(call.steps_s / call.steps)} each: run_eagerly is for finding faults.",
                code=_code(call),
                share=share(cell, call.seconds),
                subject=subject(call),
            )
            break  # one finding a model is enough


def _code(call: KerasCall) -> str:
    if call.eager:
        return f"{variable(call, 'model')}.run_eagerly = False  # or compile without run_eagerly=True"
    return "tf.config.run_functions_eagerly(False)"
