"""Keras and TensorFlow give, to the bit, what they give without an observer: weights, losses, predictions, errors."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

WORK = """
import hashlib, json, os, sys, tempfile, traceback, warnings
import numpy as np

watched = sys.argv[1] == "watched"
observer = None
if watched:
    from greennb.advisor.observe.jax import JaxObserver
    from greennb.advisor.observe.keras.observer import KerasObserver
    from greennb.advisor.watch import Watch
    said = []
    watch = Watch([KerasObserver(), JaxObserver()], say=said.append)
    watch.install()  # before the import, as in a kernel

import keras

backend = keras.backend.backend()
if backend == "tensorflow":
    import tensorflow as tf
    tf.config.experimental.enable_op_determinism()
keras.utils.set_random_seed(3)
rng = np.random.default_rng(3)
x = rng.random((600, 12), dtype="float32")
y = rng.integers(0, 3, 600)
out = {}


def digest(arrays):
    whole = hashlib.sha256()
    for array in arrays:
        whole.update(np.ascontiguousarray(array).tobytes())
    return whole.hexdigest()


def model(**settings):
    layers = [keras.layers.Input((12,)), keras.layers.Dense(16, activation="relu"), keras.layers.Dropout(0.2)]
    made = keras.Sequential([*layers, keras.layers.Dense(3)])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    made.compile(keras.optimizers.Adam(), loss=loss, metrics=["accuracy"], **settings)
    return made


def record(name, made, history=None):
    out[name] = digest(made.get_weights())
    out[name + " predictions"] = digest([made.predict(x[:50], verbose=0)])
    out[name + " evaluated"] = made.evaluate(x, y, verbose=0)
    if history is not None:
        out[name + " history"] = history.history


class Seen(keras.callbacks.Callback):
    def __init__(self):
        super().__init__()
        self.logs = []

    def on_train_batch_end(self, batch, logs=None):
        self.logs.append((batch, dict(logs)))


