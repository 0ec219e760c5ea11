"""A way that takes steps of a Keras model: the cell is replayed on copies up to its ``fit``, whose work then goes on.

``fit`` is stood in for only while the cell is replayed. What it was called on, a copy, is kept with its data; the
user's callbacks, validation and progress bar are not.
"""

from __future__ import annotations

import inspect
import math
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from greennb.advisor.trial.base import RefusedError, Scene, Stopped
from greennb.advisor.trial.keras.steps import Steps
from greennb.advisor.trial.leave import Leaving, Left
from greennb.advisor.trial.replay import PREFIX_SHARE, Window
from greennb.advisor.trial.shadow import Shadow
from greennb.advisor.trial.split import Script
from greennb.advisor.trial.stage import Stage, failure

T = TypeVar("T")

WARM_S = 0.02
"""Seconds of steps before a window: after another way's block the caches are cold."""

MOST_WARM = 50
"""Calls before a window, at most."""

AHEAD = 8
"""Batches that a pipeline may have made while the other way ran: these are drawn before the window opens (ours; with
AUTOTUNE a buffer mostly holds fewer)."""

SHORT = {"epochs": 1, "steps_per_epoch": 1, "validation_data": None, "validation_split": 0.0, "callbacks": None,
         "verbose": 0}  # fmt: skip
"""How a ``fit`` that is not the one wanted is run, so that the cell can go on to the one that is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """The call whose work is tried.

    Attributes:
        method: "fit" or "evaluate".
        model: the user's name for the model; None for any.
    """

    method: str
    model: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A call as it was made in the replay: on a copy, its arguments by name."""

    model: Any
    given: dict[str, Any]


