"""Watches scikit-learn, and XGBoost and LightGBM through the same interface.

The methods of their classes are wrapped (:mod:`greennb.advisor.observe.sklearn.wrap`); a call costs a few microseconds.
What other processes do (``n_jobs`` of a search) is not seen but in the results that come back. No object of the user's
is held when a call has ended: names are found by identity and type at the cell's end.
"""

from __future__ import annotations

import os
import platform
import sys
from typing import Any

from greennb.advisor.base import Failed
from greennb.advisor.names import Names
from greennb.advisor.observe.sklearn import data as data
from greennb.advisor.observe.sklearn.calls import Calls, Entry, Frame
from greennb.advisor.observe.sklearn.wrap import Wraps
from greennb.advisor.signals.sklearn import DataSeen, EstimatorCall, SearchSeen, SklearnSignals, WorkSeen

MOST_CALLS = 30
"""Entries of a cell that are kept, the dearest of them: a cell's signals live as long as the notebook."""

LEAST_INNER_S = 0.01
"""What other estimators call is kept from here on."""

MOST_WORK_KEPT = 16
"""Fits with a fingerprint that are kept in one entry."""


class SklearnObserver:
    """See the module's docstring, and :class:`~greennb.advisor.base.Observer`."""

    name = "sklearn"
    modules: tuple[str, ...] = ("sklearn.base",)

    def __init__(self) -> None:
        self._calls: Calls | None = None
        self._failed: Failed | None = None
        self._wraps = Wraps(self._enter, self._leave, self._fail)

    def install(self, failed: Failed) -> None:
        """As :class:`~greennb.advisor.base.Observer`."""
        self._failed = failed
        base = getattr(sys.modules.get("sklearn.base"), "BaseEstimator", None)
        if isinstance(base, type):
            self._wraps.install(base)

    def remove(self) -> None:
        """As :class:`~greennb.advisor.base.Observer`."""
        self._calls = None
        self._wraps.remove()

    def begin(self) -> None:
        """As :class:`~greennb.advisor.base.Observer`."""
        self._wraps.catch_up()
        self._calls = Calls(self._fail)

    def end(self, names: Names) -> SklearnSignals | None:
        """As :class:`~greennb.advisor.base.Observer`."""
        calls, self._calls = self._calls, None
        if calls is None:
            return None
        calls.on = False
        return signals(calls, names) if calls.entries else None

    def _enter(self, method: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Frame | None:
        calls = self._calls
        if calls is None or not calls.on:
            return None
        if self._wraps.late:
            try:
                self._wraps.catch_up()
            except Exception as error:  # noqa: BLE001  # ours to fail, not the user's
                self._fail(error)
        return calls.enter(method, args, kwargs)

    @staticmethod
    def _leave(frame: Frame | None, failed: bool) -> None:
        if frame is not None:
            frame.calls.leave(frame, failed)

    def _fail(self, error: Exception) -> None:
        if self._calls is not None:
            self._calls.on = False
        if self._failed is not None:
            self._failed(error)


def signals(calls: Calls, names: Names) -> SklearnSignals:
    """What was seen, frozen; the dearest calls where there are many, in the order in which they came."""
    entries = list(calls.entries.values())
    kept = _dearest([it for it in entries if it.depth == 0 or it.seconds >= LEAST_INNER_S or it.search is not None])
    known = _Known(names)
    told = tuple(_told(entry, known) for entry in kept)
    searches = tuple(SearchSeen(call=at, **it.search) for at, it in enumerate(kept) if it.search is not None)
    return SklearnSignals(
        version=str(getattr(sys.modules.get("sklearn"), "__version__", "")),
        calls=told,
        searches=searches,
        intelex=_is_patched(),
        x86=platform.machine().lower() in ("x86_64", "amd64"),
        cpus=_cpus(),
        dropped=calls.dropped,
    )


def _dearest(entries: list[Entry]) -> list[Entry]:
    if len(entries) <= MOST_CALLS:
        return entries
    dear = sorted(range(len(entries)), key=lambda at: entries[at].seconds, reverse=True)[:MOST_CALLS]
    return [entries[at] for at in sorted(dear)]


def _is_patched() -> bool:
    """Whether scikit-learn-intelex's classes stand in the place of scikit-learn's: it may be loaded without that."""
    for module, name in (("cluster", "KMeans"), ("ensemble", "RandomForestClassifier"), ("linear_model", "Ridge")):
        found = getattr(sys.modules.get(f"sklearn.{module}"), name, None)
        if str(getattr(found, "__module__", "")).startswith(("sklearnex.", "daal4py.")):
            return True
    return False


def _cpus() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _told(entry: Entry, known: _Known) -> EstimatorCall:
    work = sorted(entry.work.items(), key=lambda it: it[1][1], reverse=True)[:MOST_WORK_KEPT]
    return EstimatorCall(
        estimator=entry.kind.__name__,
        module=str(entry.kind.__module__),
        name=known.named(entry.owner_id, entry.kind),
        method=entry.method,
        parameters=entry.parameters,
        data=_data(entry, known),
        calls=entry.calls,
        seconds=entry.seconds,
        cpu_s=entry.cpu_s,
        depth=entry.depth,
        inside=entry.inside,
        fitted=entry.fitted,
        failed=entry.failed,
        inner_n_jobs=entry.inner_n_jobs,
        work=tuple(WorkSeen(print=it, calls=int(calls), seconds=seconds) for it, (calls, seconds) in work),
    )


def _data(entry: Entry, known: _Known) -> DataSeen | None:
    if entry.outline is None:
        return None
    kind, rows, columns, dtype = entry.outline
    return DataSeen(
        rows=rows,
        columns=columns,
        dtype=str(dtype),
        kind=kind,
        name=known.shaped(entry.x_id, entry.outline),
        y_name=known.named(entry.y_id, entry.y_type),
        print=entry.print,
    )


class _Known:
    """The notebook's names by the identity of what they stand for.

    What had that identity during the call may be gone, and another object in its place: type and shape must fit.
    """

    def __init__(self, names: Names) -> None:
        self._things: dict[int, tuple[str, Any]] = {}
        for name, thing in names.items():
            self._things.setdefault(id(thing), (name, thing))

    def named(self, id_: int, kind: type) -> str | None:
        name, thing = self._things.get(id_, (None, None))
        return name if thing is not None and type(thing) is kind else None

    def shaped(self, id_: int, outline: data.Outline) -> str | None:
        name, thing = self._things.get(id_, (None, None))
        return name if thing is not None and data.outline(thing) == outline else None