class Raises(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        if batch == 3:
            raise ValueError("mine")


def trace(act):
    try:
        act()
    except Exception as error:
        frames = traceback.extract_tb(error.__traceback__)
        return [str(error)[:200], [(frame.filename, frame.name) for frame in frames]]
    return "nothing was raised"


def cell(act):
    if watched:
        watch.begin()
    act()
    if watched:
        from greennb.advisor.names import Names
        seen = watch.end(Names(globals()))
        assert not said, said
        signals.append(seen.get("keras"))


signals = []


def arrays():
    kinds = {"plain": {}, "executions": {"steps_per_execution": 4}, "eager": {"run_eagerly": True}}
    for name, settings in kinds.items():
        if backend == "torch" and name == "executions":
            continue
        made, seen = model(**settings), Seen()
        record(name, made, made.fit(x, y, batch_size=50, epochs=2, validation_split=0.2, callbacks=[seen], verbose=0))
        out[name + " batches"] = seen.logs


def errors():
    made = model()
    for filtering in (True, False):
        (keras.config.enable_traceback_filtering if filtering else keras.config.disable_traceback_filtering)()
        out[f"a callback raises {filtering}"] = trace(
            lambda: made.fit(x, y, batch_size=50, callbacks=[Raises()], verbose=0)
        )
        out[f"an unknown argument {filtering}"] = trace(lambda: made.fit(x, y, what=1))
        out[f"a wrong shape {filtering}"] = trace(lambda: made.predict(x[:, :5], verbose=0))
    keras.config.enable_traceback_filtering()
    made = model()  # Keras on JAX leaves a model whose fit was interrupted without its variables
    made.fit(x, y, verbose=0)
    out["signature"] = [str(__import__("inspect").signature(made.fit)), made.fit.__doc__]
    out["config"] = made.get_config()
    with tempfile.TemporaryDirectory() as folder:
        made.save(os.path.join(folder, "it.keras"))
        again = keras.models.load_model(os.path.join(folder, "it.keras"))
        out["loaded"] = digest(again.get_weights())


def pipelines():
    train = tf.data.Dataset.from_tensor_slices((x, y)).map(lambda a, b: (a * 2.0, b)).shuffle(600, seed=1)
    made = model()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        record("pipeline", made, made.fit(train.batch(50), epochs=2, validation_data=train.batch(100), verbose=0))
    out["warnings"] = [(str(it.message), it.filename, it.lineno) for it in caught]
    endless = train.repeat().batch(50)
    record("endless", made, made.fit(endless, epochs=2, steps_per_epoch=8, shuffle=False, verbose=0))
    options = tf.data.Options()
    options.autotune.enabled = False
    record("tuned off", made, made.fit(train.batch(50).with_options(options), shuffle=False, verbose=0))

    def broken(a, b):
        return tf.debugging.check_numerics(a / 0.0, "mine"), b

    out["a map raises"] = trace(lambda: made.fit(train.map(broken).batch(50), shuffle=False, verbose=0))
    out["a loop raises"] = trace(lambda: [None for _ in train.map(broken).batch(50)])
    with tempfile.TemporaryDirectory() as folder:
        tf.saved_model.save(made, folder)
        served = tf.saved_model.load(folder).signatures["serving_default"]
        out["saved model"] = digest([served(tf.constant(x[:20]))["output_0"]])


def loops():
    train = tf.data.Dataset.from_tensor_slices((x, y)).shuffle(600, seed=1).batch(50)
    loss_fn = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    for name, traced in {"eager loop": False, "traced loop": True}.items():
        made, optimizer = model(), keras.optimizers.SGD(0.1)

        def step(a, b):
            with tf.GradientTape(persistent=True) as tape:
                loss = loss_fn(b, made(a, training=True))
            gradients = tape.gradient(loss, made.trainable_variables)
            optimizer.apply_gradients(zip(gradients, made.trainable_variables))
            return loss

        step = tf.function(step) if traced else step
        out[name] = [float(step(a, b)) for _ in range(3) for a, b in train]
        record(name, made)

    @tf.function
    def within(data):
        total = tf.constant(0.0)
        for a, b in data:
            with tf.GradientTape() as tape:
                tape.watch(a)
                value = tf.reduce_sum(a * a)
            total += tf.reduce_sum(tape.gradient(value, a))
        return total

    out["a loop in the graph"] = float(within(train))
    out["first"] = digest(next(iter(train)))


for act in (arrays, errors, *((pipelines, loops) if backend == "tensorflow" else ())):
    cell(act)
out["numpy"] = digest([np.random.get_state()[1]])
out["keras rng"] = digest([keras.random.uniform((5,))])
if backend == "tensorflow":
    out["tf rng"] = digest([tf.random.uniform((5,))])
if watched:
    watch.remove()
    kinds = [None if it is None else sorted({call.method for call in it.calls}) for it in signals]
    assert kinds[0] == ["evaluate", "fit", "predict"], kinds
    if backend == "tensorflow":
        assert signals[3].tape.gradients == 36, signals[3]
        assert signals[3].loops, signals[3]
print("RESULT" + json.dumps(out, default=str))
"""


def run(script: Path, how: str, backend: str) -> dict[str, object]:
    made = subprocess.run(
        [sys.executable, str(script), how],
        cwd=ROOT,
        env={**os.environ, "KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert made.returncode == 0, made.stderr[-4000:]
    return dict(json.loads(made.stdout.split("RESULT", 1)[1]))


@pytest.mark.parametrize("backend", ["tensorflow", "torch", "jax"])
def test_results_errors_and_random_numbers_are_those_without_an_observer(tmp_path: Path, backend: str) -> None:
    script = tmp_path / "work.py"
    script.write_text(WORK)
    with ThreadPoolExecutor() as pool:
        alone, watched = pool.map(lambda how: run(script, how, backend), ("alone", "watched"))
    assert {name for name in alone if alone[name] != watched.get(name)} == set()
    assert len(alone) > 15
