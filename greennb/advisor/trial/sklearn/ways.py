"""A way that fits: a clone of the captured estimator, on the captured rows or on some of them."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from greennb.advisor.trial.base import RefusedError, Scene, Stopped
from greennb.advisor.trial.sklearn.caches import Caches
from greennb.advisor.trial.sklearn.capture import Capture
from greennb.advisor.trial.stage import failure

LEAST_ROWS = 500
"""Rows that a fit is not cut below: with fewer, what an estimator costs is mostly its overhead. Our choice."""

UNIT_SHARE = 40
"""A fit may take this part of the budget: a verdict needs twelve blocks at least, and a guard some fits more."""

LONGEST_S = 1.0
"""A fit that takes longer than this is cut to fewer rows."""

MOST_CLASSES = 50
"""Different values of y up to which rows are drawn from each alike."""


class FitWay:
    """One way.

    Attributes:
        label: "A" or "B".
        fit: what was captured.
        rows: in its data; ``used`` how many of these a unit fits.
        caches: whether steps of it are cached: each clone begins with empty caches.
    """

    def __init__(self, scene: Scene, capture: Capture, label: str) -> None:
        self.label = label
        self.fit = capture.fit
        self.rows = rows_of(self.fit.x)
        self.used = self.rows
        self._scene = scene
        self._capture = capture
        self._data: tuple[Any, Any] = (self.fit.x, self.fit.y)
        self._folders = Caches()
        self.caches = self._folders.adopt(self.fit.estimator, capture.began_ns)

    def use(self, rows: int) -> None:
        """Fit so many rows from now on, the same ones in both ways."""
        self.used = min(rows, self.rows)
        self._data = self.some(self.used)

    def some(self, rows: int) -> tuple[Any, Any]:
        """X and y of so many rows.

        Raises:
            RefusedError: something else that it is given goes with the rows.
        """
        if rows >= self.rows:
            return self.fit.x, self.fit.y
        if self.fit.others:
            raise RefusedError(
                f"{type(self.fit.estimator).__name__}.{self.fit.method} takes too long for a trial, and with "
                f"{', '.join(self.fit.others)} given it can't be cut to fewer rows: give more seconds."
            )
        x, y = self.fit.x, self.fit.y
        resample = sys.modules["sklearn.utils"].resample
        if y is None:
            return resample(x, replace=False, n_samples=rows, random_state=0), None
        classes = len(set(_values(y)[:100_000]))
        stratify = y if 1 < classes <= MOST_CLASSES else None
        try:
            drawn = resample(x, y, replace=False, n_samples=rows, random_state=0, stratify=stratify)
        except ValueError:  # a class with a single row
            drawn = resample(x, y, replace=False, n_samples=rows, random_state=0)
        return drawn[0], drawn[1]

    def clone(self) -> Any:
        """The estimator as it was before its fit.

        Raises:
            RefusedError: scikit-learn can't clone it.
        """
        try:
            cloned = sys.modules["sklearn.base"].clone(self.fit.estimator)
        except (TypeError, RuntimeError) as error:
            raise RefusedError(f"{type(self.fit.estimator).__name__} can't be cloned: {failure(error)}.") from None
        if self.caches:
            self._folders.empty(cloned)
        return cloned

    def fitted(self, x: Any, y: Any) -> Any:
        """A clone, fitted; in words where that raises.

        Raises:
            RefusedError: it raised.
        """
        try:
            return self.once(x, y)
        except (RefusedError, Stopped, KeyboardInterrupt):
            raise
        except BaseException as error:  # noqa: BLE001  # the user's estimator's
            changed = " with the change" if self.label == "B" else ""
            words = failure(error, changed)
            name = type(self.fit.estimator).__name__
            raise RefusedError(f"Run on copies{changed}, {name}.{self.fit.method} raised {words}.") from None

    def once(self, x: Any, y: Any) -> Any:
        """A clone, fitted."""
        self._scene.stop.check()
        estimator = self.clone()
        more = self.fit.args[2:]  # weights by position, say
        arguments = (x,) if y is None and not more else (x, y, *more)
        getattr(estimator, self.fit.method)(*arguments, **self._others)
        return estimator

    @property
    def _others(self) -> dict[str, Any]:
        return {name: it for name, it in self.fit.kwargs.items() if name not in ("X", "y")}

    def run(self, units: int, window: Callable[[], AbstractContextManager[object]]) -> float:
        """See :meth:`greennb.advisor.trial.base.Way.run`; items are rows."""
        x, y = self._data
        with self._capture.on_stage(), window():
            for _ in range(units):
                self.fitted(x, y)
        self._folders.clear()
        return float(units * self.used)

    def on_stage(self) -> AbstractContextManager[dict[str, Any]]:
        """Where the user's code may run."""
        return self._capture.on_stage()

    def close(self) -> None:
        """Give the copies back; may be called twice."""
        self._capture.close()
        self._folders.close()


def rows_of(x: Any) -> int:
    """How many rows there are.

    Raises:
        RefusedError: it does not say.
    """
    shape = getattr(x, "shape", None)
    try:
        return int(shape[0]) if shape else len(x)
    except (TypeError, IndexError):
        raise RefusedError(f"X is a {type(x).__name__}, whose rows can't be counted: make it an array first.") from None


def rows_for(scene: Scene, rows: int, fit_s: float) -> int:
    """Rows with which a fit that took ``fit_s`` for ``rows`` suits the budget: as if its time went with the rows.

    Where it grows faster, fewer seconds are needed than could be had, and not more.
    """
    most_s = min(LONGEST_S, scene.budget_s / UNIT_SHARE)
    if fit_s <= most_s:
        return rows
    return min(rows, max(LEAST_ROWS, int(rows * most_s / fit_s)))


def _values(y: Any) -> list[Any]:
    listed = y.tolist() if hasattr(y, "tolist") else list(y)
    return [tuple(it) if isinstance(it, list) else it for it in listed]
