"""What the Keras observer costs. ``python tests/bench/advisor_keras.py`` prints a table, ``--json`` the numbers.

Both sides run in one process, in blocks of ABBA order, each block a cell of its own: with the observer installed, and
its cell begun and ended within the block, and without. The median over pairs of blocks is what counts. What the
observer itself adds to a step is also measured alone, without TensorFlow's noise: the time of its two hooks.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import keras
import numpy as np
import tensorflow as tf

from greennb.advisor.names import Names
from greennb.advisor.observe.keras.observer import KerasObserver
from greennb.advisor.observe.keras.rings import Steps


@dataclass(frozen=True)
class Row:
    """One line: microseconds a step without the observer, and what it adds, with the middle half of the blocks."""

    what: str
    alone_us: float
    added_us: float
    low_us: float
    high_us: float

    @property
    def added_percent(self) -> float:
        """Of a step without us."""
        return 100 * self.added_us / self.alone_us


def network(width: int) -> keras.Model:
    """A small dense network."""
    layers = [keras.layers.Input((32,)), keras.layers.Dense(width, activation="relu"), keras.layers.Dense(10)]
    made = keras.Sequential(layers)
    made.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    return made


def works() -> dict[str, tuple[Callable[[], object], int]]:
    """What is timed, each with its steps."""
    rng = np.random.default_rng(0)
    x, y = rng.random((6400, 32), dtype="float32"), rng.integers(0, 10, 6400)
    pipeline = tf.data.Dataset.from_tensor_slices((x, y)).batch(32).prefetch(tf.data.AUTOTUNE)
    small, wide, asked, looped = network(16), network(1024), network(16), network(16)
    optimizer, loss_fn = keras.optimizers.SGD(), keras.losses.SparseCategoricalCrossentropy(from_logits=True)

    @tf.function
    def step(a: tf.Tensor, b: tf.Tensor) -> None:
        with tf.GradientTape() as tape:
            loss = loss_fn(b, looped(a, training=True))
        gradients = tape.gradient(loss, looped.trainable_variables)
        optimizer.apply_gradients(zip(gradients, looped.trainable_variables, strict=True))

    def loop() -> None:
        for a, b in pipeline:
            step(a, b)

    def eager() -> None:
        weight = tf.Variable(tf.ones((32, 10)))
        for a, _ in pipeline.take(50):
            with tf.GradientTape() as tape:
                loss = tf.reduce_sum(a @ weight)
            tape.gradient(loss, weight)

    def ask() -> None:
        for _ in range(10):
            asked.predict(x[:1], verbose=0)

    return {
        "fit, arrays, small steps": (lambda: small.fit(x, y, batch_size=32, verbose=0), 200),
        "fit, arrays, wide": (lambda: wide.fit(x, y, batch_size=64, verbose=0), 100),
        "fit, tf.data, small steps": (lambda: small.fit(pipeline, shuffle=False, verbose=0), 200),
        "predict, a row (a call)": (ask, 10),
        "loop over tf.data, traced": (loop, 200),
        "eager tape": (eager, 50),
    }


def paired(act: Callable[[], object], steps: int, blocks: int) -> tuple[list[float], list[float]]:
    """Seconds a step of ``blocks`` blocks without and with the observer, in ABBA order."""
    observer = KerasObserver()

    def block(watched: bool) -> float:
        if watched:
            observer.install(_failed)
            observer.begin()
        begun = time.perf_counter()
        act()
        if watched:
            observer.end(Names({}))
        seconds = time.perf_counter() - begun
        observer.remove()
        return seconds / steps

    act()
    times: dict[bool, list[float]] = {False: [], True: []}
    for number in range(blocks):
        for watched in (False, True) if number % 2 == 0 else (True, False):
            times[watched].append(block(watched))
    return times[False], times[True]


def _failed(error: BaseException) -> None:
    raise SystemExit(f"the observer failed: {error!r}")


def hooks(step_us: float) -> Row:
    """The begin and the end of a step by themselves, beside a step of ``step_us``."""
    steps, rounds = Steps(), 20_000
    taken = []
    for _ in range(15):
        begun = time.perf_counter()
        for _ in range(rounds):
            steps.begin()
            steps.end()
        taken.append((time.perf_counter() - begun) / rounds * 1e6)
    low, middle, high = statistics.quantiles(taken, n=4)
    return Row("the two hooks of a small step, by themselves", step_us, middle, low, high)


def rows(blocks: int) -> list[Row]:
    """The whole table."""
    table: list[Row] = []
    for what, (act, steps) in works().items():
        alone, watched = paired(act, steps, blocks)
        added = [1e6 * (b - a) for a, b in zip(alone, watched, strict=True)]
        low, middle, high = statistics.quantiles(added, n=4)
        table.append(Row(what, 1e6 * statistics.median(alone), middle, low, high))
    return [hooks(min(row.alone_us for row in table if row.what.startswith("fit"))), *table]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--blocks", type=int, default=20, help="pairs of blocks (20)")
    parser.add_argument("--json", action="store_true", help="numbers")
    asked = parser.parse_args()
    table = rows(asked.blocks)
    if asked.json:
        print(json.dumps([asdict(row) for row in table], indent=1))
        return
    print(f"| what | a step alone | added | middle half |\n|---|---|---|---|\n{_lines(table)}")


def _lines(table: list[Row]) -> str:
    return "\n".join(
        f"| {row.what} | {row.alone_us:.0f} us | {row.added_us:+.1f} us ({row.added_percent:+.2f} %) "
        f"| {row.low_us:+.1f} to {row.high_us:+.1f} us |"
        for row in table
    )


if __name__ == "__main__":
    main()
