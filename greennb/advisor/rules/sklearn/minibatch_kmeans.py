"""KMeans by batches

**Seen.** `KMeans` on more than 100,000 rows, fits of at least 1 s.

**Why.** Every iteration of KMeans goes through all rows. `MiniBatchKMeans` takes a batch of them (1,024) each time,
and needs far fewer passes over the data for centres that are nearly as good.

**Change.** The class `MiniBatchKMeans` with the same number of clusters.

**Not where**

- the best inertia is wanted: its is somewhat higher;
- there are fewer rows: with 40,000 it has taken 1.18 of the time in one trial, and 0.14 in another one. Below 100,000
  nothing is said.

**Check.** `inertia_` of both on the same rows (`score`), then joules.

**Sources.** [scikit-learn on
MiniBatchKMeans](https://scikit-learn.org/stable/modules/clustering.html#mini-batch-k-means); Sculley 2010, [Web-scale
k-means clustering](https://dl.acm.org/doi/10.1145/1772690.1772862). Rows and seconds are ours.
"""

from __future__ import annotations

from collections.abc import Iterator

from greennb.advisor.base import Found, evidence
from greennb.advisor.rules.sklearn._shared import LEAST_S, arguments, fits, rows, share, subject, variable
from greennb.advisor.signals.cell import CellContext
from greennb.model.finding import Evidence, Rule, Severity

RULE = Rule(
    code="GNB306",
    name="KMeans by batches for many rows",
    framework="sklearn",
    severity=Severity.NOTE,
    since="0.2",
    source="scikit-learn documentation of MiniBatchKMeans; Sculley, WWW 2010; tried with scikit-learn 1.9",
    wrong_when=("the lowest inertia is wanted",),
)

ROWS = 100_000
"""Between what was tried and worse once (40,000) and what the method is made for."""


def check(cell: CellContext) -> Iterator[Found]:
    """Each KMeans on very many rows that took time."""
    for it in fits(cell, "KMeans"):
        call = it.call
        if rows(call) <= ROWS or it.seconds < LEAST_S:
            continue
        given = arguments(call, {"n_clusters": "n_clusters", "random_state": "random_state"})
        yield Found(
            evidence=(
                evidence("rows", rows(call), "rows"),
                *_iterations(call.fitted.get("n_iter_")),
                evidence("seconds in fit", it.seconds, "s"),
            ),
            text=f"{subject(call)} goes through all {rows(call):,} rows in every iteration; MiniBatchKMeans takes a "
            "batch of them. Its inertia is somewhat higher: compare both.",
            code="from sklearn.cluster import MiniBatchKMeans\n\n"
            f"{variable(call, 'kmeans')} = MiniBatchKMeans({given})",
            share=share(cell, it.seconds),
            subject=subject(call),
        )


def _iterations(value: object) -> tuple[Evidence, ...]:
    return (evidence("iterations", value, "iterations"),) if isinstance(value, int | float) else ()
