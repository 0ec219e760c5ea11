"""XGBoost that looks at every value

**Seen.** An XGBoost estimator with `tree_method="exact"` on 5,000 rows or more, for at least 1 s.

**Why.** "exact" tries every value of every feature as a split. "hist" puts values into bins once and tries the bins'
borders: far less work for trees that are as good as a rule.

**Change.** `tree_method="hist"`, which is what XGBoost 2.0 and later use where nothing is set.

**Not where**

- rows are so few that every value counts;
- a published model is to be made again to the digit.

**Check.** Scores of both by cross-validation, then joules.

**Sources.** [XGBoost on tree methods](https://xgboost.readthedocs.io/en/stable/treemethod.html). Tried here (one
thread, XGBoost 3.2, 20 features, 50 trees), as an illustration: 0.57 s of CPU against 0.13 s at 5,000 rows, 7.5 s
against 0.6 s at 60,000. The floor of 1 s is ours.
"""

from __future__ import annotations

from collections.abc import Iterator

from greennb.advisor.base import Found, evidence
from greennb.advisor.rules.sklearn._shared import LEAST_S, fits, rows, share, subject, variable
from greennb.advisor.signals.cell import CellContext
from greennb.model.finding import Rule, Severity

RULE = Rule(
    code="GNB314",
    name="XGBoost by histograms",
    framework="sklearn",
    severity=Severity.ACT,
    since="0.2",
    source="XGBoost documentation on tree methods; tried with XGBoost 3.2",
    wrong_when=("rows are few and every value counts", "a published model is to be made again"),
)

ROWS = 5_000
"""Least rows: tried from 1,000 on, where both took little."""

KINDS = ("XGBClassifier", "XGBRegressor", "XGBRanker", "XGBRFClassifier", "XGBRFRegressor")
"""XGBoost's estimators."""


def check(cell: CellContext) -> Iterator[Found]:
    """Each that was told to look at every value, and took time."""
    for it in fits(cell, *KINDS):
        call = it.call
        if call.parameters.get("tree_method") == "exact" and rows(call) >= ROWS and it.seconds >= LEAST_S:
            yield Found(
                evidence=(
                    evidence("rows", rows(call), "rows"),
                    evidence("fits", it.count, "calls"),
                    evidence("seconds in fit", it.seconds, "s"),
                ),
                text=f'{subject(call)} tried every value of {rows(call):,} rows as a split (tree_method="exact"); '
                '"hist" tries the borders of bins. Compare the scores.',
                code=f'{variable(call, "model")}.set_params(tree_method="hist")',
                share=share(cell, it.seconds),
                subject=subject(call),
            )
