"""The kit of scikit-learn: the fit of a cell, captured as it is and as changed, made again on clones and copies."""

from __future__ import annotations

import sys
import time
from typing import Any

from greennb.advisor.signals.sklearn import EstimatorCall
from greennb.advisor.trial import effects
from greennb.advisor.trial.base import Pair, RefusedError, Scene, Variant
from greennb.advisor.trial.sklearn.caches import NOTE as CACHED
from greennb.advisor.trial.sklearn.capture import Capture
from greennb.advisor.trial.sklearn.guard import Guard
from greennb.advisor.trial.sklearn.onedal import listening
from greennb.advisor.trial.sklearn.variants import VARIANTS
from greennb.advisor.trial.sklearn.variants.intelex import Intelex
from greennb.advisor.trial.sklearn.variants.scene import wanted_fit
from greennb.advisor.trial.sklearn.ways import FitWay, rows_for

__all__ = ["VARIANTS", "pair"]


def pair(scene: Scene, variant: Variant) -> Pair:
    """The two ways of a cell that fits; see :class:`greennb.advisor.trial.base.Kit`."""
    if "sklearn.base" not in sys.modules:
        raise RefusedError("scikit-learn is not loaded in this notebook.")
    changed = variant.change(scene)
    for code in (scene.code, changed):
        effects.refuse(code, scene.namespace)
    seen = wanted_fit(scene)
    ways: list[FitWay] = []
    try:
        first = Capture(scene, scene.code, "A", lambda it, method, _number: _is(seen, it, method))
        ways.append(FitWay(scene, first, "A"))
        number = first.fit.number  # with the change its class may be another, its place is not
        second = Capture(scene, changed, "B", lambda _it, _method, count: count == number)
        ways.append(FitWay(scene, second, "B"))
        a, b = ways
        if a.rows != b.rows:
            raise RefusedError("With the change the fit is given other rows, so that the two can't be compared.")
        rows = rows_for(scene, a.rows, seen.seconds / max(1, seen.calls))
        for way in ways:
            way.use(rows)
        with listening() as said:
            fit_s = max(_timed(way) for way in ways)
        if isinstance(variant, Intelex) and not (said.done or said.left or _has_workers(seen)):
            raise RefusedError(
                "The change does not reach the fit: import the estimator from sklearnex where it is made."
            )
    except BaseException:
        for way in ways:
            way.close()
        raise
    guard = Guard(scene, a, b, variant.kind, fit_s)
    notes = (*_left_out(scene, seen), *said.notes(), *((CACHED,) if a.caches or b.caches else ()))
    return Pair(baseline=a, candidate=b, unit="fit", guard=guard, units=_units(scene, seen), notes=notes)


def _left_out(scene: Scene, seen: EstimatorCall) -> tuple[str, ...]:
    """A sentence where the notebook itself has fitted more in this cell, which folds of about one size are not."""
    others = [it for it in _own_fits(scene) if not _is_alike(it, seen)]
    names = sorted({it.estimator for it in others if it.estimator != seen.estimator})
    parts = [f"those of {', '.join(names)}"] if names else []
    if any(it.estimator == seen.estimator for it in others):
        parts.append(f"other fits of {seen.estimator}, on other data or with other parameters,")
    if not parts:
        return ()
    return (f"What was tried is the fit of {seen.estimator}; {' and '.join(parts)} are left out.",)


def _units(scene: Scene, seen: EstimatorCall) -> float:
    """How many such fits the cell had."""
    return float(sum(it.calls for it in _own_fits(scene) if it is seen or _is_alike(it, seen)))


def _own_fits(scene: Scene) -> tuple[EstimatorCall, ...]:
    """The notebook's own fits in this cell."""
    calls = scene.cell.sklearn.calls if scene.cell.sklearn is not None else ()
    return tuple(it for it in calls if it.fits and it.depth == 0)


def _is_alike(call: EstimatorCall, seen: EstimatorCall) -> bool:
    """Whether it is the same work on about as much data: folds differ by a row where the rows do not divide evenly."""
    if (call.estimator, call.method, call.parameters) != (seen.estimator, seen.method, seen.parameters):
        return False
    ours, theirs = call.data, seen.data
    if ours is None or theirs is None:
        return ours is theirs
    return (ours.columns, ours.dtype) == (theirs.columns, theirs.dtype) and abs(ours.rows - theirs.rows) <= 1


def _has_workers(seen: EstimatorCall) -> bool:
    """Whether other processes may do its fits, of which nothing is heard."""
    return seen.parameters.get("n_jobs") not in (None, 1)


def _is(seen: EstimatorCall, estimator: Any, method: str) -> bool:
    return type(estimator).__name__ == seen.estimator and method == seen.method


def _timed(way: FitWay) -> float:
    """Seconds of a fit; the first one also shows whether it can be made."""
    x, y = way.some(way.used)
    with way.on_stage():
        began_s = time.perf_counter()
        way.fitted(x, y)
        return time.perf_counter() - began_s
