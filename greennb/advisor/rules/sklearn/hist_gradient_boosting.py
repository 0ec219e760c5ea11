"""Gradient boosting by histograms

**Seen.** `GradientBoostingClassifier` or `GradientBoostingRegressor` trained on 10,000 rows or more, for at least 1
s.

**Why.** It sorts every feature for every tree. `HistGradientBoosting*` puts each feature into at most 255 bins once
and then only counts, on all cores. Work that is not done takes no energy.

**Change.** The class with the same name and `Hist` before it. `n_estimators` is called `max_iter` there.

**Not where**

- this very model is wanted (published, compared): the other one makes slightly different trees. Compare scores by
  cross-validation;
- the loss is `exponential` or `huber`, an `init` is given, or X is sparse: it has none of these, and this rule is
  silent.
- few rows: binning has its own price. Below 10,000 rows nothing is said.

**Check.** `cross_val_score` of both, with the joules of both: `%energy_try`.

**Sources.** 10,000 rows: [scikit-learn's page on
GradientBoostingClassifier](https://scikit-learn.org/stable/modules/generated/sklearn.ensemble.GradientBoostingClassifier.html),
which recommends the histogram version from there on. Tried here (one thread, scikit-learn 1.9, 20 features, 50
trees): 5.8 s of CPU against 0.3 s at 20,000 rows; as an illustration, not what you will see.
"""

from __future__ import annotations

from collections.abc import Iterator

from greennb.advisor.base import Found, evidence
from greennb.advisor.rules.sklearn._shared import LEAST_S, arguments, fits, is_sparse, rows, share, subject, variable
from greennb.advisor.signals.cell import CellContext
from greennb.advisor.signals.sklearn import EstimatorCall
from greennb.model.finding import Rule, Severity

RULE = Rule(
    code="GNB301",
    name="Gradient boosting by histograms",
    framework="sklearn",
    severity=Severity.ACT,
    since="0.2",
    source="scikit-learn documentation of GradientBoostingClassifier; tried with scikit-learn 1.9",
    wrong_when=("this very model is wanted", "the loss or the initial estimator exists only in the older class"),
)

ROWS = 10_000
"""scikit-learn's own documentation names this number."""

LOSSES = ("log_loss", "deviance", "squared_error", "absolute_error", "quantile")
"""Those that both classes have."""

NAMES = {
    "n_estimators": "max_iter", "learning_rate": "learning_rate", "max_depth": "max_depth",
    "max_leaf_nodes": "max_leaf_nodes", "random_state": "random_state",
}  # fmt: skip
"""Parameters of the older class, and what they are called in the newer one."""


def check(cell: CellContext) -> Iterator[Found]:
    """Each gradient boosting on many rows that took time."""
    for it in fits(cell, "GradientBoostingClassifier", "GradientBoostingRegressor"):
        call = it.call
        if rows(call) < ROWS or it.seconds < LEAST_S or not _has_counterpart(call):
            continue
        new = f"Hist{call.estimator}"
        name = variable(call, "model")
        yield Found(
            evidence=(
                evidence("rows", rows(call), "rows"),
                evidence("fits", it.count, "calls"),
                evidence("seconds in fit", it.seconds, "s"),
            ),
            text=f"{subject(call)} sorted {rows(call):,} rows for every tree; {new} counts them in bins instead. It is "
            "another model: compare the scores.",
            code=f"from sklearn.ensemble import {new}\n\n{name} = {new}({arguments(call, NAMES)})",
            share=share(cell, it.seconds),
            subject=subject(call),
        )


def _has_counterpart(call: EstimatorCall) -> bool:
    given = call.parameters
    return not is_sparse(call) and given.get("init") is None and given.get("loss", "log_loss") in LOSSES