class KerasWay:
    """One way of a cell that calls ``fit`` or ``evaluate``.

    Args:
        code: the cell's source, as it is or as changed.
        label: "A" or "B".
        whole_pass: whether the data are gone through once before anything is measured, to fill a cache.

    Attributes:
        unit_s: seconds of a step, as far as known.
        stage: random numbers and flags that it goes on with.
    """

    def __init__(
        self, scene: Scene, code: str, label: str, target: Target, *, whole_pass: bool = False,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:  # fmt: skip
        self.label = label
        self.unit_s = 0.0
        self.stage = Stage(scene)
        self._scene = scene
        self._target = target
        self._whole_pass = whole_pass
        self._clock = clock
        self._script = Script(code, label)
        self._shadow: Shadow | None = None
        self._steps: Steps | None = None
        self._call: Call | None = None
        self._start: list[Any] = []
        self._closed = False

    @property
    def call(self) -> Call:
        """What was captured; after :meth:`prepare`."""
        assert self._call is not None
        return self._call

    def prepare(self) -> None:
        """Make the copies, replay the cell up to the call, and take the first step, which compiles.

        Raises:
            RefusedError: it can't be copied or replayed, has effects outside, or takes too long.
            Stopped: somebody stopped the trial.
        """
        self._shadow = Shadow.of(self._scene.namespace, self._script.source)
        with self._on_stage() as names:
            self._call = self._captured(names)
            _refuse(self._call)
            self._steps = self._guarded(lambda: Steps(self.call.model, self._target.method, self.call.given))
            self._guarded(self._steps.build)
            self._start = [it.numpy() for it in self._variables()]
            self._guarded(self._first)

    def run(self, units: int, window: Window) -> float:
        """See :meth:`greennb.advisor.trial.base.Way.run`; items are samples, or steps where data don't tell those."""
        if self._steps is None and not self._closed:
            self.prepare()
        with self._on_stage():
            steps = self._steps
            assert steps is not None
            return self._guarded(lambda: self._block(steps, units, window))

    def close(self) -> None:
        """Give the copies back; may be called twice."""
        self._script.close()
        self._closed = True
        shadow, self._shadow, self._steps, self._call, self._start = self._shadow, None, None, None, []
        if shadow is not None:
            shadow.close()

    def losses(self, count: int, seed: int) -> list[float]:
        """The losses of the first ``count`` batches from the state in which the cell found the model, at that seed."""
        assert self._steps is not None
        steps = self._steps
        with self._on_stage():
            for variable, value in zip(self._variables(), self._start, strict=True):
                variable.assign(value)
            sys.modules["keras"].utils.set_random_seed(seed)
            if seed:
                self._reseed(seed)
            return self._guarded(lambda: steps.losses(count))

    def _reseed(self, seed: int) -> None:
        """Dropout's random numbers are variables of the model."""
        for variable in self.call.model.non_trainable_variables:
            if variable.path.endswith("seed_generator_state"):
                variable.assign(variable.numpy() + seed)

    def _variables(self) -> list[Any]:
        model = self.call.model
        return [*model.variables, *(model.optimizer.variables if model.optimizer is not None else ())]

    @property
    def _changed(self) -> str:
        return " with the change" if self.label == "B" else ""

    def _block(self, steps: Steps, units: int, window: Window) -> float:
        for _ in range(self._warm(steps)):
            self._step(steps)
        steps.settle()
        done = 0
        began_s = self._clock()
        with window():
            while done < units:
                done += self._step(steps)
            steps.settle()
        self.unit_s = (self._clock() - began_s) / done
        return done * steps.rows

    def _warm(self, steps: Steps) -> int:
        call_s = self.unit_s * steps.at_once
        least = math.ceil(AHEAD / steps.at_once) if steps.pipeline else 1
        return max(least, min(MOST_WARM, round(WARM_S / call_s)) if call_s > 0 else 1)

    def _step(self, steps: Steps) -> int:
        self._scene.stop.check()
        return steps.take()

    def _first(self) -> None:
        """The step that compiles, one to time, and a whole pass where that is wanted."""
        assert self._steps is not None
        steps = self._steps
        self._step(steps)
        began_s = self._clock()
        taken = self._step(steps)
        steps.settle()
        self.unit_s = (self._clock() - began_s) / taken
        if self._whole_pass:
            for _ in steps.once_through():
                self._scene.stop.check()
                if self._clock() - began_s > self._scene.budget_s / 2:
                    raise RefusedError(
                        f"A cache is full after one pass over the data, and that takes more than half of the "
                        f"{self._scene.budget_s:g} s: give more seconds, or a smaller part of the data."
                    )

    def _guarded(self, act: Callable[[], T]) -> T:
        """Do something with the user's objects; what they raise is said in words.

        Raises:
            RefusedError: they raised.
        """
        try:
            return act()
        except (RefusedError, Stopped, KeyboardInterrupt):
            raise
        except BaseException as error:  # noqa: BLE001  # all of it is the user's
            words = failure(error, self._changed)
            if "ResourceExhausted" in words or "OOM" in words:
                raise RefusedError(f"There was not enough memory for the model{self._changed}: {words}.") from None
            raise RefusedError(f"Run on copies{self._changed}, {self._target.method} raised {words}.") from None

    @contextmanager
    def _on_stage(self) -> Iterator[dict[str, Any]]:
        if self._shadow is None:
            raise RefusedError("This way of the trial was closed.")
        with self.stage.set(), self._shadow.in_place() as names:
            yield names

    def _captured(self, names: dict[str, Any]) -> Call:
        """Replay the cell up to the call.

        Raises:
            RefusedError: it never comes, or what stands before it raises or takes too long.
        """
        found: list[Call] = []
        leaving = Leaving()

        def take(model: Any, given: dict[str, Any]) -> None:
            self._scene.stop.check()
            if not found and self._target.model is not None and names.get(self._target.model) is not model:
                return
            found[:1] = [Call(model=model, given=given)]
            leaving.leave(Left())

        began_s = self._clock()
        with taken_over(self._target.method, take):
            for statement in self._script.statements:
                error = leaving.run(statement.code, names)
                if error is not None:
                    raise RefusedError(f"Run again on copies{self._changed}, the cell raised {failure(error)}.")
                if found:
                    break
        if not found:
            raise RefusedError(
                f"Run again on copies{self._changed}, the cell came to its end without a call of "
                f"{self._target.model or 'a model'}.{self._target.method}, so that there is nothing to compare."
            )
        if self._clock() - began_s > self._scene.budget_s / PREFIX_SHARE:
            raise RefusedError(
                f"What stands before {self._target.method} in this cell takes {self._clock() - began_s:.1f} s, and a "
                f"trial of {self._scene.budget_s:g} s does that several times: move it to a cell of its own, or give "
                "more seconds."
            )
        return found[0]


@contextmanager
def taken_over(method: str, take: Callable[[Any, dict[str, Any]], None]) -> Iterator[None]:
    """While within, calls of ``Model.method`` go to ``take`` first, which leaves; else ``fit`` is cut short."""
    model = sys.modules["keras"].Model
    owner = next(it for it in model.__mro__ if method in vars(it))
    original = vars(owner)[method]
    signature = inspect.signature(original)

    def stands_in(self: Any, *args: Any, **kwargs: Any) -> Any:
        given = dict(signature.bind(self, *args, **kwargs).arguments)
        given.pop("self", None)
        take(self, given)
        return original(self, **(given | SHORT if method == "fit" else given))

    try:
        setattr(owner, method, stands_in)
        yield
    finally:
        setattr(owner, method, original)


def _refuse(call: Call) -> None:
    """Say in words which models can't be tried.

    Raises:
        RefusedError: this is such a one.
    """
    if getattr(call.model, "_distribute_strategy", None) is not None:
        raise RefusedError("The model is spread over devices by a strategy, which can't be copied: try it on one.")
    if not getattr(call.model, "compiled", False):
        raise RefusedError("The model is not compiled.")
