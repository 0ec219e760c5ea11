"""Drop the poor candidates early

**Seen.** A `GridSearchCV` over 12 candidates or more, on 5,000 rows or more, that took at least 3 s.

**Why.** A grid fits every candidate on all rows in all folds, also those that are far behind from the first. Halving
gives all of them few rows, keeps the best third, gives those more rows, and so on: most of the work goes to the few
that may win.

**Change.** `HalvingGridSearchCV` with the same estimator and grid.

**Not where**

- candidates rank differently on few rows (deep forests, regularisation that depends on the rows), or a class is rare:
  raise `min_resources`;
- every candidate's score is to be reported: it gives the dropped ones' on few rows only;
- few rows: tried on 500 it took 1.28 of the grid's CPU time, on 2,000 0.93, on 8,000 0.66 (12 candidates of a forest
  of 20 trees, scikit-learn 1.9, one thread; illustrations).

**Check.** `best_params_` and the best one's score on a hold-out, of both, then joules. It is marked as experimental
in scikit-learn and needs the import that enables it.

**Sources.** [scikit-learn on successive
halving](https://scikit-learn.org/stable/modules/grid_search.html#searching-for-optimal-parameters-with-successive-halving);
Jamieson and Talwalkar, [arXiv 1502.07943](https://arxiv.org/abs/1502.07943). The candidates are from a trial (2.9 s
to 1.0 s with the same best), rows from the trials above, seconds ours.
"""

from __future__ import annotations

from collections.abc import Iterator

from greennb.advisor.base import Found, evidence
from greennb.advisor.rules.sklearn._shared import rows, searches, share, subject, variable
from greennb.advisor.signals.cell import CellContext
from greennb.advisor.signals.sklearn import EstimatorCall
from greennb.model.finding import Rule, Severity

RULE = Rule(
    code="GNB308",
    name="Drop the poor candidates of a grid early",
    framework="sklearn",
    severity=Severity.NOTE,
    since="0.2",
    source="scikit-learn documentation of HalvingGridSearchCV; arXiv 1502.07943; tried with scikit-learn 1.9",
    wrong_when=("candidates rank differently on few rows", "every candidate's score is to be reported"),
)

CANDIDATES = 12
"""Tried with that many: the same best in about a third of the time."""

ROWS = 5_000
"""Between what was tried: about even at 2,000 rows, less work at 8,000."""

SECONDS = 3.0
"""Least seconds of the search. Ours."""


def check(cell: CellContext) -> Iterator[Found]:
    """Each large grid that took time."""
    for search, call in searches(cell):
        if call.estimator != "GridSearchCV" or search.candidates < CANDIDATES:
            continue
        if rows(call) >= ROWS and call.seconds >= SECONDS:
            yield Found(
                evidence=(
                    evidence("candidates", search.candidates, "candidates"),
                    evidence("fits", search.candidates * search.splits, "calls"),
                    evidence("rows", rows(call), "rows"),
                    evidence("seconds of the search", call.seconds, "s"),
                ),
                text=f"{subject(call)} fitted each of {search.candidates} candidates on all {rows(call):,} rows in "
                f"{search.splits} folds. Halving spends that on the few that may win; compare the best of both.",
                code=_code(call),
                share=share(cell, max(0.0, call.seconds - search.refit_s)),
                subject=subject(call),
            )


def _code(call: EstimatorCall) -> str:
    name = variable(call, "search")
    jobs = call.parameters.get("n_jobs")
    return f"""from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.model_selection import HalvingGridSearchCV

{name} = HalvingGridSearchCV({name}.estimator, {name}.param_grid, factor=3, n_jobs={jobs!r}, random_state=0)"""
