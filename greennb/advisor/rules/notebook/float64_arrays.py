"""Convert to float32 once what the model converts at every call

**Seen.** A large float64 array went again and again into an estimator whose trees compute in float32: scikit-learn's
decision trees and forests copy their input to float32 at the head of every `fit` and `predict`.

**Why it costs energy.** Every copy reads the whole array and writes half of it anew, and both lie in memory at the same
time, for numbers that the model then rounds anyway.

**Change.** Convert once, after loading. The trees see the same numbers, so that results stay the same.

**Not where**

- other parts of the work need float64: keep both, or leave it;
- the array is a view that something else changes in place.

**Check.** `%energy_compare` with the converted array; the predictions must be equal.

**Thresholds.** An array of at least 256 MiB, two calls and 1 GiB of it in all, in 2 s and more: ours. scikit-learn says
of its forests: "Internally, its dtype will be converted to `dtype=np.float32`"
([documentation](https://scikit-learn.org/stable/modules/generated/sklearn.ensemble.RandomForestClassifier.html)).
Not said of other estimators: linear models and most of the rest compute in the type that they are given, and KMeans
has a rule of its own.
"""

from __future__ import annotations

from collections.abc import Iterator

from greennb.advisor.base import Found, evidence
from greennb.advisor.rules.notebook._shared import clock_share, gib
from greennb.advisor.signals.cell import CellContext
from greennb.advisor.signals.machine import ArraySeen
from greennb.advisor.signals.sklearn import EstimatorCall
from greennb.model.finding import Rule, Severity

RULE = Rule(
    code="GNB109",
    name="Convert to float32 once what the model converts each time",
    framework="machine",
    severity=Severity.NOTE,
    since="0.2",
    source="scikit-learn documentation, RandomForestClassifier.fit and predict",
    wrong_when=("other work needs the array in float64", "the array is a view that something else changes"),
)

LEAST_S = 2.0
"""Seconds of the calls below which nothing is said (ours)."""

LEAST_B = 256 * 2**20
"""Bytes of an array: below this a copy takes a tenth of a second or less (ours)."""

LEAST_COPIED_B = 2**30
"""Bytes of the array over all calls (ours)."""

IN_FLOAT32 = frozenset(
    (
        "RandomForestClassifier", "RandomForestRegressor", "ExtraTreesClassifier", "ExtraTreesRegressor",
        "DecisionTreeClassifier", "DecisionTreeRegressor", "IsolationForest",
    )
)  # fmt: skip
"""Estimators whose trees hold float32: ``sklearn.tree._tree.DTYPE``."""


def check(cell: CellContext) -> Iterator[Found]:
    """Large float64 arrays that trees were given several times."""
    if cell.machine is None or cell.sklearn is None:
        return
    for array in cell.machine.arrays:
        if array.dtype != "float64" or array.bytes < LEAST_B or not array.name.isidentifier():
            continue
        calls = [it for it in cell.sklearn.calls if _takes(it, array)]
        times, seconds = sum(it.calls for it in calls), sum(it.seconds for it in calls)
        if times < 2 or times * array.bytes < LEAST_COPIED_B or seconds < LEAST_S:
            continue
        yield Found(
            evidence=(
                evidence("array", array.bytes, "B"),
                evidence("calls with it", times, "calls"),
                evidence("time of these calls", seconds, "s"),
            ),
            text=(
                f"{array.name} takes {gib(array.bytes)} in float64, and {calls[0].estimator} copied it to float32 "
                f"{times} times. Convert it once."
            ),
            code=f'{array.name} = {array.name}.astype("float32")',
            share=clock_share(cell, seconds),
            subject=array.name,
        )


def _takes(call: EstimatorCall, array: ArraySeen) -> bool:
    data = call.data
    mine = call.depth == 0 and call.estimator in IN_FLOAT32 and data is not None and data.name == array.name
    return mine and data is not None and data.dtype == "float64"
