"""Growing ensembles grown from nothing each time

**Seen.** The same kind of ensemble fitted on the same data three times or more, with more trees (or iterations) each
time and nothing else changed, without `warm_start`, for at least 1 s in all; in one cell or over several.

**Why.** The first trees of the larger ensemble are built again, though they are there already.

**Change.** `warm_start=True` on one object, then raise `n_estimators` and fit again: only the new trees are built.

**Not where**

- the data changed meanwhile: trees of the old data would stay;
- several sizes are to be kept as separate models: the object is the same one all along;
- scores come from `cross_val_score`, which begins anew in each fold. `staged_predict` of boosting gives all sizes of
  one fit.

**Check.** The scores by size, which should lie as before, and joules.

**Sources.** [scikit-learn's glossary on warm_start](https://scikit-learn.org/stable/glossary.html#term-warm_start).
Three fits and 1 s are ours.
"""

from __future__ import annotations

from collections.abc import Iterator

from greennb.advisor.base import Found, evidence
from greennb.advisor.rules.sklearn._shared import LEAST_S, OWN, share, subject, variable, x_name, y_name
from greennb.advisor.signals.cell import CellContext
from greennb.advisor.signals.sklearn import EstimatorCall
from greennb.model.finding import Rule, Severity

RULE = Rule(
    code="GNB310",
    name="Growing ensembles grown from nothing each time",
    framework="sklearn",
    severity=Severity.ACT,
    since="0.2",
    source="scikit-learn glossary on warm_start",
    wrong_when=("the data changed meanwhile", "several sizes are kept as separate models"),
)

GROWS = {
    "RandomForestClassifier": "n_estimators", "RandomForestRegressor": "n_estimators",
    "ExtraTreesClassifier": "n_estimators", "ExtraTreesRegressor": "n_estimators",
    "GradientBoostingClassifier": "n_estimators", "GradientBoostingRegressor": "n_estimators",
    "BaggingClassifier": "n_estimators", "BaggingRegressor": "n_estimators",
    "HistGradientBoostingClassifier": "max_iter", "HistGradientBoostingRegressor": "max_iter",
}  # fmt: skip
"""Estimators that can go on from where they are, and what grows."""

FITS = 3
"""Fits from which it is a series. Ours."""


def check(cell: CellContext) -> Iterator[Found]:
    """Each series that comes to its end, so far, in this cell; those of cells before are of the same notebook."""
    for calls in _series(cell):
        mine = [call for at, call in calls if at == cell.number]
        seconds = sum(call.seconds for _at, call in calls)
        if not mine or len(calls) < FITS or seconds < LEAST_S:
            continue
        last = calls[-1][1]
        grows, name = GROWS[last.estimator], variable(last, "model")
        sizes = [int(size) for _at, call in calls if isinstance(size := call.parameters[grows], int)]
        yield Found(
            evidence=(
                evidence("fits", len(calls), "calls"),
                evidence(f"smallest {grows}", sizes[0], grows),
                evidence(f"largest {grows}", sizes[-1], grows),
                evidence("seconds in these fits", seconds, "s"),
            ),
            text=f"{subject(last)} was grown from nothing {len(calls)} times, from {sizes[0]} to {sizes[-1]} {grows}. "
            "With warm_start only the new ones are built.",
            code=f"""{name}.set_params(warm_start=True)
for size in {sizes}:
    {name}.set_params({grows}=size).fit({x_name(last)}, {y_name(last)})""",
            share=share(cell, sum(call.seconds for call in mine)),
            subject=subject(last),
        )


def _series(cell: CellContext) -> Iterator[list[tuple[int, EstimatorCall]]]:
    """Runs of fits that differ in size only, each larger than the one before, with the numbers of their cells."""
    together: dict[object, list[tuple[int, EstimatorCall]]] = {}
    for one in (*cell.past, cell):
        for call in one.sklearn.calls if one.sklearn is not None else ():
            if _can_grow(call):
                series = together.setdefault(_but_size(call), [])
                if series and _size(call) <= _size(series[-1][1]):
                    series.clear()
                series.append((one.number, call))
    yield from together.values()


def _can_grow(call: EstimatorCall) -> bool:
    known = call.estimator in GROWS and call.module.startswith(OWN) and call.method == "fit"
    named = call.depth == 0 and call.calls == 1 and call.data is not None and call.data.name is not None
    return known and named and not call.failed and call.parameters.get("warm_start") is False and _size(call) > 0


def _size(call: EstimatorCall) -> int:
    size = call.parameters.get(GROWS[call.estimator])
    return size if isinstance(size, int) else 0


def _but_size(call: EstimatorCall) -> tuple[object, ...]:
    """What must be equal in a series."""
    others = sorted((name, repr(it)) for name, it in call.parameters.items() if name != GROWS[call.estimator])
    assert call.data is not None
    return call.estimator, call.data.name, call.data.rows, call.data.columns, call.data.dtype, tuple(others)
