"""The same estimators on oneDAL

**Seen.** At least 5 s of one cell, and of CPU time, in fits of estimators that scikit-learn-intelex has its own
versions of, on an x86 CPU, with parameters that it supports, and it is not in use.

**Why.** It replaces the inner loops of these estimators with Intel's oneDAL library, which uses the widest vectors
that the CPU has and works on blocks that fit its caches. The classes and their results are meant to stay the same.

**Change.** Install `scikit-learn-intelex` and import these classes from it: `from sklearnex.cluster import KMeans`.
`from sklearnex import patch_sklearn; patch_sklearn()` at the notebook's top does that for all that it has, in the
whole kernel, and before scikit-learn's classes are imported.

**Not where**

- the estimator or a parameter is not on its list: it then falls back to scikit-learn without a word (`sklearnex` logs
  it when `SKLEARNEX_VERBOSE=INFO`);
- `SVC`: tried, took 2.97 of the time; this rule leaves it out;
- the last digits matter, or another extension patches scikit-learn too.

**Check.** Joules of the same cell before and after, and the scores.

**Sources.** [Supported algorithms](https://uxlfoundation.github.io/scikit-learn-intelex/latest/algorithms.html).
Tried on a 2-core Xeon, as an illustration: KMeans 0.10 of the time, random forest 0.31, logistic regression 0.74. The
floor of 5 s is ours: importing it takes a second or two.
"""

from __future__ import annotations

from collections.abc import Iterator

from greennb.advisor.base import Found, evidence
from greennb.advisor.rules.sklearn._shared import Fits, fits, is_sparse, share, subject
from greennb.advisor.signals.cell import CellContext
from greennb.advisor.signals.sklearn import EstimatorCall
from greennb.model.finding import Rule, Severity

RULE = Rule(
    code="GNB307",
    name="The same estimators on oneDAL",
    framework="sklearn",
    severity=Severity.NOTE,
    since="0.2",
    source="scikit-learn-intelex documentation; tried on a 2-core Xeon",
    wrong_when=("a parameter is not supported: it falls back without a word", "the last digits matter"),
)

SECONDS = 5.0
"""Least seconds in such fits in a cell, of wall time and of CPU time: a few times what importing the extension takes.
Ours. CPU time too, for on a busy machine a small fit takes long."""

SUPPORTED: dict[str, dict[str, tuple[object, ...]]] = {
    "KMeans": {"algorithm": ("lloyd", "elkan")},
    "DBSCAN": {"metric": ("euclidean", "minkowski")},
    "PCA": {"svd_solver": ("auto", "full", "covariance_eigh")},
    "RandomForestClassifier": {"criterion": ("gini",), "warm_start": (False,), "ccp_alpha": (0, 0.0)},
    "RandomForestRegressor": {"criterion": ("squared_error",), "warm_start": (False,), "ccp_alpha": (0, 0.0)},
    "ExtraTreesClassifier": {"criterion": ("gini",), "warm_start": (False,), "ccp_alpha": (0, 0.0)},
    "ExtraTreesRegressor": {"criterion": ("squared_error",), "warm_start": (False,), "ccp_alpha": (0, 0.0)},
    "LogisticRegression": {"solver": ("lbfgs", "newton-cg"), "class_weight": (None,), "warm_start": (False,)},
}
"""Estimators, and the values of parameters with which its documentation says that they are accelerated."""


def check(cell: CellContext) -> Iterator[Found]:
    """One finding for a cell: the extension is for all of its estimators, or for none."""
    if cell.sklearn is None or cell.sklearn.intelex or not cell.sklearn.x86:
        return
    found = [it for it in fits(cell, *SUPPORTED) if _is_supported(it.call)]
    outer = [it for it in found if not _is_within(it, found)]
    seconds = sum(it.seconds for it in outer)
    if min(seconds, sum(it.cpu_s for it in outer)) < SECONDS:
        return
    kinds = sorted({it.call.estimator for it in outer})
    yield Found(
        evidence=(
            evidence("seconds in fits that it has", seconds, "s"),
            evidence("CPU seconds in them", sum(it.cpu_s for it in outer), "s"),
            evidence("fits", sum(it.count for it in outer), "calls"),
        ),
        text=f"{', '.join(kinds)} took {seconds:.1f} s here; scikit-learn-intelex has versions of "
        f"{'it' if len(kinds) == 1 else 'them'} for this CPU. Try it: a trial shows whether they save here.",
        code="\n".join(["# pip install scikit-learn-intelex", *sorted({_line(it.call) for it in outer})]),
        share=share(cell, seconds),
        subject=subject(outer[0].call) if len(outer) == 1 else "scikit-learn",
    )


def _line(call: EstimatorCall) -> str:
    """The import that makes the class's name mean the other one."""
    return f"from sklearnex.{call.module.split('.')[1]} import {call.estimator}  # instead of sklearn's"


def _is_supported(call: EstimatorCall) -> bool:
    """Whether what is told of its parameters and data is on the list."""
    wanted = SUPPORTED[call.estimator]
    return not is_sparse(call) and all(call.parameters.get(name, ok[0]) in ok for name, ok in wanted.items())


def _is_within(it: Fits, others: list[Fits]) -> bool:
    """Whether its seconds are counted in another one's already."""
    return any(it.call.inside == other.call.estimator and it.call.depth > other.call.depth for other in others)
