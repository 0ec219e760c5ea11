"""Training goes on though nothing improves

**Seen.** Boosting or an MLP without early stopping, at least 50 iterations and 1 s, whose loss was flat from the
middle on: less than a thousandth of all the improvement came in the second half. Which loss is said: on the
validation data that it was given (XGBoost, LightGBM), else on the training data, where it falls longest.

**Why.** Each iteration costs the same, whatever it brings; and a larger model costs more at each prediction.

**Change.** `n_iter_no_change`, `early_stopping`, `early_stopping_rounds`: whichever the estimator calls it.

**Not where**

- rows are few: it holds some out (a tenth as a rule) to see whether it still improves;
- the training loss alone is flat, and calibration or a small learning rate is why it goes on.

**Check.** Scores of both on a hold-out, the number of iterations, joules.

**Sources.** [scikit-learn on early stopping in gradient
boosting](https://scikit-learn.org/stable/auto_examples/ensemble/plot_gradient_boosting_early_stopping.html); Prechelt
1998, Early stopping, but when? The thousandth, the half, 50 iterations and 1 s are ours.
"""

from __future__ import annotations

from collections.abc import Iterator

from greennb.advisor.base import Found, evidence
from greennb.advisor.rules.sklearn._shared import LEAST_S, fits, share, subject, variable
from greennb.advisor.signals.cell import CellContext
from greennb.advisor.signals.sklearn import EstimatorCall
from greennb.model.finding import Rule, Severity

RULE = Rule(
    code="GNB311",
    name="Boosting goes on though nothing improves",
    framework="sklearn",
    severity=Severity.NOTE,
    since="0.2",
    source="scikit-learn documentation on early stopping; Prechelt 1998",
    wrong_when=("rows are too few to hold some out", "only the training loss is flat, and that is wanted"),
)

STOPS = {
    "GradientBoostingClassifier": ("n_iter_no_change", "n_iter_no_change=5"),
    "GradientBoostingRegressor": ("n_iter_no_change", "n_iter_no_change=5"),
    "MLPClassifier": ("early_stopping", "early_stopping=True"),
    "MLPRegressor": ("early_stopping", "early_stopping=True"),
    "XGBClassifier": ("early_stopping_rounds", "early_stopping_rounds=10"),
    "XGBRegressor": ("early_stopping_rounds", "early_stopping_rounds=10"),
    "LGBMClassifier": ("early_stopping_round", ""),
    "LGBMRegressor": ("early_stopping_round", ""),
}
"""Estimators, the parameter that stops them early, and what to set; LightGBM has a callback."""

ITERATIONS = 50
"""Least iterations. Ours."""

FLAT_PART = 0.5
"""Part of the iterations after which the loss was flat. Ours."""


def check(cell: CellContext) -> Iterator[Found]:
    """Each boosting that ran on; louder where held-out data say so."""
    for it in fits(cell, *STOPS):
        call = it.call
        ran, flat = call.fitted.get("iterations"), call.fitted.get("flat_from")
        if it.seconds < LEAST_S or not isinstance(ran, int) or not isinstance(flat, int) or _stops_early(call, ran):
            continue
        if ran < ITERATIONS or flat > FLAT_PART * ran:
            continue
        curve = str(call.fitted.get("curve"))
        yield Found(
            evidence=(
                evidence("iterations", ran, "iterations"),
                evidence(f"iterations until the {curve} loss was flat", flat, "iterations"),
                evidence("seconds in fit", it.seconds, "s"),
            ),
            text=f"{subject(call)} ran {ran} iterations; by iteration {flat} all but a thousandth of the improvement "
            f"of its {curve} loss had been made.",
            code=_code(call),
            share=share(cell, it.seconds * (1 - flat / ran)),
            subject=subject(call),
            severity=Severity.NOTE if curve == "training" else Severity.ACT,
        )


def _stops_early(call: EstimatorCall, ran: int) -> bool:
    """Whether it would stop by itself, or did."""
    asked = call.parameters.get("n_estimators")
    stopped = call.estimator.startswith("LGBM") and isinstance(asked, int) and ran < asked
    return stopped or call.parameters.get(STOPS[call.estimator][0]) not in (None, False)


def _code(call: EstimatorCall) -> str:
    name = variable(call, "model")
    if call.estimator.startswith("LGBM"):
        return (
            "from lightgbm import early_stopping\n\n"
            f"{name}.fit(X, y, eval_set=[(X_valid, y_valid)], callbacks=[early_stopping(10)])"
        )
    return f"{name}.set_params({STOPS[call.estimator][1]})"
