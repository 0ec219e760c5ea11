"""Copies of Keras models, optimizers, metrics and traced functions: joint, exact, apart, and Keras as it was."""

from __future__ import annotations

import copy
import sys
from typing import Any

import pytest

from greennb.advisor.trial.base import RefusedError
from greennb.advisor.trial.copies_keras import copyable, verify
from greennb.advisor.trial.shadow import Shadow
from tests.unit.advisor.keras_scenes import DATA

MODELS = {
    "sequential": "keras.Sequential([keras.Input((8,)), keras.layers.Dense(4), keras.layers.BatchNormalization(), "
    "keras.layers.Dropout(0.2), keras.layers.Dense(1)])",
    "not built": "keras.Sequential([keras.layers.Dense(4), keras.layers.Dense(1)])",
    "shared layers": "shared()",
    "own class": "Own()",
    "recurrent": "keras.Sequential([keras.Input((8,)), keras.layers.Reshape((8, 1)), keras.layers.LSTM(3), "
    "keras.layers.Dense(1, kernel_regularizer='l2')])",
}
SETUP = """
class Own(keras.Model):
    def __init__(self):
        super().__init__()
        self.parts = {"a": [keras.layers.Dense(4)], "b": keras.layers.Dense(1)}
        self.seen = keras.metrics.Mean()
    def call(self, x):
        return self.parts["b"](self.parts["a"][0](x))
    def train_step(self, data):
        logs = super().train_step(data)
        self.seen.update_state(logs["loss"])
        return logs

def shared():
    layer = keras.layers.Dense(8)
    given = keras.Input((8,))
    return keras.Model(given, keras.layers.Dense(1)(keras.layers.Add()([layer(given), layer(layer(given))])))
"""


def notebook(code: str) -> dict[str, Any]:
    namespace: dict[str, Any] = {"__name__": "__main__"}
    exec(DATA + SETUP + code, namespace)  # what a notebook does
    return namespace


def values(of: Any) -> list[bytes]:
    return [it.numpy().tobytes() for it in of.variables]


@pytest.mark.parametrize("trained", [False, True], ids=["new", "trained"])
@pytest.mark.parametrize("name", MODELS)
def test_a_copy_learns_what_the_original_would_and_leaves_it_alone(name: str, trained: bool) -> None:
    code = f"model = {MODELS[name]}\nmodel.compile(keras.optimizers.SGD(0.01, momentum=0.9), 'mse')\n"
    if trained:
        code += "model.fit(x, y, verbose=0)\n"
    namespace = notebook(code)
    model, x, y = (namespace[it] for it in ("model", "x", "y"))
    before = values(model), values(model.optimizer)
    shadow = Shadow.of(namespace, "model.fit(x, y)")
    made = shadow.names["model"]
    verify(model, made, "model")
    assert (values(made), values(made.optimizer)) == before

    def learn(it: Any) -> Any:
        sys.modules["keras"].utils.set_random_seed(5)
        return it.fit(x, y, verbose=0, epochs=2, shuffle=False).history

    with shadow.in_place():
        learned = learn(made)
    assert (values(model), values(model.optimizer)) == before
    assert learn(model) == learned
    assert values(made) == values(model)


def test_a_model_and_an_optimizer_of_its_own_are_copied_together_with_what_was_traced_for_them() -> None:
    namespace = notebook(
        f"model = {MODELS['sequential']}\n"
        "optimizer = keras.optimizers.Adam()\n"
        "metric = keras.metrics.Mean()\n"
        "class Trainer:\n"
        "    def __init__(self, model):\n"
        "        self.model = model\n"
        "    @tf.function\n"
        "    def step(self, a, b):\n"
        "        with tf.GradientTape() as tape:\n"
        "            loss = tf.reduce_mean((self.model(a, training=True) - b) ** 2)\n"
        "        optimizer.apply(tape.gradient(loss, self.model.trainable_variables), self.model.trainable_variables)\n"
        "        metric.update_state(loss)\n"
        "        return loss\n"
        "trainer = Trainer(model)\n"
        "trainer.step(x[:8], y[:8])\n"
    )
    users = [namespace[it] for it in ("model", "optimizer", "metric")]
    before = [values(it) for it in users]
    shadow = Shadow.of(namespace, "trainer.step(x[:8], y[:8])\nmodel")
    with shadow.in_place() as names:
        assert names["trainer"].model is names["model"]
        names["trainer"].step(names["x"][:8], names["y"][:8])
        assert all(values(names[it]) != old for it, old in zip(("model", "optimizer", "metric"), before, strict=True))
    assert [values(it) for it in users] == before


def test_keras_own_copies_are_as_before_outside_of_ours_also_after_an_error() -> None:
    namespace = notebook("layer = keras.layers.Dense(3)\n")
    owners = [it for it in type(namespace["layer"]).__mro__ if it.__name__ == "KerasSaveable"]
    limit = sys.getrecursionlimit()
    with copyable():
        assert "__deepcopy__" in vars(owners[0])
    with pytest.raises(ZeroDivisionError), copyable():
        _ = 1 / 0
    assert "__deepcopy__" not in vars(owners[0])
    assert sys.getrecursionlimit() == limit


def test_two_hundred_layers_in_a_chain_are_no_problem() -> None:
    namespace = notebook(
        "given = made = keras.Input((4,))\n"
        "for _ in range(200):\n"
        "    made = keras.layers.Dense(4)(made)\n"
        "model = keras.Model(given, made)\n"
    )
    with copyable():
        made = copy.deepcopy(namespace["model"])
    assert values(made) == values(namespace["model"])
    verify(namespace["model"], made, "model")


def test_an_iterator_over_a_pipeline_is_refused_and_a_pipeline_is_shared() -> None:
    namespace = notebook("ds = tf.data.Dataset.range(9)\nbatches = iter(ds)\n")
    assert Shadow.of(namespace, "ds").names["ds"] is namespace["ds"]
    with pytest.raises(RefusedError, match="iter"):
        Shadow.of(namespace, "next(batches)")
    assert int(next(namespace["batches"])) == 0


def test_what_is_no_copy_is_found() -> None:
    namespace = notebook(f"model = {MODELS['sequential']}\n")
    with pytest.raises(RefusedError, match="would not be independent"):
        verify(namespace["model"], namespace["model"], "model")
