"""Short steps: starting each takes longer than computing it

**Seen.** Steps of `fit` below 2 ms, a thousand of them or more, and how much CPU time the thread that calls them
spent on each: that is Python and TensorFlow starting the step, not the step itself.

**Why.** A step of a small model on a small batch is over before its start has been paid for. A GPU waits meanwhile.

**Change.** `steps_per_execution=` in `compile`: so many steps are run in one call. The weights are updated after each
batch as before, so the training is the same; Keras calls callbacks once per call then, and shows the progress in
larger steps.

A larger batch would also help, and changes the training.

**Not where**

- a callback must see every batch (this rule is silent where one of yours does);
- steps are long: tried on a 2-core machine (TensorFlow 2.21), steps of 5 ms became slower in the loop that this
  makes, steps of 1 ms quicker;
- with the PyTorch backend, which has no such thing.

**Check.** The joules of an epoch before and after, without the first: it compiles, and this compiles longer.

**Sources.** [Keras: compile](https://keras.io/api/models/model_training_apis/). TensorFlow's
[profiler](https://www.tensorflow.org/guide/profiler) finds 15 % of a step in launching worth acting on; the 40 %
here, of CPU time, are ours, and so are 2 ms and the number of steps.
"""

from __future__ import annotations

from collections.abc import Iterator

from greennb.advisor.base import Found, evidence
from greennb.advisor.rules.keras._shared import calls, opens, own_s, part, share, subject, variable
from greennb.advisor.signals.cell import CellContext
from greennb.advisor.signals.keras import KerasCall
from greennb.model.finding import Rule, Severity
from greennb.views import format as fmt

RULE = Rule(
    code="GNB403",
    name="Run several steps in one call",
    framework="keras",
    severity=Severity.NOTE,
    since="0.2",
    source="Keras documentation of compile; TensorFlow's profiler on launching; tried with Keras 3.15",
    wrong_when=("a callback must see every batch", "steps are long", "the backend is PyTorch"),
)

MOST_STEP_S = 0.002
"""Seconds of a step, begin to begin, above which nothing is said (ours, tried)."""

LEAST_HOST = 0.40
"""Part of a step that the calling thread computes, from which starting steps is what the time goes to (ours, tried)."""

LEAST_STEPS = 1000
"""Steps below which nothing is said: compiling the loop takes a second or so (ours)."""

LEAST_S = 1.0
"""Seconds of steps below which nothing is said (ours)."""


def check(cell: CellContext) -> Iterator[Found]:
    """Fits of short steps, mostly spent in starting them."""
    for call in calls(cell, "fit", seconds=LEAST_S):
        turn_s = call.step_s + call.wait_s
        if not _applies(cell, call) or not 0 < turn_s <= MOST_STEP_S or part(call.host_s, turn_s) < LEAST_HOST:
            continue
        name = variable(call, "model")
        yield Found(
            evidence=(
                evidence("step", 1e3 * turn_s, "ms"),
                evidence("of that on the calling thread", 1e3 * call.host_s, "ms"),
                evidence("steps", call.steps, "steps"),
            ),
            text=f"{opens(call)} took {call.steps:,} steps of {fmt.seconds(turn_s)}, and "
            f"starting one took the calling thread {fmt.seconds(call.host_s)}. Let one call run several steps.",
            code=f"{name}.compile({name}.optimizer, loss={name}.loss, steps_per_execution=16)  # and your metrics",
            share=share(cell, min(own_s(call), call.steps * call.host_s)),
            subject=subject(call),
        )


def _applies(cell: CellContext, call: KerasCall) -> bool:
    backend = "" if cell.keras is None else cell.keras.backend
    return (
        backend in ("tensorflow", "jax")
        and call.steps_per_execution == 1
        and not call.eager
        and not call.batch_callbacks
        and call.steps >= LEAST_STEPS
    )
