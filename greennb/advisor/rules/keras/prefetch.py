"""Each step waits while tf.data makes its batch

**Seen.** How long each step waited for its batch, beside the time of a whole step: in a loop of your own the time
inside `next()`; within `fit` what tf.data itself keeps of its run. And that nothing at the end of the pipeline works
ahead: neither a `prefetch` of yours nor one that tf.data has put there.

**Why.** The pipeline makes a batch only when it is asked for it, and the model's cores or its GPU wait meanwhile at
almost full idle power; then the pipeline waits for the model.

**Change.** `.prefetch(tf.data.AUTOTUNE)` as the last stage: the next batch is made while the model computes on this
one.

tf.data mostly does this by itself: it adds a prefetch where the last stage does not work ahead, and makes maps
parallel. So this is seldom said, and only where that was measured not to happen: with its optimizations or its
autotuning turned off (`apply_default_optimizations`, `inject_prefetch`, `autotune.enabled`), or in an older version.
Within `fit` and with autotuning off, tf.data keeps no account of its run: nothing can be said there.

**Not where**

- memory is short: batches wait in a buffer;
- all cores are busy with the model already: there is nothing left that could work ahead;
- the waiting is longer than the rest of the step: the pipeline itself must become faster then (see GNB402), and only
  the shorter of both can be hidden.

**Check.** The joules of an epoch before and after: `%energy_compare`.

**Sources.** [TensorFlow: better performance with
tf.data](https://www.tensorflow.org/guide/data_performance#prefetching); 5 % and 20 % of a step are what TensorFlow's
[profiler](https://www.tensorflow.org/guide/profiler) goes by; the floor in seconds is ours.
"""

from __future__ import annotations

from collections.abc import Iterator

from greennb.advisor.base import Found, evidence
from greennb.advisor.rules.keras._shared import ACT_PART, FEW_STEPS, NOTE_PART, part, share, subject, told, variable
from greennb.advisor.signals.cell import CellContext
from greennb.advisor.signals.keras import InputSeen
from greennb.model.finding import Rule, Severity
from greennb.views import format as fmt

RULE = Rule(
    code="GNB401",
    name="Prefetch the batches of tf.data",
    framework="keras",
    severity=Severity.ACT,
    since="0.2",
    source="TensorFlow guide on tf.data performance; 5 % and 20 % of a step as in TensorFlow's profiler",
    wrong_when=("memory is short", "all cores are busy with the model already"),
)

LEAST_S = 0.3
"""Seconds of waiting that could be hidden below which nothing is said (ours)."""

MOST_CPU = 0.90
"""Part of its CPUs' time that this process may have computed (as the advice on PyTorch's loaders has it)."""


def check(cell: CellContext) -> Iterator[Found]:
    """Pipelines without anything that works ahead, and a step that waits for them."""
    for seen, steps in _inputs(cell):
        if seen.wait_s is None or seen.step_s <= 0 or seen.prefetched or seen.run_ahead or steps < FEW_STEPS:
            continue
        if _is_busy(cell):
            continue  # every core computes already: nothing could work ahead
        hidden_s = min(seen.wait_s, seen.step_s - seen.wait_s)
        if part(hidden_s, seen.step_s) < NOTE_PART or hidden_s * steps < LEAST_S:
            continue
        waits = part(seen.wait_s, seen.step_s)
        name = variable(seen, "dataset")
        yield Found(
            evidence=(
                evidence("waiting for a batch", 1e3 * seen.wait_s, "ms"),
                evidence("step", 1e3 * seen.step_s, "ms"),
                evidence("waiting", 100 * waits, "%"),
                evidence("steps", steps, "steps"),
            ),
            text=f"Of each step's {fmt.seconds(seen.step_s)}, {fmt.seconds(seen.wait_s)} is waiting for {told(seen)}, "
            "where nothing works ahead. With a prefetch at its end the next batch is made while the model computes.",
            code=f"{name} = {name}.prefetch(tf.data.AUTOTUNE)  # as its last stage",
            share=share(cell, hidden_s * steps),
            subject=subject(seen),
            severity=None if waits >= ACT_PART else Severity.NOTE,
        )


def _is_busy(cell: CellContext) -> bool:
    machine = cell.machine
    return machine is not None and part(machine.cpu_s, cell.duration_s * machine.cpus) > MOST_CPU


def _inputs(cell: CellContext) -> Iterator[tuple[InputSeen, int]]:
    """Every pipeline of the cell with its steps."""
    if cell.keras is None:
        return
    for call in cell.keras.calls:
        if call.input is not None and call.input.kind == "tf.data":
            yield call.input, call.steps
    for loop in cell.keras.loops:
        if loop.run:  # without tf.data's account nobody knows whether it works ahead by itself
            yield loop, loop.batches
