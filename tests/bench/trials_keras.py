"""Trials of Keras variants on real cells, beside a long independent A/B of the same change written by hand.

    python tests/bench/trials_keras.py [--budget S] [--pairs N] [--only NAME]

Each row as in ``trials_torch.py``. The A/B knows nothing of trials (see ``independent.py``): its ``fit`` is Keras' own,
called again and again, its loop over a tape is a loop.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf
from independent import Work, a_b
from trial_table import table, told, tried

DATA = """
import keras
import numpy as np
import tensorflow as tf
keras.utils.set_random_seed(0)
x = np.random.rand(6400, 20).astype("float32")
y = (x.sum(axis=1) > 10).astype("float32")[:, None]
train_ds = tf.data.Dataset.from_tensor_slices((x, y)).batch(32)
loss_fn = keras.losses.BinaryCrossentropy(from_logits=True)
optimizer = keras.optimizers.Adam()
model = keras.Sequential([keras.layers.Input((20,)), keras.layers.Dense(32, activation="relu"), keras.layers.Dense(1)])
"""
COMPILED = DATA + 'model.compile("adam", loss_fn)\n'
EAGER = DATA + 'model.compile("adam", loss_fn, run_eagerly=True)\n'
WIDE = (
    DATA
    + """
model = keras.Sequential([keras.layers.Input((20,)), *[keras.layers.Dense(1024, activation="relu") for _ in range(3)],
                          keras.layers.Dense(1)])
model.compile("adam", loss_fn)
"""
)
TAPE = """
for xb, yb in train_ds:
    with tf.GradientTape() as tape:
        loss = loss_fn(yb, model(xb, training=True))
    gradients = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(gradients, model.trainable_variables))
"""
FIT = "model.fit(x, y, batch_size=32, epochs={epochs}, verbose=0)\n"

Own = dict[str, Any]
"""A notebook's objects of the A/B's own."""


@dataclass(frozen=True)
class Case:
    """One change on one piece of work; ``a`` and ``b`` do it by hand, given a notebook's objects of their own."""

    name: str
    code: str
    setup: str
    cell: str
    a: Callable[[Own], Work]
    b: Callable[[Own], Work]


def tape(own: Own, *, traced: bool) -> Work:
    """Forty steps over a gradient tape."""
    model, optimizer, loss_fn = own["model"], own["optimizer"], own["loss_fn"]
    batches = own["train_ds"].take(40)

    def step(xb: Any, yb: Any) -> Any:
        with tf.GradientTape() as seen:
            loss = loss_fn(yb, model(xb, training=True))
        gradients = seen.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
        return loss

    taken = tf.function(step) if traced else step

    def run() -> None:
        for xb, yb in batches:
            taken(xb, yb)

    return run


def fit(own: Own, *, rows: int = 6400, epochs: int = 1, **settings: Any) -> Work:
    """Keras' own ``fit``."""
    model = own["model"]
    model.compile("adam", own["loss_fn"], **settings)
    return lambda: model.fit(own["x"][:rows], own["y"][:rows], batch_size=32, epochs=epochs, verbose=0)


def mixed(own: Own) -> Work:
    """The same model, built under the policy."""
    keras.mixed_precision.set_global_policy("mixed_bfloat16")
    try:
        copied = dict(own)
        exec(WIDE, copied)
        for layer in copied["model"].layers[-1:]:
            layer.dtype_policy = "float32"
        return fit(copied, rows=640)
    finally:
        keras.mixed_precision.set_global_policy("float32")


def asked(own: Own, *, called: bool) -> Work:
    """One row."""
    model, row = own["model"], np.asarray(own["x"][:1])
    return (lambda: model(row, training=False).numpy()) if called else (lambda: model.predict(row, verbose=0))


ASKED = "scores = [model.predict(x[i : i + 1], verbose=0) for i in range(60)]\n"

CASES = (
    Case("tf.function, tape loop", "GNB405", DATA, TAPE,
         lambda own: tape(own, traced=False), lambda own: tape(own, traced=True)),
    Case("steps_per_execution=16, tiny model", "GNB403", COMPILED, FIT.format(epochs=5),
         lambda own: fit(own, epochs=5), lambda own: fit(own, epochs=5, steps_per_execution=16)),
    Case("run_eagerly off", "GNB407", EAGER, FIT.format(epochs=1),
         lambda own: fit(own, rows=1920, run_eagerly=True), lambda own: fit(own, rows=1920)),
    Case("call the model, row by row", "GNB408", COMPILED, ASKED,
         lambda own: asked(own, called=False), lambda own: asked(own, called=True)),
    Case("mixed precision, dense 1024", "GNB404", WIDE, FIT.format(epochs=1),
         lambda own: fit(own, rows=640), mixed),
)  # fmt: skip


def own(setup: str) -> Own:
    """A notebook of the A/B's own."""
    made: Own = {}
    exec(setup, made)
    return made


def row(case: Case, *, budget_s: float, pairs: int) -> str:
    """The trial of a case and its A/B."""
    trial, seconds = tried([case.setup, case.cell], case.code, budget_s=budget_s)
    answer = a_b(case.a(own(case.setup)), case.b(own(case.setup)), pairs=pairs) if pairs else None
    return told(case.name, trial, seconds, answer)


if __name__ == "__main__":
    table(__doc__, CASES, row)
