"""Scenes for trials of Keras: a notebook's namespace after a first cell, and a second cell as the advisor saw it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from greennb.advisor.signals.cell import CellContext
from greennb.advisor.signals.keras import InputSeen, KerasCall, KerasSignals, TapeSeen
from greennb.advisor.trial.ambient import Ambient
from greennb.advisor.trial.base import Pair, Scene, Stop
from greennb.advisor.trial.fingerprint import Fingerprint

DATA = """
import keras, numpy as np, tensorflow as tf
keras.utils.set_random_seed(3)
x = np.random.rand(256, 8).astype("float32")
y = x.sum(axis=1, keepdims=True)
"""
MODEL = """
model = keras.Sequential([keras.Input((8,)), keras.layers.Dense(16, activation="relu"), keras.layers.Dropout(0.1),
                          keras.layers.Dense(1)])
"""
COMPILE = 'model.compile("adam", "mse")\n'


def scene(
    setup: str, code: str, *, call: KerasCall | None = None, tape: bool = False, loop: InputSeen | None = None,
    stop: Stop | None = None, **signals: Any,
) -> Scene:  # fmt: skip
    """A notebook in which ``setup`` has run and ``code`` is what is tried."""
    namespace: dict[str, Any] = {"__name__": "__main__"}
    exec(setup, namespace)  # what a notebook does
    seen = KerasSignals(
        version="3", tensorflow="2", backend="tensorflow", calls=() if call is None else (call,),
        tape=TapeSeen(gradients=400) if tape else None, loops=() if loop is None else (loop,), **signals,
    )  # fmt: skip
    cell = CellContext(number=0, cell_id="a", execution_count=1, source=code, duration_s=1.0, keras=seen)
    return Scene(cell=cell, code=code, namespace=namespace, stop=stop or Stop(), budget_s=60.0)


def fitted(**more: Any) -> KerasCall:
    """A ``fit`` as the advisor saw it."""
    return KerasCall(**{"model": "Sequential", "name": "model", "steps": 3000, "seconds": 9.0} | more)


@contextmanager
def unchanged(it: Scene) -> Iterator[None]:
    """Everything that the cell reaches, and all around it, is afterwards as it was before, bit for bit."""
    ambient, before, names = Ambient.now(), Fingerprint.of(it.namespace, it.code), dict(it.namespace)
    try:
        yield
    finally:
        assert before.differences(Fingerprint.of(it.namespace, it.code)) == []
        assert ambient.differences(Ambient.now()) == []
        assert list(it.namespace) == list(names)
        assert all(it.namespace[name] is value for name, value in names.items())


@contextmanager
def closing(pair: Pair) -> Iterator[Pair]:
    """The pair, closed at the end."""
    try:
        yield pair
    finally:
        pair.baseline.close()
        pair.candidate.close()
