"""How many rows does this need?

**Seen.** A search, or at least 5 fits of one estimator, on 50,000 rows or more, for at least 30 s.

**Why.** Choosing parameters needs the candidates' order, not their final scores, and the score of many models is flat
long before the last row. A learning curve on a few sizes says where; the search can then run on that many rows, and
the winner is fitted on all.

**Change.** `learning_curve` on growing parts; where the validation score is flat, search there.

**Not where**

- the score still rises at the last size, classes are rare, or rows depend on each other (time, groups): then all rows
  are needed;
- a model's capacity is what is searched (depth, neighbours): its best value moves with the rows.

**Check.** The score of the winner on a hold-out, fitted on all rows, against the one found with all rows.

**Sources.** Verdecchia et al. 2022, Data-centric green AI, [arXiv 2204.02766](https://arxiv.org/abs/2204.02766), on
fewer rows and features; [scikit-learn on learning
curves](https://scikit-learn.org/stable/modules/learning_curve.html). Rows, fits and seconds are ours.
"""

from __future__ import annotations

from collections.abc import Iterator

from greennb.advisor.base import Found, evidence
from greennb.advisor.rules.sklearn._shared import OWN, rows, share, subject, variable, x_name, y_name
from greennb.advisor.signals.cell import CellContext
from greennb.advisor.signals.sklearn import EstimatorCall
from greennb.model.finding import Rule, Severity

RULE = Rule(
    code="GNB313",
    name="How many rows a search needs",
    framework="sklearn",
    severity=Severity.NOTE,
    since="0.2",
    source="Verdecchia et al., arXiv 2204.02766; scikit-learn documentation on learning curves",
    wrong_when=("the score still rises at the last size", "rows depend on each other", "classes are rare"),
)

ROWS = 50_000
"""Least rows. Ours."""

SECONDS = 30.0
"""Least seconds: a learning curve itself takes several fits. Ours."""

FITS = 5
"""Fits of one estimator from which a choice is being made, where no search says so. Ours."""


def check(cell: CellContext) -> Iterator[Found]:
    """Each search, and each estimator that was fitted often, on very many rows for long."""
    calls = cell.sklearn.calls if cell.sklearn is not None else ()
    searched = {search.call: search for search in (cell.sklearn.searches if cell.sklearn is not None else ())}
    often: dict[str, list[EstimatorCall]] = {}
    for at, call in enumerate(calls):
        if call.depth or not call.fits or call.failed or rows(call) < ROWS or not call.module.startswith(OWN):
            continue
        if at in searched and call.seconds >= SECONDS:
            yield _found(cell, call, searched[at].candidates * searched[at].splits, call.seconds)
        elif at not in searched:
            often.setdefault(call.estimator, []).append(call)
    for some in often.values():
        count, seconds = sum(it.calls for it in some), sum(it.seconds for it in some)
        if count >= FITS and seconds >= SECONDS:
            yield _found(cell, max(some, key=lambda it: it.seconds), count, seconds)


def _found(cell: CellContext, call: EstimatorCall, fits: int, seconds: float) -> Found:
    name = variable(call, "model")
    estimator = f"{name}.estimator" if call.estimator.endswith("SearchCV") else name
    return Found(
        evidence=(
            evidence("rows", rows(call), "rows"),
            evidence("fits", fits, "calls"),
            evidence("seconds in them", seconds, "s"),
        ),
        text=f"{fits} fits for {subject(call)} on up to {rows(call):,} rows. Whether a choice needs all of them, a "
        "learning curve shows; the winner can then be fitted on all.",
        code=f"""from sklearn.model_selection import learning_curve

parts = [0.05, 0.1, 0.2, 0.4]
sizes, train, valid = learning_curve({estimator}, {x_name(call)}, {y_name(call)}, train_sizes=parts, cv=3)
print(dict(zip(sizes.tolist(), valid.mean(axis=1).round(4).tolist())))""",
        share=share(cell, seconds),
        subject=subject(call),
    )
