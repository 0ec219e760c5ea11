"""Keras 3, whatever its backend, and TensorFlow: by their own methods, wrapped, with no callback added.

Keras' ``CallbackList`` is told of every step anyway; its methods are timed on their way in. A callback of ours would be
seen by Keras (it decides whether callbacks may run on another thread) and would have every step's logs made for it.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from time import perf_counter
from typing import Any

from greennb.advisor.base import Failed
from greennb.advisor.names import Names
from greennb.advisor.observe.keras.calls import LOOKS, Entry, Running, entry
from greennb.advisor.observe.keras.loops import Loops, Tapes, Traces, timed_next
from greennb.advisor.observe.keras.wrap import Method, Wraps, before, drop_frame
from greennb.advisor.signals.keras import KerasSignals

MOST_MODELS = 64
"""Pairs of model and method that are told apart in one cell."""

ARGUMENTS = {
    "fit": ("x", "y", "batch_size", "epochs"),
    "evaluate": ("x", "y", "batch_size"),
    "predict": ("x", "batch_size"),
}
"""The first parameters of the methods that are watched, in order."""

STEPS = {"fit": "train", "evaluate": "test", "predict": "predict"}
"""What CallbackList calls the steps of a method: ``on_train_batch_begin``."""


class _Here(threading.local):
    """The call that goes on in a thread, the outermost first."""

    def __init__(self) -> None:
        self.running: list[Running] = []


class KerasObserver:
    """Watches Keras 3 and TensorFlow."""

    name = "keras"
    modules = ("keras", "tensorflow")

    def __init__(self) -> None:
        self._wraps = Wraps()
        self._on = False
        self._failed: Failed = _ignore
        self._here = _Here()
        self._entries: dict[tuple[int, str], Entry] = {}
        self._dropped = 0
        self._lock = threading.Lock()
        self._loops, self._tapes, self._traces = Loops(), Tapes(), Traces()
        self._devices: tuple[tuple[str, ...], tuple[int, int]] | None = None

    def install(self, failed: Failed) -> None:
        """Wrap what is there of Keras and of TensorFlow; called again where the other arrives."""
        self._failed = failed
        self._on = True
        self._install_keras()
        self._install_tensorflow()

    def _install_keras(self) -> None:
        keras = sys.modules.get("keras")
        model = getattr(keras, "Model", None)
        callbacks = getattr(getattr(keras, "callbacks", None), "CallbackList", None)
        if model is None or callbacks is None or not str(getattr(keras, "__version__", "")).startswith("3."):
            return  # half imported, or Keras 2
        for method, step in STEPS.items():
            owner = next((it for it in model.__mro__ if method in vars(it)), None)
            if owner is None:
                continue
            self._wraps.wrap(owner, method, self._watched(method))
            self._wraps.wrap(callbacks, f"on_{step}_batch_begin", before(self._safely(_begin_step)))
            self._wraps.wrap(callbacks, f"on_{step}_batch_end", before(self._safely(_end_step)))
            self._wraps.wrap(callbacks, f"on_{step}_begin", before(self._safely(_take_callbacks)))
            self._wraps.wrap(callbacks, f"on_{step}_end", before(self._safely(lambda running, _list: running.ends())))
        self._wraps.wrap(callbacks, "on_epoch_begin", before(self._safely(_epoch)))

    def _install_tensorflow(self) -> None:
        if not hasattr(sys.modules.get("tensorflow"), "__version__"):
            return  # half imported
        backprop: Any = sys.modules.get("tensorflow.python.eager.backprop")
        iterators: Any = sys.modules.get("tensorflow.python.data.ops.iterator_ops")
        context = sys.modules.get("tensorflow.python.eager.context")
        eagerly = getattr(context, "executing_eagerly", None)
        if eagerly is not None and hasattr(backprop, "GradientTape"):
            self._wraps.wrap(backprop.GradientTape, "gradient", before(self._tape(eagerly)))
        if eagerly is not None and hasattr(iterators, "OwnedIterator"):
            owned = iterators.OwnedIterator
            self._wraps.wrap(owned, "_create_iterator", before(self._iterator))
            self._wraps.wrap(owned, "__next__", timed_next(self._loops, lambda: self._skips(eagerly), self._fail))

    def remove(self) -> None:
        """Give everything back."""
        self._on = False
        self._wraps.remove()
        self._clear()

    def begin(self) -> None:
        """A cell begins."""
        self._clear()

    def _clear(self) -> None:
        self._entries.clear()
        self._dropped = 0
        self._loops.clear()
        self._tapes.clear()

    def end(self, names: Names) -> KerasSignals | None:
        """What was seen in the cell; None for nothing."""
        with self._lock:
            calls = tuple(it.done(names) for it in self._entries.values())
        loops, tape = self._loops.signals(names), self._tapes.signal()
        retraces, retraced = self._traces.since(names)
        dropped = self._dropped
        self._clear()
        if not (calls or loops or tape or retraces):
            return None
        keras = sys.modules.get("keras")
        gpus, capability = self._gpus()
        return KerasSignals(
            version=str(getattr(keras, "__version__", "")),
            tensorflow=str(getattr(sys.modules.get("tensorflow"), "__version__", "")),
            backend=str(keras.backend.backend()) if calls and keras is not None else "",
            gpus=gpus,
            capability=capability,
            calls=tuple(sorted(calls, key=lambda it: it.seconds, reverse=True)),
            functions_eagerly=_functions_eagerly(),
            loops=loops,
            tape=tape,
            retraces=retraces,
            retraced=retraced,
            dropped=dropped,
        )

    def _watched(self, method: str) -> Callable[[Method], Method]:
        """Around a model's method."""

        def around(original: Method) -> Method:
            def watched(model: Any, *args: Any, **kwargs: Any) -> Any:
                if not self._on:
                    return original(model, *args, **kwargs)
                running = Running(method)
                self._here.running.append(running)
                try:
                    result = original(model, *args, **kwargs)
                except BaseException as error:
                    drop_frame(error)
                    self._leave(running, model, args, kwargs)
                    raise
                self._leave(running, model, args, kwargs)
                return result

            return watched

        return around

    def _leave(self, running: Running, model: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        seconds = perf_counter() - running.t0_s
        stack = self._here.running
        del stack[stack.index(running) :]
        try:
            if stack:
                stack[-1].nested_s += seconds
            else:
                self._book(running, model, dict(zip(ARGUMENTS[running.method], args, strict=False)) | kwargs, seconds)
        except Exception as error:  # noqa: BLE001  # an observer's failure is not the user's
            self._fail(error)

    def _book(self, running: Running, model: Any, arguments: dict[str, Any], seconds: float) -> None:
        key = (id(model), running.method)
        with self._lock:
            known = self._entries.get(key)
            if known is None or known.model() is not model:
                if len(self._entries) >= MOST_MODELS:
                    self._dropped += 1
                    return
                known = self._entries[key] = entry(model, running, arguments)
            known.add(running, model, arguments.get("x"), seconds)

    def _safely(self, act: Callable[[Running, Any], None]) -> Method:
        def run(callbacks: Any) -> None:
            try:
                if self._here.running:
                    act(self._here.running[-1], callbacks)
            except Exception as error:  # noqa: BLE001  # an observer's failure is not the user's
                self._fail(error)

        return run

    def _tape(self, eagerly: Callable[[], bool]) -> Method:
        def gradient(_tape: Any) -> None:
            try:
                if not self._skips(eagerly):
                    self._tapes.gradient()
            except Exception as error:  # noqa: BLE001  # an observer's failure is not the user's
                self._fail(error)

        return gradient

    def _iterator(self, iterator: Any) -> None:
        if self._here.running:
            self._here.running[-1].draws_from(iterator)

    def _skips(self, eagerly: Callable[[], bool]) -> bool:
        """Whether what runs here is Keras' own, or is being traced."""
        return not self._on or bool(self._here.running) or not eagerly()

    def _fail(self, error: BaseException) -> None:
        self._failed(error)

    def _gpus(self) -> tuple[tuple[str, ...], tuple[int, int]]:
        """The GPUs that TensorFlow uses already: asking one that has not begun would take memory on each."""
        if self._devices is None:
            context = getattr(sys.modules.get("tensorflow.python.eager.context"), "context_safe", lambda: None)()
            if context is None or not getattr(context, "_initialized", False):
                return (), (0, 0)
            gpus = context.list_physical_devices("GPU")
            details = context.get_device_details(gpus[0]) if gpus else {}
            self._devices = tuple(it.name for it in gpus), tuple(details.get("compute_capability", (0, 0)))
        return self._devices


def _begin_step(running: Running, _callbacks: Any) -> None:
    if running.steps.count in LOOKS:
        running.looks()
    running.steps.begin()


def _end_step(running: Running, _callbacks: Any) -> None:
    running.steps.end()


def _take_callbacks(running: Running, callbacks: Any) -> None:
    running.callbacks = callbacks


def _epoch(running: Running, _callbacks: Any) -> None:
    running.epochs += 1
    running.steps.pause()


def _functions_eagerly() -> bool:
    config = getattr(sys.modules.get("tensorflow"), "config", None)
    ask = getattr(config, "functions_run_eagerly", None)
    return bool(ask()) if ask is not None else False


def _ignore(error: BaseException) -> None:
    """Before it is installed there is nobody to tell."""
