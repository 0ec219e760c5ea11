"""Calls of ``fit``, ``evaluate`` and ``predict`` while a cell runs, added up by model and method."""

from __future__ import annotations

import math
import weakref
from collections import Counter
from dataclasses import dataclass, field, replace
from time import perf_counter
from typing import Any

from greennb.advisor.names import Names
from greennb.advisor.observe.keras.input import Fed, account, fed, rows, with_account, with_waiting
from greennb.advisor.observe.keras.rings import Steps
from greennb.advisor.signals.keras import KerasCall

MOST_LAYERS = 2000
MOST_EPOCHS = 2000
"""What is looked at and remembered of one model's layers and epochs."""

LOOKS = (16, 64, 256)
"""Steps after which tf.data is asked for its account: some tens of microseconds each."""

OWN_CALLBACKS = ("History", "ProgbarLogger")
"""Callbacks that Keras adds itself."""


class Running:
    """One call that goes on."""

    __slots__ = ("callbacks", "early", "epochs", "iterators", "last", "method", "nested_s", "steps", "t0_s")

    def __init__(self, method: str) -> None:
        self.method = method
        self.steps = Steps()
        self.nested_s = 0.0
        self.epochs = 0
        self.callbacks: Any = None
        self.iterators: list[weakref.ref[Any]] = []
        self.early: Any = None
        self.last: Any = None
        self.t0_s = perf_counter()

    def draws_from(self, iterator: Any) -> None:
        """A tf.data iterator was made: the last two are kept, for Keras makes the next epoch's before it is due."""
        self.iterators = [*self.iterators[-1:], weakref.ref(iterator)]

    def looks(self) -> None:
        """Some steps are done, more are to come: the moment for tf.data's account of its stages."""
        self.early = self._account() or self.early

    def ends(self) -> None:
        """Its steps are over, its iterator still there: the moment for tf.data's account of the waiting."""
        if self.steps.count >= 2:
            self.last = self._account()

    def _account(self) -> Any:
        return account([it for ref in self.iterators if (it := ref()) is not None])


@dataclass(slots=True)
class Entry:
    """All calls of one method of one model in a cell."""

    model: weakref.ref[Any]
    signal: KerasCall
    fed: Fed
    longest: Running
    rows: int | None = 0
    loss: list[float] = field(default_factory=list)
    val_loss: list[float] = field(default_factory=list)

    def add(self, running: Running, model: Any, given: Any, seconds: float) -> None:
        """One more call."""
        old = self.signal
        self.signal = replace(
            old,
            calls=old.calls + 1,
            steps=old.steps + running.steps.count,
            seconds=old.seconds + seconds,
            steps_s=old.steps_s + running.steps.total_s,
            nested_s=old.nested_s + running.nested_s,
            epochs=old.epochs + running.epochs,
            compile_s=running.steps.first_s if old.calls == 0 else old.compile_s,
        )
        count = rows(given)
        self.rows = None if self.rows is None or count is None else self.rows + count
        if running.steps.count >= self.longest.steps.count:
            self.longest = running
        if running.method == "fit":
            self._add_history(model)

    def _add_history(self, model: Any) -> None:
        history = getattr(vars(model).get("history"), "history", {})
        for mine, key in ((self.loss, "loss"), (self.val_loss, "val_loss")):
            mine.extend(float(it) for it in history.get(key, ())[: MOST_EPOCHS - len(mine)])

    def done(self, names: Names) -> KerasCall:
        """As a signal."""
        steps = self.longest.steps
        seen = self.fed.named(names)
        early, last = self.longest.early, self.longest.last
        if early is not None or last is not None:
            seen = with_account(seen, early or last)
        if last is not None and self.signal.steps_per_execution == 1:
            seen = with_waiting(seen, last, steps)
        return replace(
            self.signal,
            name=names.of(self.model()),
            step_s=steps.steps.median(),
            wait_s=steps.gaps.median(),
            host_s=steps.host.median(),
            loss=tuple(self.loss),
            val_loss=tuple(self.val_loss),
            rows=self.rows,
            input=seen,
        )


def entry(model: Any, running: Running, arguments: dict[str, Any]) -> Entry:
    """The first call of a method of ``model`` in a cell, without its numbers; the model is built by now."""
    layers = [it for it in list(model._flatten_layers())[:MOST_LAYERS] if it is not model]
    weights = list(model.weights)
    policies = Counter(
        str(getattr(it.dtype_policy, "name", "")) for it in layers if getattr(it, "_trainable_variables", ())
    )
    own = [it for it in getattr(running.callbacks, "callbacks", ()) if type(it).__name__ not in OWN_CALLBACKS]
    state = vars(model)
    asked = (getattr(running.callbacks, "params", None) or {}).get("epochs", 0)
    signal = KerasCall(
        model=type(model).__name__,
        parameters=sum(math.prod(it.shape) for it in weights),
        layers=dict(Counter(type(it).__name__ for it in layers)),
        method=running.method,
        calls=0,
        policy=policies.most_common(1)[0][0] if policies else str(getattr(model.dtype_policy, "name", "")),
        dtypes=tuple(sorted({str(it.dtype) for it in weights})),
        optimizer=type(state["optimizer"]).__name__ if state.get("optimizer") is not None else "",
        eager=bool(state.get("_run_eagerly")),
        jit=bool(state.get("_jit_compile")),
        steps_per_execution=int(state.get("steps_per_execution") or 1),
        batch_size=_batch_size(running.method, arguments),
        epochs_asked=asked if running.method == "fit" and isinstance(asked, int) else 0,
        early_stopping=any(_may_stop(it) for it in own),
        callbacks=tuple(type(it).__name__ for it in own[:20]),
        batch_callbacks=any(_wants_batches(it) for it in own),
    )
    return Entry(weakref.ref(model), signal, fed(arguments.get("x")), running)


def _batch_size(method: str, arguments: dict[str, Any]) -> int | None:
    size = arguments.get("batch_size")
    return size if isinstance(size, int) else None


def _may_stop(callback: Any) -> bool:
    """Whether it is an EarlyStopping, or of the user's making and speaks of ``stop_training``."""
    for kind in type(callback).__mro__:
        if kind.__name__ == "EarlyStopping":
            return True
        if kind.__module__.partition(".")[0] == "keras":
            continue
        codes = (getattr(it, "__code__", None) for it in vars(kind).values())
        if any(code is not None and "stop_training" in code.co_names for code in codes):
            return True
    return False


def _wants_batches(callback: Any) -> bool:
    methods = ("on_train_batch_begin", "on_train_batch_end", "on_batch_begin", "on_batch_end")
    return any(name in vars(kind) for kind in type(callback).__mro__ if kind.__name__ != "Callback" for name in methods)
