"""Steps of a Keras model by Keras' own compiled function over its own pipeline, one after the other, without an end.

This is what ``fit`` does between two batches (Keras 3.15, ``TensorFlowTrainer.fit``): callbacks told, the function
called on an iterator. ``fit`` itself makes a new iterator each time, so that a shuffle buffer would be filled again in
every block and a cache would never be complete; here one iterator is drawn from as long as the way lives.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator
from typing import Any

from greennb.advisor.trial.base import RefusedError

FUNCTIONS = {"fit": ("train", "make_train_function"), "evaluate": ("test", "make_test_function")}
"""What the steps of a method are called in Keras' callbacks, and what makes their function."""

BATCH = 32
"""Keras' own batch size for arrays (documentation of ``fit``)."""


def trainer() -> Any:
    """Keras' module for training with TensorFlow.

    Raises:
        RefusedError: there is none in this version.
    """
    module = sys.modules.get("keras.src.backend.tensorflow.trainer")
    if module is None or not hasattr(module, "TFEpochIterator"):
        raise RefusedError("This version of Keras is built otherwise than those that can be tried (3.0 to 3.15).")
    return module


class Steps:
    """Steps of one model, by one method, on one call's data.

    Args:
        model: a copy; it is trained.
        method: "fit" or "evaluate".
        given: the call's arguments by name.

    Attributes:
        rows: samples in a step, the mean over an epoch; 1.0 where the data don't say.
        at_once: steps that one call of the function takes.
        pipeline: whether the data are a tf.data pipeline, which may work ahead.

    Raises:
        RefusedError: such data can't be gone through again and again.
    """

    def __init__(self, model: Any, method: str, given: dict[str, Any]) -> None:
        step, maker = FUNCTIONS[method]
        self.model = model
        self._data = _data(given)
        self.at_once = int(model.steps_per_execution or 1)
        self.rows = _rows(self._data)
        self.pipeline = hasattr(self._data["x"], "element_spec")
        self._method = method
        self._callbacks = sys.modules["keras"].callbacks.CallbackList(None, add_history=True, model=model)
        self._begin = getattr(self._callbacks, f"on_{step}_batch_begin")
        self._end = getattr(self._callbacks, f"on_{step}_batch_end")
        getattr(model, maker)()
        self._function = getattr(model, f"{step}_function")
        self._iterator: Any = None
        self._logs: Any = None
        self._taken = 0

    def dataset(self) -> Any:
        """The pipeline, once through, as Keras makes it of the call's data."""
        epoch = trainer().TFEpochIterator(
            **self._data, distribute_strategy=self.model.distribute_strategy, steps_per_execution=self.at_once
        )
        return epoch._distributed_dataset

    def build(self) -> None:
        """Make the variables of a model that has none yet, by a first batch; nothing is learned from it."""
        if not self.model.built:
            batch = next(iter(self.dataset().take(1)))
            x, _y, _weight = sys.modules["keras"].utils.unpack_x_y_sample_weight(batch)
            self.model(x, training=False)
        optimizer = self.model.optimizer
        if self._method == "fit" and optimizer is not None and not optimizer.built:
            optimizer.build(self.model.trainable_variables)

    def take(self) -> int:
        """One call of the function; how many steps that was."""
        if self._iterator is None:
            self._iterator = iter(self.dataset().repeat())
        self._begin(self._taken)
        self._logs = self._function(self._iterator)
        self._taken += self.at_once
        self._end(self._taken - 1, self._logs)
        return self.at_once

    def once_through(self) -> Iterator[None]:
        """One pass over all data from where the iterator stands, step by step."""
        size = int(self.dataset().cardinality().numpy())
        if size < 0:  # infinite, or not known before it was gone through
            raise RefusedError(
                "How many batches a pass over the data has is not known here, and a cache is full after one: give the "
                "pipeline an end (take, or assert_cardinality)."
            )
        for _ in range(math.ceil(size / self.at_once) + 1):
            self.take()
            yield

    def settle(self) -> None:
        """Wait for the device."""
        for value in (self._logs or {}).values() if isinstance(self._logs, dict) else ():
            if hasattr(value, "numpy"):
                value.numpy()

    def losses(self, count: int) -> list[float]:
        """The losses of the next batches, each by itself; from a new iterator over the data, so from its beginning."""
        losses = []
        for batch in self.dataset().repeat().take(count):
            self.model.reset_metrics()
            logs = self._function(iter([batch]))
            losses.append(float(logs["loss"]))
        return losses


def _data(given: dict[str, Any]) -> dict[str, Any]:
    """What of a call's arguments makes its data."""
    x, y, weight = given.get("x"), given.get("y"), given.get("sample_weight")
    _refuse(x)
    split = given.get("validation_split") or 0.0
    if split and given.get("validation_data") is None:
        (x, y, weight), _held_out = trainer().array_slicing.train_validation_split(
            (x, y, weight), validation_split=split
        )
    found = {"x": x, "y": y, "sample_weight": weight, "batch_size": given.get("batch_size")}
    if "class_weight" in given:
        found["class_weight"] = given["class_weight"]
    if "shuffle" in given:
        found["shuffle"] = given["shuffle"]
    return found


def _refuse(x: Any) -> None:
    """Say in words which data can be gone through once only, or not by copies.

    Raises:
        RefusedError: these can't.
    """
    kinds = {it.__name__ for it in type(x).__mro__}
    if hasattr(x, "__next__"):
        raise RefusedError(
            "The data come from a generator or an iterator, which is used up by a first way and has nothing left for "
            "the second: give arrays, or a tf.data.Dataset (from_generator)."
        )
    if "PyDataset" in kinds:
        raise RefusedError(
            "The data come from a PyDataset, whose workers are not copied: give arrays or a tf.data.Dataset."
        )
    if "DistributedDataset" in kinds or "DataLoader" in kinds:
        raise RefusedError(f"Data of the kind {type(x).__name__} can't be gone through by two ways: give a Dataset.")


def _rows(data: dict[str, Any]) -> float:
    x = data["x"]
    while isinstance(x, list | tuple | dict) and x:
        x = next(iter(x.values())) if isinstance(x, dict) else x[0]
    if hasattr(x, "element_spec"):
        return _rows_of(x.element_spec)
    try:
        count = len(x)
    except TypeError:
        return 1.0
    return count / math.ceil(count / (data["batch_size"] or BATCH)) if count else 1.0


def _rows_of(spec: Any) -> float:
    while isinstance(spec, list | tuple | dict) and spec:
        spec = next(iter(spec.values())) if isinstance(spec, dict) else spec[0]
    shape = getattr(spec, "shape", None)
    first = shape[0] if shape is not None and shape.rank else None
    return float(first) if first else 1.0
