"""A linear kernel has a solver of its own

**Seen.** `SVC(kernel="linear")` or `SVR(kernel="linear")` fitted for at least 1 s.

**Why.** The general solver works on a matrix of rows by rows: its work grows with the square of the rows, or worse.
`LinearSVC` works on the features and grows with the rows.

**Change.** `LinearSVC` or `LinearSVR` with the same `C`.

**Not where**

- `predict_proba` or `support_vectors_` is needed: it has neither. This rule is silent with `probability=True`, and
  where `predict_proba` was called in the cell;
- results must be the same to the digit: its loss is the squared hinge (`loss="hinge"` gives the other), and it
  regularises the intercept. `SGDClassifier` is a third way;
- features are not scaled: it may then need many iterations and say that it did not converge.

**Check.** Scores of both by cross-validation, then joules.

**Sources.** [scikit-learn on the complexity of SVMs](https://scikit-learn.org/stable/modules/svm.html#complexity).
Tried here (scikit-learn 1.9, 5,000 rows of 20 features): 2.2 s of CPU against 0.01 s; an illustration. The floor of 1
s is ours.
"""

from __future__ import annotations

from collections.abc import Iterator

from greennb.advisor.base import Found, evidence
from greennb.advisor.rules.sklearn._shared import LEAST_S, arguments, fits, rows, share, subject, variable
from greennb.advisor.signals.cell import CellContext
from greennb.advisor.signals.sklearn import EstimatorCall
from greennb.model.finding import Rule, Severity

RULE = Rule(
    code="GNB304",
    name="LinearSVC for a linear kernel",
    framework="sklearn",
    severity=Severity.ACT,
    since="0.2",
    source="scikit-learn documentation on SVM complexity; tried with scikit-learn 1.9",
    wrong_when=("predict_proba or the support vectors are needed", "the same loss to the digit is needed"),
)

NEW = {"SVC": "LinearSVC", "SVR": "LinearSVR"}
"""The general classes, and those for the linear case."""


def check(cell: CellContext) -> Iterator[Found]:
    """Each general solver with a linear kernel that took time."""
    for it in fits(cell, *NEW):
        call = it.call
        if it.seconds < LEAST_S or not _is_linear(call) or _needs_probabilities(cell, call):
            continue
        new, name = NEW[call.estimator], variable(call, "model")
        yield Found(
            evidence=(
                evidence("rows", rows(call), "rows"),
                evidence("fits", it.count, "calls"),
                evidence("seconds in fit", it.seconds, "s"),
            ),
            text=f"{subject(call)} solved a linear problem by pairs of rows. {new} solves it by features; it has no "
            "predict_proba, and its loss differs a little.",
            code=f"from sklearn.svm import {new}\n\n{name} = {new}({arguments(call, {'C': 'C'})})",
            share=share(cell, it.seconds),
            subject=subject(call),
        )


def _is_linear(call: EstimatorCall) -> bool:
    return call.parameters.get("kernel") == "linear" and call.parameters.get("probability", False) is not True


def _needs_probabilities(cell: CellContext, call: EstimatorCall) -> bool:
    """Whether probabilities were asked of it, or a search tries other kernels beside the linear one."""
    if cell.sklearn is None:
        return False
    asked = any(it.estimator == call.estimator and it.method == "predict_proba" for it in cell.sklearn.calls)
    kernels = any(name.split("__")[-1] == "kernel" for it in cell.sklearn.searches for name in it.parameters)
    return asked or (kernels and call.depth > 0)
