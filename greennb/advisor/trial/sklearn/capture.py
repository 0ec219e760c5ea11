"""The fit of a cell: the cell is replayed on copies up to it, and left with the estimator and what it was given.

``fit`` of every estimator class is stood in for only while the cell is replayed. Calls before the wanted one are made
as usual; what an estimator calls within itself is its own.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from greennb.advisor.signals.sklearn import FITS
from greennb.advisor.trial.base import RefusedError, Scene
from greennb.advisor.trial.leave import Leaving, Left
from greennb.advisor.trial.shadow import Shadow
from greennb.advisor.trial.split import Script
from greennb.advisor.trial.stage import Stage, failure

PREFIX_SHARE = 5
"""What stands before the fit may take this part of the budget: it runs once for each way."""

CHANGED_SHARE = 2
"""The same for the changed cell, which may load a library the first time: scikit-learn-intelex, XGBoost."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """A call as it was made in the replay, on copies.

    Attributes:
        number: it was the so-many-th call of its kind that no other lay around, from 0.
    """

    estimator: Any
    method: str
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    number: int

    @property
    def x(self) -> Any:
        """What it learns from.

        Raises:
            RefusedError: it was given nothing of that name.
        """
        if self.args:
            return self.args[0]
        if "X" not in self.kwargs:
            raise RefusedError(f"{type(self.estimator).__name__}.{self.method} is given no X: it can't be tried.")
        return self.kwargs["X"]

    @property
    def y(self) -> Any:
        """The target, None without one."""
        return self.args[1] if len(self.args) > 1 else self.kwargs.get("y")

    @property
    def others(self) -> dict[str, Any]:
        """What else it was given."""
        known = {f"argument {n}": it for n, it in enumerate(self.args[2:], start=3)}
        return known | {name: it for name, it in self.kwargs.items() if name not in ("X", "y")}


Wanted = Callable[[Any, str, int], bool]
"""Whether this is the call: its estimator, its method, and how many there were before it."""


class Capture:
    """A cell's fit, on copies that live as long as this.

    Args:
        code: the source to replay; ``label`` "A" or "B".
        wanted: which of its fits is meant.

    Attributes:
        fit: the call. ``began_ns`` when the replay began, in wall time.

    Raises:
        RefusedError: it can't be copied or replayed, has effects outside, takes too long, or never comes.
    """

    def __init__(self, scene: Scene, code: str, label: str, wanted: Wanted) -> None:
        self.stage = Stage(scene)
        self._scene = scene
        self.began_ns = time.time_ns()
        self._changed = " with the change" if label == "B" else ""
        self._script = Script(code, label)
        self.shadow: Shadow | None = Shadow.of(scene.namespace, code)
        try:
            with self.on_stage() as names:
                self.fit = self._replayed(names, wanted)
        except BaseException:
            self.close()
            raise

    @contextmanager
    def on_stage(self) -> Iterator[dict[str, Any]]:
        """The copies under the user's names."""
        if self.shadow is None:
            raise RefusedError("This way of the trial was closed.")
        with self.stage.set(), self.shadow.in_place() as names:
            yield names

    def close(self) -> None:
        """Give the copies back; may be called twice."""
        self._script.close()
        shadow, self.shadow = self.shadow, None
        if shadow is not None:
            shadow.close()

    def _replayed(self, names: dict[str, Any], wanted: Wanted) -> Fit:
        found: list[Fit] = []
        leaving = Leaving()
        count = 0

        def take(estimator: Any, method: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
            nonlocal count
            self._scene.stop.check()
            if found or wanted(estimator, method, count):
                found[:] = found or [Fit(estimator=estimator, method=method, args=args, kwargs=kwargs, number=count)]
                leaving.leave(Left())
            count += 1

        began_s = time.perf_counter()
        for statement in self._script.statements:
            with _taken_over(take):  # anew for each: an import may have brought new classes
                error = leaving.run(statement.code, names)
            if error is not None:
                raise RefusedError(f"Run again on copies{self._changed}, the cell raised {failure(error)}.")
            if leaving.reason is not None and not isinstance(leaving.reason, Left):
                raise leaving.reason
            if found:
                break
        if not found:
            raise RefusedError(f"Run again on copies{self._changed}, the cell ended without the fit to be tried.")
        spent_s = time.perf_counter() - began_s
        if spent_s > self._scene.budget_s / (CHANGED_SHARE if self._changed else PREFIX_SHARE):
            raise RefusedError(
                f"What stands before the fit in this cell takes {spent_s:.1f} s, and a trial of "
                f"{self._scene.budget_s:g} s does so twice: move it to a cell of its own, or give more seconds."
            )
        return found[0]


@contextmanager
def _taken_over(take: Callable[[Any, str, tuple[Any, ...], dict[str, Any]], None]) -> Iterator[None]:
    """While within, outermost fits go to ``take`` first, which leaves or lets them be made."""
    inside = 0

    def stand_in(original: Any, method: str) -> Any:
        def stands_in(self: Any, *args: Any, **kwargs: Any) -> Any:
            nonlocal inside
            if inside:
                return original(self, *args, **kwargs)
            take(self, method, args, kwargs)
            inside += 1
            try:
                return original(self, *args, **kwargs)
            finally:
                inside -= 1

        stands_in.__wrapped__ = original  # type: ignore[attr-defined]  # signatures are read from it
        return stands_in

    changed: list[tuple[type, str, Any]] = []
    try:
        for cls in _estimators():
            for method in FITS:
                original = vars(cls).get(method)
                if callable(original) and hasattr(original, "__code__"):
                    changed.append((cls, method, original))
                    setattr(cls, method, stand_in(original, method))
        yield
    finally:
        for cls, method, original in changed:
            setattr(cls, method, original)


def _estimators() -> list[type]:
    """Every estimator class there is, and the mixins that bring ``fit_transform`` and ``fit_predict``."""
    base = sys.modules["sklearn.base"]
    todo = [base.BaseEstimator, base.TransformerMixin, base.ClusterMixin, base.OutlierMixin]
    known: dict[type, None] = {}
    while todo:
        cls = todo.pop()
        if cls not in known:
            known[cls] = None
            todo += type.__subclasses__(cls)
    return list(known)
