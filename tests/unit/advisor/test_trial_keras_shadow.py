"""Shadow, surroundings and fingerprint with Keras and TensorFlow: copies are independent, leaks are named."""

from __future__ import annotations

import contextlib
import random
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from greennb.advisor.trial.ambient import Ambient
from greennb.advisor.trial.base import RefusedError
from greennb.advisor.trial.fingerprint import Fingerprint
from greennb.advisor.trial.shadow import Shadow

SOURCE = """
import keras, numpy as np, tensorflow as tf
keras.utils.set_random_seed(1)
class Scaled(keras.layers.Layer):
    calls = []
    def __init__(self): super().__init__(); self.scale = self.add_weight(shape=(), initializer="ones", name="scale")
    def call(self, x): return x * self.scale
model = keras.Sequential([
    keras.Input((4,)), keras.layers.Dense(8, "relu", name="first"), Scaled(), keras.layers.Dropout(0.5),
    keras.layers.Dense(1)
], name="net")
optimizer = keras.optimizers.Adam(0.01)
model.compile(optimizer, loss="mse")
x = np.random.default_rng(0).normal(size=(32, 4)).astype("float32")
y = x.sum(1, keepdims=True)
data = tf.data.Dataset.from_tensor_slices((x, y)).batch(8)
counter = tf.Variable(0)
losses = []

@tf.function
def step(a, b):
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean((model(a, training=True) - b) ** 2)
    grads = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(grads, model.trainable_variables))
    counter.assign_add(1)
    return loss

model.fit(x, y, epochs=1, verbose=0)
"""

FIT = "history = model.fit(x, y, epochs=2, batch_size=8, verbose=0, shuffle=False).history['loss']"

LOOP = """
for a, b in data:
    losses.append(float(step(a, b)))
"""


def notebook() -> dict[str, Any]:
    namespace: dict[str, Any] = {"__name__": "__main__"}
    exec(compile(SOURCE, "<cell 1>", "exec"), namespace)
    return namespace


@contextlib.contextmanager
def unchanged(namespace: dict[str, Any], code: str) -> Iterator[None]:
    before = Fingerprint.of(namespace, code)
    yield
    assert before.differences(Fingerprint.of(namespace, code)) == []


@pytest.mark.parametrize("code", [FIT, LOOP])
def test_training_copies_changes_nothing_and_gives_the_same_losses_twice(code: str) -> None:
    """Two shadows from one start see the same numbers to the last bit, and the user's are bit for bit as before."""
    namespace = notebook()
    if code == LOOP:
        exec(code, namespace)
    with unchanged(namespace, code):
        seen = []
        for _ in range(2):
            shadow = Shadow.of(namespace, code)
            with shadow.in_place() as names, Ambient.now().kept():
                keras.utils.set_random_seed(3)
                exec(compile(code, "<cell 2>", "exec"), names)
            seen.append(shadow.names["history" if code == FIT else "losses"])
            assert shadow.names["model"].optimizer is not namespace["model"].optimizer
            assert int(shadow.names.get("optimizer", shadow.names["model"].optimizer).iterations) > int(
                namespace["optimizer"].iterations
            )
    assert seen[0] == seen[1]


def test_a_tf_function_finds_the_copies_and_not_the_variables_it_was_traced_for() -> None:
    namespace = notebook()
    exec(LOOP, namespace)
    shadow = Shadow.of(namespace, LOOP)
    with shadow.in_place() as names, Ambient.now().kept():
        exec(LOOP, names)
    assert int(namespace["counter"]) == 4
    assert int(shadow.names["counter"]) == 8
    assert shadow.names["data"] is namespace["data"]


def test_an_iterator_over_a_pipeline_is_refused() -> None:
    namespace: dict[str, Any] = {"__name__": "__main__", "batches": iter(tf.data.Dataset.range(3))}
    with pytest.raises(RefusedError, match="iterator"):
        Shadow.of(namespace, "next(batches)")


LEAKS = {
    "model: weight net/first/kernel": "model.layers[0].kernel.assign(model.layers[0].kernel * 2)",
    "counter": "counter.assign_add(1)",
    "Scaled: class attribute calls": "Scaled.calls.append(1)",
    "the names that Keras gives": "keras.layers.Dense(3)",
    "the RNG of Keras": "keras.random.normal((2,))",
    "the RNG of TensorFlow": "tf.random.normal((2,))",
    "the dtype policy of Keras": "keras.config.set_dtype_policy('mixed_bfloat16')",
    "floatx of Keras": "keras.config.set_floatx('float64')",
    "whether TensorFlow runs functions eagerly": "tf.config.run_functions_eagerly(True)",
    "TensorFlow's global generator": "tf.random.get_global_generator().normal((2,))",
}


@pytest.mark.parametrize("words", LEAKS)
def test_a_planted_leak_is_named_and_what_surrounds_is_put_back(words: str) -> None:
    namespace = notebook()
    keras.random.normal((2,))
    tf.random.get_global_generator().normal((2,))
    code = f"{FIT}; counter"
    ambient, before = Ambient.now(), Fingerprint.of(namespace, code)
    assert before.differences(Fingerprint.of(namespace, code)) == []
    exec(LEAKS[words], namespace)
    assert words in before.differences(Fingerprint.of(namespace, code))
    ambient.restore()
    assert ambient.differences(Ambient.now()) == []


def test_random_numbers_go_on_where_they_were() -> None:
    keras.utils.set_random_seed(5)

    def numbers() -> tuple[float, ...]:
        return (
            random.random(), float(np.random.rand()), float(tf.random.uniform(())), float(keras.random.uniform(())),
            float(tf.random.get_global_generator().uniform(())),
        )  # fmt: skip

    numbers()
    before = Ambient.random()
    expected = numbers(), numbers()
    before.restore()
    assert (numbers(), numbers()) == expected


def test_tensorflow_that_is_only_imported_does_not_change_by_looking() -> None:
    """Its context is made by the first question: a trial of another framework's cell would be void for that."""
    code = (
        "import tensorflow, random\n"
        "from greennb.advisor.trial.ambient import Ambient\n"
        "before = Ambient.now()\n"
        "random.random()\n"
        "assert before.differences(Ambient.now()) == ['the RNG of random']\n"
        "before.restore()\n"
        "assert before.differences(Ambient.now()) == []\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)
