"""The same map runs over the same data in every epoch

**Seen.** A tf.data pipeline whose first `map` draws no random numbers and calls no Python, without a `cache`, gone
through several times in one cell; how many seconds of work its maps took for each batch, by tf.data's own account;
and how large a batch is.

**Why.** What the map computes is the same in every epoch. From the second one on that work buys nothing.

**Change.** `.cache()` after what is the same each time and before what is random: after decoding and scaling; before
`shuffle`, augmentation, `batch` with its random order, and `prefetch`.

**Not where**

- the data do not fit into memory beside everything else: this rule speaks up only where all batches together take at
  most a quarter of it (`.cache(filename)` keeps them on disk);
- the map is not as fixed as it looks: it reads a variable that changes, or a file;
- a random stage would come before the cache: then every epoch sees the same augmentation.

**Check.** The joules of a later epoch before and after, not of the first one: it fills the cache.

**Sources.** [TensorFlow: better performance with tf.data](https://www.tensorflow.org/guide/data_performance#caching);
5 % and 20 % of a step are what TensorFlow's [profiler](https://www.tensorflow.org/guide/profiler) goes by for input;
the floors in epochs and seconds and the quarter of memory are ours.
"""

from __future__ import annotations

from collections.abc import Iterator

from greennb.advisor.base import Found, evidence
from greennb.advisor.rules.keras._shared import ACT_PART, FEW_STEPS, NOTE_PART, opens, part, share, subject, variable
from greennb.advisor.signals.cell import CellContext
from greennb.advisor.signals.keras import InputSeen
from greennb.model.finding import Rule, Severity
from greennb.views import format as fmt

RULE = Rule(
    code="GNB402",
    name="Cache what every epoch computes again",
    framework="keras",
    severity=Severity.ACT,
    since="0.2",
    source="TensorFlow guide on tf.data performance; 5 % and 20 % of a step as in TensorFlow's profiler",
    wrong_when=(
        "the data do not fit into memory",
        "the map reads what changes between epochs",
        "a random stage would come before the cache",
    ),
)

LEAST_EPOCHS = 3
"""Passes over the data: with two, only one would profit (ours)."""

LEAST_S = 0.5
"""Seconds of maps that were done again below which nothing is said (ours)."""

MOST_MEMORY = 0.25
"""Part of the memory that the cached data may take (ours)."""


def check(cell: CellContext) -> Iterator[Found]:
    """Pipelines whose fixed maps were run again and again."""
    memory_b = None if cell.machine is None else cell.machine.memory_b
    for seen, steps, epochs, step_s in _inputs(cell):
        if seen.cached or not seen.fixed_map or not seen.run or epochs < LEAST_EPOCHS or steps < FEW_STEPS:
            continue
        works = part(seen.map_s, step_s)
        again_s = seen.map_s * steps * (epochs - 1) / epochs
        if works < NOTE_PART or again_s < LEAST_S or memory_b is None or seen.batch_b is None:
            continue
        size_b = seen.batch_b * steps / epochs
        if size_b > MOST_MEMORY * memory_b:
            continue
        name = variable(seen, "dataset")
        yield Found(
            evidence=(
                evidence("work in maps for a batch", 1e3 * seen.map_s, "ms"),
                evidence("step", 1e3 * step_s, "ms"),
                evidence("passes over the data", epochs, "epochs"),
                evidence("done again", again_s, "s"),
                evidence("the data once through", size_b, "B"),
            ),
            text=f"{opens(seen)} computed the same map in {epochs} epochs: "
            f"{fmt.seconds(again_s)} of work, summed over threads, were done again. Put a cache after it, before "
            "anything random.",
            code=f"{name} = {name}.cache()  # after the fixed map; then shuffle, random augmentation, batch, prefetch",
            share=share(cell, again_s),
            subject=subject(seen),
            severity=None if works >= ACT_PART else Severity.NOTE,
        )


def _inputs(cell: CellContext) -> Iterator[tuple[InputSeen, int, int, float]]:
    """Every pipeline with its batches, its passes and the time of a step."""
    if cell.keras is None:
        return
    for call in cell.keras.calls:
        if call.method == "fit" and call.input is not None and call.steps_per_execution == 1:
            yield call.input, call.steps, call.epochs, call.step_s + call.wait_s
    for loop in cell.keras.loops:
        yield loop, loop.batches, loop.epochs, loop.step_s
